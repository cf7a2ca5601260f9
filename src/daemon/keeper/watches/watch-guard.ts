import { join } from "node:path";
import { removeFile } from "../../../adapters/root-files/files.ts";
import { ask } from "../../../adapters/sockets/control-client.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { MAY_STAND_IN } from "../../../render/runit.ts";
import type { Layout } from "../../../settings/layout.ts";
import { signal } from "../../set-up/running/processes.ts";
import { pidOf } from "../../set-up/running/supervise.ts";

const ANSWER_MS = 3 * SECOND_MS;
/** With one check a second, a hanging guard is killed about 11 s after its last answer. */
const SILENT_LOOKS = 3;

/**
 * Kills a guard that accepts connections but does not answer. runsv(8) restarts only ended processes, while each mail
 * and sign-in waits for a hanging guard. A guard that does not run is left to runsv.
 */
export class GuardWatch {
  readonly #layout: Layout;
  readonly #answerMs: number;
  #silent: { pid: number; looks: number } | null = null;
  #isRunning = true;

  constructor(layout: Layout, answerMs: number = ANSWER_MS) {
    this.#layout = layout;
    this.#answerMs = answerMs;
  }

  /** Whether something listened on its socket at the last check. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /**
   * The killed pid, or null. One check at a time. Throws if the mark cannot be removed, as on a read-only disk: a hanging guard lets
   * no one pass, but a stand-in would.
   */
  async look(): Promise<number | null> {
    const pid = pidOf(this.#layout.services, "guard");
    const asked = await ask(this.#layout.controlSocket, "keeper", { verb: "ping" }, this.#answerMs);
    const isSilent = !asked.ok && asked.kind === "timeout";
    this.#isRunning = asked.ok || asked.kind !== "not_running";
    // A new one may run by now, which has not been asked yet.
    if (!isSilent || pid === null || pid !== pidOf(this.#layout.services, "guard")) {
      this.#silent = null;
      return null;
    }
    const looks = this.#silent?.pid === pid ? this.#silent.looks + 1 : 1;
    this.#silent = { pid, looks };
    if (looks < SILENT_LOOKS) return null;
    this.#silent = null;
    removeFile(join(this.#layout.services, "guard", MAY_STAND_IN));
    signal(pid, "SIGKILL");
    return pid;
  }
}
