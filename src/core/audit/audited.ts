import type { Change } from "../decide/decision.ts";
import { LONGEST_STORED, stored } from "../events/columns.ts";
import type { EventRecord } from "../events/event.ts";
import { isAdministrators } from "../events/event-types.ts";
import { printable } from "../text.ts";
import { isoTime, type Millis } from "../time.ts";
import type { Content } from "./chain.ts";

/** Who decides without a command: such bans follow from events, and are not audited. */
const MACHINES: readonly (string | null)[] = ["engine", "fail2ban", null];

/**
 * Returns what the audit keeps of an event; null if nothing. It keeps changes by command, requests that rights or a protection forbade, the
 * guard's reports about itself, and the administrator's sign-ins. Commands that only read or that failed otherwise have no event. Called
 * for each event (`EventWriter`), so the first check decides for almost all.
 */
export function auditedOf(record: EventRecord): Content | null {
  switch (record.rest.event) {
    case "AUDIT":
      return contentOf(record, record.rest.subject);
    case "BAN":
    case "LIFT":
    case "ALLOW":
    case "DISALLOW":
    case "BAN_ASKED":
      return MACHINES.includes(record.actor) ? null : contentOf(record, record.prefix ?? "");
    case "LOGIN_SUCCEEDED":
      return isAdministrators(record.service, record.account)
        ? contentOf({ ...record, actor: `web:${record.account}` }, "dashboard")
        : null;
    default:
      return null;
  }
}

/** A limit was exceeded: from now on the mail of the account is held. */
export function auditedHold(change: Extract<Change, { type: "HOLD_ACCOUNT" }>, at: Millis): Content {
  const { account, ip, prefix, evidence } = change;
  const { count, limit, windowMs, key: limitKey } = evidence;
  return content(
    { at, actor: "engine", type: "ACCOUNT_HELD", subject: account },
    { account, ip, prefix, count, limit, windowMs, limitKey },
  );
}

/** `engine.db` was lost or damaged, and this one starts with what could be saved of it. */
export function auditedRecovery(how: "damaged" | "missing", at: Millis): Content {
  return content({ at, actor: "engine", type: "DATABASE_RECOVERED", subject: "engine.db" }, { how });
}

function contentOf(record: EventRecord, subject: string): Content {
  const { at, type, actor, rest, proof: _, counts: __, ...columns } = record;
  const { event: ___, ...more } = rest;
  // Hashes of passwords and the guard's knowledge of the client are only for decisions.
  const detail = { ...columns, ...more, subject: null, passwordHash: null, withoutBan: null, seen: null };
  return content({ at, actor: actor ?? "engine", type, subject }, detail);
}

type Head = Readonly<{ at: Millis; actor: string; type: string; subject: string }>;

/** Without control characters: a line of the hashed text is one field. */
function content({ at, actor, type, subject }: Head, detail: Readonly<Record<string, unknown>>): Content {
  return {
    at: isoTime(at),
    actor: printable(stored(actor), LONGEST_STORED),
    type,
    subject: printable(stored(subject), LONGEST_STORED),
    detail: canonical(detail),
  };
}

/** One line of JSON, with its keys in order and without those that do not apply. */
function canonical(detail: Readonly<Record<string, unknown>>): string {
  const known = Object.entries(detail).filter(([, value]) => value !== null && value !== undefined);
  return JSON.stringify(Object.fromEntries(known.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
