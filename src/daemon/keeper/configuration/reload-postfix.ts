import { join } from "node:path";
import { SECOND_MS } from "../../../core/time.ts";
import type { Layout } from "../../../settings/layout.ts";
import { reloadBySignal } from "./reload-by-signal.ts";

/** Processes that a reload ends. A client in the middle of a delivery finishes that first. */
const ENDING = [
  { name: "qmgr", patienceMs: 5 * SECOND_MS },
  { name: "smtp", patienceMs: SECOND_MS },
] as const;

/**
 * `postfix reload` only sends a signal (postfix-script). A flush that arrives before the previous queue manager has ended is
 * lost with it, and an old client would retry with the old settings. Returns null once they have ended, or why the reload failed.
 */
export function reloadPostfix({ postfixConf, postfixQueue }: Layout): Promise<string | null> {
  const command = ["postfix", "-c", postfixConf, "reload"] as const;
  return reloadBySignal(command, join(postfixQueue, "pid", "master.pid"), ENDING);
}
