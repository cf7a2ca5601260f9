import { changesDe } from "./accounts.ts";
import { eventNamesDe } from "./events.ts";

export { de as accounts } from "./accounts.ts";
export { de as bans } from "./bans.ts";
export { eventsDe as events, listsDe as lists } from "./events.ts";
export { de as find } from "./find.ts";
export { de as mail } from "./mail.ts";
export { ofAccountDe as accountOwn } from "./mailbox-settings.ts";
export { de as now } from "./now.ts";
export { accessDe as access, passkeysDe as passkeys, securityDe as security } from "./security.ts";
export { de as settings } from "./settings.ts";
export { systemDe as system, upkeepDe as upkeep } from "./system.ts";

export const eventNames = { ...eventNamesDe, ...changesDe };
