import type { LabBrowser } from "./browser.ts";
import { endsAndMakesAccess, offersAViewerNothing } from "./dashboard-access.ts";
import { managesAccounts } from "./dashboard-accounts.ts";
import { signsInWithASecondFactor } from "./dashboard-factors.ts";
import { LOOKS } from "./dashboard-looks.ts";
import { letsWaitAndDeletes } from "./dashboard-mail.ts";
import { usesPasskeys } from "./dashboard-passkeys.ts";
import { changesALimit } from "./dashboard-settings.ts";
import type { Running } from "./with-product.ts";

const [LIGHT, DARK_PHONE, FORCED_PHONE, DARK] = LOOKS;
type Flow = readonly [says: string, look: (typeof LOOKS)[number], flow: () => Promise<void>];

/** What an owner does on the pages, in this order: most of it on a phone, where a button is more easily out of reach. */
export function flows(open: () => LabBrowser, { lab, product }: Running): readonly Flow[] {
  return [
    ["ends another session, makes and revokes a token", DARK_PHONE, () => endsAndMakesAccess(open(), lab.server)],
    [
      "adds, changes and removes an account with an alias",
      FORCED_PHONE,
      () => managesAccounts(open(), { lab, product }),
    ],
    ["adds a passkey, signs in and proves with it, and removes it", DARK, () => usesPasskeys(open())],
    ["changes a limit after a look, and puts the file back", DARK_PHONE, () => changesALimit(open(), product)],
    ["signs in with an app, which the console removes", FORCED_PHONE, () => signsInWithASecondFactor(open(), product)],
    [
      "deletes a waiting mail, and lets a stranger's next try in",
      DARK_PHONE,
      () => letsWaitAndDeletes(open(), product),
    ],
    ["offers a viewer nothing that changes anything", LIGHT, () => offersAViewerNothing(open())],
  ];
}
