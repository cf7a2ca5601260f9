import type { OwnTexts } from "../admin-texts.ts";
import { de as accounts } from "./accounts.ts";
import { de as bans } from "./bans.ts";
import { eventNamesDe as eventNames, eventsDe as events } from "./events.ts";
import { de as find } from "./find.ts";
import { filtersDe as filters, mailDe as mail } from "./mail.ts";
import { de as now } from "./now.ts";
import { accessDe as access, passkeysDe as passkeys, securityDe as security } from "./security.ts";
import { de as settings } from "./settings.ts";
import { systemDe as system, upkeepDe as upkeep } from "./system.ts";

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
