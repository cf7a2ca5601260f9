import type { Command } from "../../admin/declare/control.ts";
import { SECOND_MS } from "../../core/time.ts";
import { ask, CONTROL_TIMEOUT_MS } from "../../host/sockets/control-client.ts";
import type { GuardPort, News } from "../../surfaces/api/ports.ts";

/** For `health` and `caller`, on which other requests wait: a slower guard counts as down. */
const SOON_MS = 2 * SECOND_MS;

/** The guard as the web sees it: any failure to answer counts as not reached. */
export function guardAt(socketPath: string): GuardPort {
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

type Watch = Readonly<{ ended: Promise<unknown>; close: () => void }>;

/** How long to wait before asking again after the guard has gone. */
const RETRY_MS = 1_000;

/**
 * Passes the guard's news of new events to all live streams. After a lost connection it asks again, and the guard
 * answers at once, so commits in between are reported.
 */
export class GuardNews implements News {
  readonly #watch: (onEvent: () => void) => Watch;
  readonly #listeners = new Set<() => void>();
  #watching: Watch | null = null;
  #isStopped = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(watch: (onEvent: () => void) => Watch) {
    this.#watch = watch;
  }

  subscribe(onNews: () => void): () => void {
    this.#listeners.add(onNews);
    return () => this.#listeners.delete(onNews);
  }

  start(): void {
    if (this.#isStopped) return;
    this.#watching = this.#watch(() => {
      for (const listener of this.#listeners) listener();
    });
    void this.#watching.ended.then(() => {
      if (!this.#isStopped) this.#retry = setTimeout(() => this.start(), RETRY_MS);
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    this.#watching?.close();
  }
}
