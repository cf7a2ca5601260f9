import type { Change } from "../decide/decision.ts";
import { networkAddress, type Prefix } from "../net/ip.ts";
import { formatDuration, isoTime, type Millis } from "../time.ts";
import { type DecidedKind, type EventColumns, row, type Sentence, shown, stored } from "./columns.ts";
import { type AuditType, meaningOf } from "./event-types.ts";
import { reasons } from "./reasons.ts";
import type { Rest, RestOf } from "./rest-schemas.ts";

/**
 * Who acted: the command line's user, such as `root`; `web:… via …` for the administrator or a token, and `mailbox:… via …` for the user
 * of a mailbox (`actorOf` in rights.ts); or, without a command, `engine` and `fail2ban`.
 */
export type Actor = string;

/** A request about a network, with a duration. */
type ForTime = {
  prefix: Prefix;
  note: string;
  /** Null: until it is removed. */
  durationMs: number | null;
  by: Actor;
};
/** `keepsEnd`: no time was given, so a ban in force that ends later keeps its end. */
export type BanAsked = Readonly<{ type: "BAN_ASKED"; keepsEnd?: boolean } & ForTime>;
/** About a network: an administrator's command, or the end of an entry on the allow list or of a ban. */
export type NetworkEvent =
  | BanAsked
  | Readonly<{ type: "ALLOW_ASKED" } & ForTime>
  | Readonly<{ type: "UNBAN_ASKED" | "DISALLOW_ASKED"; prefix: Prefix; by: Actor }>
  | Readonly<{ type: "ALLOW_EXPIRED" | "BAN_EXPIRED"; prefix: Prefix }>;

/** A command on accounts, tokens or settings: recorded for the audit, without a decision. */
export type Audit = Readonly<{
  type: AuditType;
  /** What the sentence is about: the account, alias or token, sometimes with its new setting; for a refused command, its verb. */
  subject: string;
  by: Actor;
  /** The account, if the subject is more than the name of an account or an alias. */
  account?: string;
  sender?: string;
  recipient?: string;
  /** The mail in the queue, if there is only one; otherwise `queueIds` lists those that are changed first. */
  queueId?: string;
  queueIds?: readonly string[];
  /** For an alias: its new targets. */
  targets?: readonly string[];
  /** For a token: its scopes, and how long it is valid. */
  grants?: string;
  /** For a release: mail held after this stays on hold. */
  until?: Millis;
}>;

const CHANGES = ["BAN", "LIFT", "ALLOW", "DISALLOW", "SPARE"] as const;
type ChangeRest = RestOf<(typeof CHANGES)[number]>;
type AuditRest = RestOf<"AUDIT">;

/** The event of a refused ban. A ban that was made is recorded by its change (`changeRecord`). */
export const refusedBan: DecidedKind<BanAsked, RestOf<"BAN_ASKED">> = {
  name: () => "BAN_REFUSED",
  window: () => null,
  columns: ({ by }) => ({ actor: by }),
  rest: ({ type, note, durationMs }) => ({ event: type, note: stored(note), durationMs }),
  sentence: ({ prefix, actor }) => ({ details: `${prefix} by ${actor}`, action: "refused" }),
  event: ({ prefix, actor }, { event: type, note, durationMs }) =>
    prefix === null || actor === null ? null : { type, prefix, note, durationMs, by: actor },
};

export function isChange(rest: Rest): rest is ChangeRest {
  return CHANGES.some((event) => event === rest.event);
}

/** The record of a change that gets its own event; null if the event already says everything. */
export function changeRecord(change: Change, at: Millis): (EventColumns & Readonly<{ rest: ChangeRest }>) | null {
  switch (change.type) {
    case "BAN": {
      const { prefix, ip, offences, level, expiresAt, simulated } = change.ban;
      const { source: actor, code: reason, reason: says } = change.ban;
      const offence = offences > 0 ? offences : null;
      const rest = { event: "BAN", level, says: stored(says), expiresAt, simulated } as const;
      return row({ at, type: "BAN", ip, prefix, reason, offence, actor }, rest);
    }
    case "LIFT": {
      const { cause: type, by: actor, forgiven } = change;
      return row({ at, type, ...addressOf(change), actor }, { event: "LIFT", forgiven });
    }
    case "ALLOW": {
      const { by: actor, note, expiresAt } = change;
      const rest = { event: "ALLOW", note: stored(note), expiresAt } as const;
      return row({ at, type: "ALLOW_ADDED", ...addressOf(change), actor }, rest);
    }
    case "DISALLOW":
      return row({ at, type: change.cause, ...addressOf(change), actor: change.by }, { event: "DISALLOW" });
    case "SPARE": {
      const { prefix, ip, why: reason, code } = change;
      return row({ at, type: "SPARED", ip, prefix, reason }, { event: "SPARE", code });
    }
    default:
      return null;
  }
}

