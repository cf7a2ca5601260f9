import { changesEn } from "./accounts.ts";
import { eventNamesEn } from "./events.ts";

export { en as accounts } from "./accounts.ts";
export { en as bans } from "./bans.ts";
export { eventsEn as events, listsEn as lists } from "./events.ts";
export { en as find } from "./find.ts";
export { en as mail } from "./mail.ts";
export { ofAccountEn as accountOwn } from "./mailbox-settings.ts";
export { en as now } from "./now.ts";
export { accessEn as access, passkeysEn as passkeys, securityEn as security } from "./security.ts";
export { en as settings } from "./settings.ts";
export { systemEn as system, upkeepEn as upkeep } from "./system.ts";

export const eventNames = { ...eventNamesEn, ...changesEn };
