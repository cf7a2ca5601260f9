import { existsSync, readFileSync } from "node:fs";
import { codeOf } from "../../core/error.ts";
import { layoutOf } from "../../settings/layout.ts";
import { createStandIn } from "./stand-in.ts";

/**
 * The guard's service starts it before the guard starts and after it has ended, with the data directory, the port of Dovecot's questions
 * and the process id of runsv(8). It is small, so that it answers at once. It ends when the guard takes over, when its socket is gone, or
 * with runsv.
 */

const LOOK_MS = 200;
/** Checks in a row without its socket: a stand-in that is leaving has closed its socket first. */
const MOST_MISSED = 5;
const [data = "", port = "", supervisor = ""] = process.argv.slice(2);
const layout = layoutOf(data);
const secret = readFileSync(layout.loginPolicySecret, "utf8").trim();
const start = createStandIn(layout, Number(port), secret, () => process.exit(0));
try {
  await start();
} catch {
  // Another stand-in, or the guard, already answers.
  process.exit(0);
}
let missed = 0;
setInterval(() => {
  // Another stand-in that left at the same time may have removed it. Without it the guard could not ask this one to leave, or start.
  missed = existsSync(layout.standIn) ? 0 : missed + 1;
  if (missed === MOST_MISSED || !isThere(Number(supervisor))) process.exit(0);
}, LOOK_MS);

/** Includes other users' processes. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}
