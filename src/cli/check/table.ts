import { accounts } from "./accounts.ts";
import { alerts } from "./alerts.ts";
import { backups } from "./backups.ts";
import { bans } from "./bans.ts";
import { clock } from "./clock.ts";
import { components } from "./components.ts";
import { database } from "./database.ts";
import { disk } from "./disk.ts";
import { dns } from "./dns.ts";
import { firewall } from "./firewall.ts";
import { mailFlow } from "./mail-flow.ts";
import { passwords } from "./passwords.ts";
import { permissions } from "./permissions.ts";
import { ports } from "./ports.ts";
import { queue } from "./queue.ts";
import { reputation } from "./reputation.ts";
import type { Check, Group } from "./server.ts";
import { tls } from "./tls.ts";
import { updates } from "./updates.ts";

const table = [
  { name: "passwords", checks: passwords },
  { name: "firewall", checks: firewall },
  { name: "ports", checks: ports },
  { name: "tls", checks: tls },
  { name: "dns", checks: dns },
  { name: "reputation", checks: reputation },
  { name: "mail-flow", checks: mailFlow },
  { name: "accounts", checks: accounts },
  { name: "permissions", checks: permissions },
  { name: "components", checks: components },
  { name: "disk", checks: disk },
  { name: "queue", checks: queue },
  { name: "database", checks: database },
  { name: "bans", checks: bans },
  { name: "alerts", checks: alerts },
  { name: "backups", checks: backups },
  { name: "clock", checks: clock },
  { name: "updates", checks: updates },
] as const satisfies readonly Group[];

/** Every check, in the order of display. */
export const groups: readonly Group[] = table;

type IdsOf<G> = G extends { name: infer Name extends string; checks: readonly (infer C extends Check)[] }
  ? `${Name}.${C["name"]}`
  : never;
/** `tls.days` */
export type CheckId = IdsOf<(typeof table)[number]>;
