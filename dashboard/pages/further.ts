/** The administrator's pages except the first, in one program, which is smaller than one for each. */
export { AccountsPage as accounts } from "./accounts/accounts.tsx";
export { BansPage as bans } from "./bans/bans.tsx";
export { EventsPage as events } from "./events/events.tsx";
export { FindPage as find } from "./find/find.tsx";
export { MailPage as mail } from "./mail/mail.tsx";
export { SettingsPage as settings } from "./settings/settings.tsx";
export { SystemPage as system } from "./system/system.tsx";
