import { setTimeout } from "node:timers/promises";
import type { CommandError, Verb } from "../../admin/declare/control.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { ask, type NoAnswer, watch } from "../../host/sockets/control-client.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Failure, failed, type GuardClient, type GuardCommandOf, PROGRAM, wrongUsage } from "./call.ts";
import { FIRST_WORDS } from "./help.ts";

/** Ending an account's sessions takes the keeper seconds. Lifting 100,000 bans takes longer, so break-glass has its own limit. */
const TIMEOUT_MS = 30 * SECOND_MS;
/** A working guard answers a ping at once, whatever else it does. */
const PING_MS = 5 * SECOND_MS;
/** How often and for how long to ask a starting guard again. There is a limit, because it may fail at each start. */
const [ASK_AGAIN_MS, STARTS_WITHIN_MS] = [100, 5 * SECOND_MS];
const BREAK_GLASS_TIMEOUT_MS = 3 * MINUTE_MS;

/** The guard behind the control socket. `by`: who gives the commands. */
export function createGuardClient(layout: Layout, by: string): GuardClient {
  const { controlSocket } = layout;
  const notRunning = () => import("./not-running.ts");
  const whyNotRunning = async (): Promise<Failure> => (await notRunning()).whyDown(layout);
  const problemOf = async (error: CommandError | NoAnswer): Promise<Failure> => failureFor(error) ?? whyNotRunning();
  return {
    async ask<V extends Verb>(command: GuardCommandOf<V>) {
      // A hanging guard gets no command, which it might run much later, when the caller thinks that it failed.
      let pinged = await ask(controlSocket, { by }, { verb: "ping" }, PING_MS);
      const giveUpAt = performance.now() + STARTS_WITHIN_MS;
      const mayStart = async (): Promise<boolean> =>
        performance.now() < giveUpAt && (await notRunning()).isStarting(layout);
      while (!pinged.ok && pinged.kind === "not_running" && (await mayStart())) {
        await setTimeout(ASK_AGAIN_MS);
        pinged = await ask(controlSocket, { by }, { verb: "ping" }, PING_MS);
      }
      if (!pinged.ok) return pinged.kind === "timeout" ? HANGS : problemOf(pinged);
      const timeoutMs = command.verb === "break_glass" ? BREAK_GLASS_TIMEOUT_MS : TIMEOUT_MS;
      const asked = await ask(controlSocket, { by }, command, timeoutMs);
      return asked.ok ? asked : problemOf(asked);
    },
    async watch(onEvents, signal) {
      if (signal.aborted) return { ok: true };
      const watching = watch(controlSocket, onEvents);
      signal.addEventListener("abort", watching.close);
      const ended = await watching.ended;
      if (signal.aborted) return { ok: true };
      if (ended.kind !== "broken") return problemOf(ended);
      // Either the whole server is stopping, or only the guard is restarting.
      return { ...(await whyNotRunning()), exit: "not_running", message: "The connection to the guard ended." };
    },
  };
}

const HANGS = failed(
  "The guard is not responding, so this command was not sent.",
  "It is restarted automatically: try again in a few seconds.",
);

/** Null if nothing listens on the socket. */
function failureFor(error: CommandError | NoAnswer): Failure | null {
  switch (error.kind) {
    case "usage":
      return wrongUsage(error.message, hint(error.next));
    case "failed":
      return failed(error.message, hint(error.next));
    case "not_running":
      return null;
    case "denied":
      return failed("Only root may give commands to GhostInbox.", `Try: sudo ${PROGRAM} …`);
    case "timeout":
      return failed(error.message, "The command may still take effect: check before you try again.");
    case "broken":
      return failed(
        error.message,
        "The command may have taken effect: check before you try again. The guard restarts automatically; see log/guard.",
      );
  }
}

/** Puts the program's name before commands in the guard's hints, as people type them. */
export function hint(next: string): string {
  return next.replace(COMMAND, `\`${PROGRAM} $1`);
}

const COMMAND = new RegExp(`\`((?:${FIRST_WORDS.join("|")})[ \`])`, "g");

/** The actor of the commands for the audit: root, with the user who became root if known. */
export function callerName(env: NodeJS.ProcessEnv): string {
  const before = env["SUDO_USER"] ?? "";
  return /^[a-z_][a-z0-9_.-]{0,31}$/i.test(before) && before !== "root" ? `root (${before})` : "root";
}
