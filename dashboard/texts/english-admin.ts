import { en as accounts } from "./accounts.ts";
import { en as bans } from "./bans.ts";
import { eventNamesEn as eventNames, eventsEn as events } from "./events.ts";
import { en as find } from "./find.ts";
import { filtersEn as filters, mailEn as mail } from "./mail.ts";
import { en as now } from "./now.ts";
import { accessEn as access, passkeysEn as passkeys, securityEn as security } from "./security.ts";
import { en as settings } from "./settings.ts";
import { systemEn as system, upkeepEn as upkeep } from "./system.ts";

/** The texts of the administrator's pages. Texts about an event come from the server. */
export const texts = {
  now,
  events,
  eventNames,
  bans,
  mail: { ...mail, ...filters },
  find,
  passkeys,
  security,
  system,
  settings,
  access,
  upkeep,
  accounts,
};
