import { en as access } from "./access.ts";
import { en as accounts } from "./accounts.ts";
import { en as bans } from "./bans.ts";
import { en as eventNames } from "./event-names.ts";
import { en as events } from "./events.ts";
import { en as find } from "./find.ts";
import { en as mail } from "./mail.ts";
import { en as filters } from "./mail-filters.ts";
import { en as now } from "./now.ts";
import { en as passkeys } from "./passkeys.ts";
import { en as security } from "./security.ts";
import { en as settings } from "./settings.ts";
import { en as system } from "./system.ts";
import { en as upkeep } from "./upkeep.ts";

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
