import type { CheckId } from "../../src/surfaces/cli/check/run-checks.ts";

/** The checks that only a whole server can fail: `test/e2e/check.test.ts` breaks what they check. */
export type InProduct =
  | "backups.repository"
  | "backups.restore"
  | "bans.in-kernel"
  | "bans.self"
  | "database.audit"
  | "permissions.directories"
  | "permissions.secrets"
  | "permissions.sockets"
  | "reputation.port-25-out";

/** All others, which `broken.test.ts` and `broken-network.test.ts` next to the checks break. */
export type Alone = Exclude<CheckId, InProduct>;

/** Those that `broken-network.test.ts` breaks by simulating the other side of a dialogue. */
export type OfNetwork = Extract<Alone, `${"ports" | "tls" | "dns" | "reputation" | "mail-flow"}.${string}`>;
