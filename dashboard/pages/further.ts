import type { Pages } from "../page.tsx";
import { AccountsPage } from "./accounts.tsx";
import { BansPage } from "./bans.tsx";
import { EventsPage } from "./events.tsx";
import { FindPage } from "./find.tsx";
import { MailPage } from "./mail.tsx";
import { SettingsPage } from "./settings.tsx";
import { SystemPage } from "./system.tsx";

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
