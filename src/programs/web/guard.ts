import type { Command } from "../../admin/declare/control.ts";
import { SECOND_MS } from "../../core/time.ts";
import { ask, CONTROL_TIMEOUT_MS, type Watch } from "../../host/sockets/control-client.ts";
import type { GuardPort } from "../../surfaces/api/ports.ts";

/** For `health` and `caller`, on which other requests wait: a slower guard counts as down. */
const SOON_MS = 2 * SECOND_MS;

/** The guard as the web sees it: any failure to answer counts as unreachable. */
export function createGuardPort(socketPath: string): GuardPort {
  return {
    ask: async (asker, command, { isDry } = { isDry: false }) => {
      const asked: Command = command;
      const timeoutMs = asked.verb === "health" || asked.verb === "caller" ? SOON_MS : CONTROL_TIMEOUT_MS;
      const head = { by: "web", ...(asker !== "web" && asker), ...(isDry && { isDry }) };
      const reply = await ask(socketPath, head, command, timeoutMs);
      if (reply.ok || reply.kind === "usage" || reply.kind === "failed") return reply;
      const mayBeDone = reply.kind === "timeout" || reply.kind === "broken";
      return { ok: false, kind: "unreachable", message: reply.message, ...(mayBeDone && { mayBeDone }) };
    },
  };
}

/** How long to wait before asking again after the guard has gone. */
const RETRY_MS = 1_000;

/**
 * Passes the guard's news of new events to all live streams. After a lost connection it asks again, and the guard
 * answers at once, so commits in between are reported.
 */
export function createGuardNews(watch: (onCommit: () => void) => Watch) {
  const listeners = new Set<() => void>();
  let watching: Watch | null = null;
  let isStopped = false;
  let retry: NodeJS.Timeout | undefined;

  function subscribe(onNews: () => void): () => void {
    listeners.add(onNews);
    return () => listeners.delete(onNews);
  }

  function start(): void {
    if (isStopped) return;
    watching = watch(() => {
      for (const listener of listeners) listener();
    });
    void watching.ended.then(() => {
      if (!isStopped) retry = setTimeout(start, RETRY_MS);
    });
  }

  function stop(): void {
    isStopped = true;
    clearTimeout(retry);
    watching?.close();
  }

  return { subscribe, start, stop };
}
