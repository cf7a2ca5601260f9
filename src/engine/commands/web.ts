import { banIn } from "../../core/decide/sparing.ts";
import { parseIp } from "../../core/net/ip.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Command, CommandError, CommandLine, Origin, Reply } from "../../wire/control/control.ts";
import { mayAsk } from "../../wire/control/rights.ts";
import type { Engine } from "../engine.ts";
import type { Clock } from "../ports.ts";
import type { History } from "../storage-ports.ts";
import { WebBounds } from "./web-bounds.ts";

export type WebCommandParts = Readonly<{ engine: Engine; history: Pick<History, "allowed">; clock: Clock }>;
type Of<V extends Command["verb"]> = Extract<Command, { readonly verb: V }>;

/** The name of the dashboard's password. An account cannot have it, because account names contain a domain. */
const ADMINISTRATOR = "admin";
/** Within this time, a refused verb is recorded once. */
const RECORD_EVERY_MS = MINUTE_MS;

const FORBIDDEN: CommandError = {
  ok: false,
  kind: "failed",
  message: "This command may not be given from here.",
  next: "Use the command line on the server.",
};

const NO_ADDRESS: CommandError = { ok: false, kind: "usage", message: "No address was given.", next: "" };

/**
 * Checks that the origin may use the verb and that the web stays within its limits. Requests that only an attacker
 * would send are recorded.
 */
export class CommandGate {
  readonly #parts: WebCommandParts;
  readonly #bounds: WebBounds;
  readonly #recorded = new Map<Command["verb"], Millis>();

  constructor(parts: WebCommandParts) {
    this.#parts = parts;
    this.#bounds = new WebBounds(parts.history, parts.clock);
  }

  /** Null: go on. */
  refuses({ command, by }: CommandLine, origin: Origin): CommandError | null {
    if (!mayAsk(origin, command.verb)) {
      this.#tell(command, by);
      return FORBIDDEN;
    }
    const overreach = origin === "web" ? this.#bounds.refuses(command) : null;
    if (overreach?.told === true) this.#tell(command, by);
    return overreach?.error ?? null;
  }

  seen(text: string): Reply<"admin_seen"> {
    const ip = parseIp(text);
    if (ip === null) return NO_ADDRESS;
    this.#parts.engine.administratorAt(ip);
    return { ok: true, result: { done: true } };
  }

  /**
   * Sign-ins to the dashboard are decided like those to mailboxes. They always count as the administrator's, whatever
   * name the web reports.
   */
  async login(command: Of<"dashboard_ask" | "dashboard_login">): Promise<Reply> {
    const ip = parseIp(command.ip);
    if (ip === null) return NO_ADDRESS;
    const asked = command.verb === "dashboard_ask";
    if (asked && !this.#bounds.mayAsk(this.#parts.engine.subject(ip)))
      return { ok: true, result: { verdict: "refuse" } };
    const passwordHash = asked ? "" : command.passwordHash;
    const type = asked ? "LOGIN_ASKED" : command.success ? "LOGIN_SUCCEEDED" : "LOGIN_FAILED";
    const decision = await this.#parts.engine.ask({
      type,
      ip,
      service: "dashboard",
      login: ADMINISTRATOR,
      passwordHash,
      withoutBan: !this.#bounds.mayBan(),
    });
    if (!asked && banIn(decision) !== null) this.#bounds.banned();
    return { ok: true, result: { verdict: decision.verdict } };
  }

  #tell({ verb }: Command, by: string): void {
    const { engine, clock } = this.#parts;
    const now = clock.now();
    const at = this.#recorded.get(verb);
    if (at !== undefined && Math.abs(now - at) < RECORD_EVERY_MS) return;
    this.#recorded.set(verb, now);
    void engine.audit({ type: "COMMAND_REFUSED", subject: verb, by });
  }
}
