import type { LabBrowser } from "./browser.ts";
import { endsAndMakesAccess, signsInWithASecondFactor, usesPasskeys } from "./dashboard-access.ts";
import { importsAccounts, managesAccounts } from "./dashboard-accounts.ts";
import { findsEvents } from "./dashboard-events.ts";
import { decidesOnHeldMail, letsACodeIn, letsWaitAndDeletes } from "./dashboard-mail.ts";
import { changesALimit } from "./dashboard-settings.ts";
import { livesThroughAKill, saysWhatStandsStill, showsTheStateWithoutAStream } from "./dashboard-silence.ts";
import { comesToOtherStops } from "./dashboard-stops.ts";
import type { Running } from "./with-product.ts";

type Flow = readonly [says: string, flow: () => Promise<void>];

/** An owner's tasks on the pages, in this order, by keyboard only. Where a flow stops, the page is checked in every theme and width. */
export function flows(open: () => LabBrowser, { lab, product }: Running): readonly Flow[] {
  return [
    ["ends another session, makes and revokes a token", () => endsAndMakesAccess(open(), product)],
    ["adds, changes and removes an account with an alias", () => managesAccounts(open(), { lab, product })],
    ["imports accounts, and says what it cannot", () => importsAccounts(open(), product)],
    ["adds a passkey, signs in and proves with it, and removes it", () => usesPasskeys(open())],
    ["previews and changes a limit, and restores the file", () => changesALimit(open(), product)],
    ["signs in with an app, which the console removes", () => signsInWithASecondFactor(open(), product)],
    ["deletes a waiting mail", () => letsWaitAndDeletes(open(), product)],
    ["accepts a stranger's next try for a recipient who waits for a code", () => letsACodeIn(open(), { lab, product })],
    ["decides on mail that is held", () => decidesOnHeldMail(open(), { lab, product })],
    ["finds events, holds them back and saves them", () => findsEvents(open(), product)],
    ["shows refusals, and keeps addresses and accounts out", () => comesToOtherStops(open(), product)],
  ];
}

/** What an owner sees while parts of the server do not answer, and afterwards. The page stays signed in. */
export function outages(open: () => LabBrowser, { product }: Running): readonly Flow[] {
  return [
    ["says within ten seconds that the guard or the server is down", () => saysWhatStandsStill(open(), product)],
    ["survives a kill of the server and misses no event", () => livesThroughAKill(open(), product)],
    ["shows the state of the server without a stream", () => showsTheStateWithoutAStream(open())],
  ];
}
