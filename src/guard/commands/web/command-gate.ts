import type { CommandError, Denial, ParsedCommand, ParsedLine } from "../../../admin/declare/control.ts";
import type { CallerItem } from "../../../admin/declare/items.ts";
import { actorFrom, actorOf, rightsOf } from "../../../admin/declare/rights.ts";
import type { Origin } from "../../../admin/declare/verb.ts";
import { isAdministrator } from "../../../core/access/scopes.ts";
import { type Ip, parseIp } from "../../../core/net/ip.ts";
import { DAY_MS, MINUTE_MS } from "../../../core/time.ts";
import { type CallerParts, callerOf } from "../../access/callers.ts";
import { digestOf } from "../../access/secrets.ts";
import { Budgets } from "../../budget.ts";
import type { Engine } from "../../engine.ts";
import type { AllowList } from "../../storage-ports.ts";
import { failed, usage } from "../refusals.ts";
import { UserBounds } from "./user-bounds.ts";
import { WebBounds } from "./web-bounds.ts";

export type WebCommandParts = CallerParts &
  Readonly<{ engine: Pick<Engine, "audit" | "administratorAt" | "policy">; allowList: AllowList }>;

/** The session or token behind a line of the web, and where it is used. `isValid`: whether it is still valid, for commands that wait. */
export type WebCaller = Readonly<{ item: CallerItem; digest: string; ip: Ip; isValid: () => boolean }>;
/** Null: root, or a command that needs no session. */
export type OfCaller = Readonly<{ caller: WebCaller | null }>;
export type Admitted = OfCaller & Readonly<{ by: string }>;
type Refused = Readonly<{ error: CommandError }>;

/** Within this time, a refused verb is recorded once for each caller. */
const RECORD_EVERY_MS = MINUTE_MS;
/** Maximum recorded refusals of one caller within a day, so that no caller fills the audit. */
const REFUSALS_A_DAY = 100;

const FORBIDDEN = failed("This command is not allowed from here.", "Use the command line on the server.");

export const NO_ADDRESS = usage("No address was given.", "");

export const UNAUTHORIZED = denied(
  "unauthorized",
  "A valid session or token is needed.",
  "Sign in again, or send another token.",
);
const PROOF_NEEDED = denied(
  "proof_needed",
  "This needs the password, entered within the last 10 minutes; a token cannot provide it.",
  "Enter the password, then repeat the request; or use the command line on the server.",
);

const MAILBOX_NEEDED = denied(
  "not_allowed",
  "This is only for users of a mailbox.",
  "Sign in with the address and the password of a mailbox.",
);
const MAILBOX_ALONE = denied(
  "not_allowed",
  "This session belongs to a mailbox and may only manage that mailbox.",
  "Sign in as the administrator, or use the command line on the server.",
);

/**
 * Checks that the origin may use the verb, and for the web who its caller is, what the caller may do, and that the web
 * stays within its limits. Records a verb that the web may not use, for which the caller lacks a right or a fresh proof, or that
 * is past an alarming limit (`isAlarming`).
 */
export class CommandGate {
  readonly bounds: WebBounds;
  readonly userBounds: UserBounds;
  readonly #parts: WebCommandParts;
  readonly #recorded = new Budgets<string>(1, RECORD_EVERY_MS);
  readonly #refusals = new Budgets<string>(REFUSALS_A_DAY, DAY_MS);

  constructor(parts: WebCommandParts) {
    this.#parts = parts;
    this.bounds = new WebBounds(() => parts.allowList.allowEntries(), parts.clock);
    this.userBounds = new UserBounds(parts.clock);
  }

  /**
   * A dry run passes the same checks and prolongs the session too. It is audited only if the web may not use the verb at all, and
   * counted only if it is expensive (`wouldRefuse`).
   */
  admit(line: ParsedLine, origin: Origin): Admitted | Refused {
    const { command } = line;
    const by = actorFrom(origin, line.by);
    const { from, needs } = rightsOf(command.verb);
    if (!from.includes(origin)) {
      this.#recordRefusal(command, by);
      return { error: FORBIDDEN };
    }
    return origin === "root" || needs === "nothing" ? { by, caller: null } : this.#admitCaller(line);
  }

