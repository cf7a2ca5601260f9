import type { OwnTexts } from "../admin-texts.ts";
import { de as access } from "./access.ts";
import { de as accounts } from "./accounts.ts";
import { de as bans } from "./bans.ts";
import { de as eventNames } from "./event-names.ts";
import { de as events } from "./events.ts";
import { de as find } from "./find.ts";
import { de as mail } from "./mail.ts";
import { de as filters } from "./mail-filters.ts";
import { de as now } from "./now.ts";
import { de as passkeys } from "./passkeys.ts";
import { de as security } from "./security.ts";
import { de as settings } from "./settings.ts";
import { de as system } from "./system.ts";
import { de as upkeep } from "./upkeep.ts";

export const texts: OwnTexts = {
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
