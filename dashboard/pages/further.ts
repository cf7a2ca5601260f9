import type { Pages } from "../page.tsx";
import { AccountsPage } from "./accounts/accounts.tsx";
import { BansPage } from "./bans/bans.tsx";
import { EventsPage } from "./events/events.tsx";
import { FindPage } from "./find/find.tsx";
import { MailPage } from "./mail/mail.tsx";
import { SettingsPage } from "./settings/settings.tsx";
import { SystemPage } from "./system/system.tsx";

/** The administrator's pages but the first: in one program, which is smaller than one for each. */
export const pages: Pages = {
  events: EventsPage,
  bans: BansPage,
  mail: MailPage,
  accounts: AccountsPage,
  find: FindPage,
  system: SystemPage,
  settings: SettingsPage,
};
