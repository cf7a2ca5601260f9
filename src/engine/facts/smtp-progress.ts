import { BoundedMap } from "../../core/bounded-map.ts";
import type { Verdict } from "../../core/decide/decision.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import { TRANSFER_MS } from "../../core/firewall/crowded-ports.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";

/** `at`: when a mail of this connection last made progress. `isTransferring`: its content is being sent or judged. */
export type Progress = Readonly<{ at: Millis; isTransferring: boolean }>;

type Stage = "connected" | "recipient" | "data" | "ended";

/** How long milters and delivery may take after the last byte. Milliseconds. */
const JUDGED_MS = MINUTE_MS;

/** How far the mails of open connections have progressed, according to Postfix's questions. A dropped entry counts as no progress. */
export class SmtpProgress {
  readonly #stages = new BoundedMap<string, Readonly<{ stage: Stage; at: Millis }>>(LIMITS.sessions);

  follow(event: ClientEvent, verdict: Verdict, now: Millis): void {
    if (!("session" in event)) return;
    const connection = event.session.slice(0, event.session.lastIndexOf(" "));
    if (event.type === "CONNECT") this.#stages.set(connection, { stage: "connected", at: now });
    if (verdict !== "pass") return;
    if (event.type === "MAIL") this.#stages.set(connection, { stage: "data", at: now });
    else if (event.type === "MESSAGE") this.#stages.set(connection, { stage: "ended", at: now });
    // Each further recipient costs nothing, so it does not count as progress.
    else if (event.type === "RECIPIENT" && this.#stages.get(connection)?.stage === "connected")
      this.#stages.set(connection, { stage: "recipient", at: now });
  }

  /** `connection`: the client's address and port, and the server's port. Null if unknown. A clock that was set back keeps no transfer active. */
  of(connection: string, now: Millis): Progress | null {
    const reached = this.#stages.get(connection);
    if (reached === undefined) return null;
    const { stage, at } = reached;
    const lastsMs = stage === "data" ? TRANSFER_MS : stage === "ended" ? JUDGED_MS : 0;
    return { at, isTransferring: Math.abs(now - at) < lastsMs };
  }
}