  #admitCaller({ command, as, ip: ipText, isDry = false }: ParsedLine): Admitted | Refused {
    const mayProlong = command.verb !== "caller" || command.isUse;
    const digest = digestOf(as ?? "");
    const ip = parseIp(ipText ?? "");
    const find = (isUse: boolean) => callerOf(this.#parts, digest, { isUse, ip });
    const item = as === undefined ? null : find(mayProlong);
    if (item === null) return { error: UNAUTHORIZED };
    if (ip === null) return { error: NO_ADDRESS };
    const by = actorOf(item, ip);
    const lacks = missingRight(item, command);
    if (lacks !== null && !isDry) this.#recordRefusal(command, by, item.account ?? `web:${item.name}`);
    const error = lacks ?? this.#pastLimit(command, item, by, isDry);
    if (error !== null) return { error };
    if (isAdministrator(item.role) && !isDry) this.#noteAdministrator(ip, command, by);
    return { by, caller: { item, digest, ip, isValid: () => find(false) !== null } };
  }

  /** Mailbox users have separate limits, so that they use up none of the administrator's. */
  #pastLimit(command: ParsedCommand, { account }: CallerItem, by: string, isDry: boolean): CommandError | null {
    if (account !== null) return isDry ? null : this.userBounds.refuses(command, account);
    const overreach = isDry ? this.bounds.wouldRefuse(command) : this.bounds.refuses(command);
    if (overreach?.isAlarming === true && !isDry) this.#recordRefusal(command, by);
    return overreach?.error ?? null;
  }

  /** Addresses of administrators are not banned. Past the limit the command is still carried out. */
  #noteAdministrator(ip: Ip, command: ParsedCommand, by: string): void {
    if (this.bounds.mayNoteAdministrator(ip)) this.#parts.engine.administratorAt(ip);
    else this.#recordRefusal(command, by);
  }

  /** `caller`: who lacks the right; null if the web may not send the command, sends it too often, or comes from too many addresses. */
  #recordRefusal({ verb }: ParsedCommand, by: string, caller: string | null = null): void {
    const now = this.#parts.clock.now();
    // In this order, a refusal that the first budget suppresses does not use up the caller's daily share of the audit. One
    // beyond that share still uses up the minute.
    if (!this.#recorded.spend(`${verb} ${caller ?? ""}`, now)) return;
    if (caller !== null && !this.#refusals.spend(caller, now)) return;
    const type = caller === null ? "COMMAND_REFUSED" : "CALLER_REFUSED";
    void this.#parts.engine.audit({ type, subject: verb, by });
  }
}

/** Returns what the caller lacks for the verb, or null. */
function missingRight(
  { scopes, freshUntil, name, how, account }: CallerItem,
  command: ParsedCommand,
): CommandError | null {
  const { needs, proof = false, proofWithout, user: field } = rightsOf(command.verb);
  if (account !== null) {
    const isOwn = field === undefined ? ["mailbox", "caller"].includes(needs) : Reflect.get(command, field) === account;
    if (!isOwn) return MAILBOX_ALONE;
  } else if (needs === "mailbox") {
    return MAILBOX_NEEDED;
  } else if (needs !== "nothing" && needs !== "caller" && !scopes.includes(needs)) {
    const who = how === "token" ? `The token ${name}` : "This session";
    const next = `Use one with the scope ${needs}, or the command line on the server.`;
    return denied("not_allowed", `${who} lacks the scope ${needs}.`, next);
  }
  const named: unknown = proofWithout === undefined ? null : Reflect.get(command, proofWithout);
  const mustProve = proof || (Array.isArray(named) && named.length === 0);
  return mustProve && freshUntil === null ? PROOF_NEEDED : null;
}

function denied(why: Denial, message: string, next: string): CommandError {
  return { ok: false, kind: "failed", message, next, denied: why };
}