export function changeSentence({ at, prefix, offence, actor }: EventColumns, rest: ChangeRest): Sentence {
  switch (rest.event) {
    case "BAN": {
      const { expiresAt, level, says } = rest;
      const length =
        expiresAt === null ? "permanently" : `for ${formatDuration(expiresAt - at)} until ${isoTime(expiresAt)}`;
      const which = offence === null ? level : `${level}, offence ${offence}`;
      const simulated = rest.simulated === true ? " (simulated: would be banned)" : "";
      return {
        details: `${prefix} by ${actor}: ${shown(says)}${simulated}`,
        action: `${rest.simulated === true ? "would be banned" : "banned"} ${length} (${which})`,
      };
    }
    case "LIFT":
      return { details: `${prefix} by ${actor}`, action: "lifted" };
    case "ALLOW": {
      const end = rest.expiresAt === null ? "" : ` until ${isoTime(rest.expiresAt)}`;
      return { details: `${prefix} by ${actor}: ${shown(rest.note)}`, action: `allow-listed${end}` };
    }
    case "DISALLOW":
      return { details: `${prefix} by ${actor}`, action: "removed" };
    case "SPARE":
      return { details: `${prefix}: ${reasons[rest.code].says}`, action: "not banned" };
  }
}

/** The command behind a change; null if the engine decided on it, because a replay decides it again. */
export function commandOf({ at, type, prefix, actor }: EventColumns, rest: ChangeRest): NetworkEvent | null {
  if (prefix === null || actor === null) return null;
  switch (rest.event) {
    case "BAN": {
      const { level, says, expiresAt } = rest;
      const durationMs = expiresAt === null ? null : expiresAt - at;
      return level === "manual" ? { type: "BAN_ASKED", prefix, note: says, durationMs, by: actor } : null;
    }
    case "LIFT":
      return type === "UNBAN" ? { type: "UNBAN_ASKED", prefix, by: actor } : null;
    case "ALLOW": {
      const durationMs = rest.expiresAt === null ? null : rest.expiresAt - at;
      return { type: "ALLOW_ASKED", prefix, note: rest.note, durationMs, by: actor };
    }
    case "DISALLOW":
      return type === "ALLOW_EXPIRED"
        ? { type: "ALLOW_EXPIRED", prefix }
        : { type: "DISALLOW_ASKED", prefix, by: actor };
    case "SPARE":
      return null;
  }
}

export function auditRecord(audit: Audit, at: Millis): EventColumns & Readonly<{ rest: AuditRest }> {
  const { type, subject, by: actor, targets, queueIds, grants, until } = audit;
  const { account = null, sender = null, recipient = null, queueId = null } = audit;
  const verdict = meaningOf(type).isRefusal ? "refuse" : "pass";
  return row(
    { at, type, verdict, account, sender, recipient, queueId, ...namedBy(type, subject), actor },
    {
      event: "AUDIT",
      subject: stored(subject),
      targets,
      ...(queueIds && { queueIds }),
      ...(grants !== undefined && { grants }),
      ...(until !== undefined && { until }),
    },
  );
}

export function auditSentence({ verdict, actor }: EventColumns, { subject, grants }: AuditRest): Sentence {
  const named = grants === undefined ? shown(subject) : `${shown(subject)} (${grants})`;
  return { details: `${named} by ${actor}`, action: verdict === "refuse" ? "refused" : "done" };
}

/** The columns that follow from the subject. */
function namedBy(type: AuditType, subject: string): Partial<Pick<EventColumns, "account" | "recipient">> {
  const { of } = meaningOf(type);
  if (of === "account") return { account: subject };
  return of === "alias" || type === "GREYLIST_RESUMED" ? { recipient: subject } : {};
}

function addressOf({ prefix }: Readonly<{ prefix: Prefix }>): Pick<EventColumns, "ip" | "prefix"> {
  return { ip: networkAddress(prefix), prefix };
}
