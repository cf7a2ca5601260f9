import { join } from "node:path";
import { SECOND_MS } from "../../../core/time.ts";
import type { Layout } from "../../../settings/layout.ts";
import { reloadBySignal } from "./reload-by-signal.ts";

/** The master replaces it once it has read its configuration. */
const ENDING = [{ name: "dovecot/log", patienceMs: 5 * SECOND_MS }] as const;

/**
 * `doveadm reload` only sends a signal. Until the master has read its configuration, old processes answer, and lose each other
 * in the middle of a question: a mail would be deferred. Returns null once it has, or after five seconds; otherwise why the reload failed.
 */
export function reloadDovecot({ dovecotConf, dovecotBase }: Layout): Promise<string | null> {
  const command = ["doveadm", "-c", dovecotConf, "reload"] as const;
  return reloadBySignal(command, join(dovecotBase, "master.pid"), ENDING);
}
