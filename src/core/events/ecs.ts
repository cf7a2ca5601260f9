import { escapeUnits } from "../text.ts";
import { isVerdict, type ShownEvent, VERDICTS } from "./columns.ts";
import { EVENT_TYPES, type EventMeaning, meaningOf } from "./event-types.ts";
import { bareMessageId } from "./queued-mail.ts";

const UNKNOWN: Pick<EventMeaning, "category" | "type" | "outcome"> = { category: [], type: [], outcome: null };

type EcsKey = Exclude<keyof ShownEvent, "type" | "details" | "action">;

/**
 * The ECS field for each key, and what it contains. Data without a field in the schema goes below `ghostinbox.`, as the schema asks
 * products to do. For a command, the actor is the user, and the account is the one that changed.
 */
export const ECS_FIELDS: Readonly<Record<EcsKey, Readonly<{ ecs: string; says: string }>>> = {
  id: { ecs: "event.id", says: "its number; a restore may reuse numbers" },
  at: { ecs: "@timestamp", says: "when, in UTC" },
  service: {
    ecs: "service.name",
    says: "the service that was used: `smtp` (port 25), `submission` (587), `submissions` (465), `imap`, `sieve`, `dashboard`",
  },
  ip: { ecs: "source.ip", says: "the client's address; for a command, the first address of its network" },
  account: { ecs: "user.name", says: "who signed in or tried to; for a command, the account that was changed" },
  sender: { ecs: "email.from.address", says: "envelope sender; empty for a report of failed delivery" },
  recipient: {
    ecs: "email.to.address",
    says: "envelope recipient; for a command, the alias or address that it is about",
  },
  queueId: { ecs: "email.local_id", says: "Postfix's name for the mail" },
  messageId: { ecs: "email.message_id", says: "the mail's own name, from its header" },
  helo: { ecs: "ghostinbox.helo", says: "the name by which the client introduced itself" },
  sizeBytes: { ecs: "ghostinbox.size", says: "size of the mail in bytes" },
  verdict: { ecs: "ghostinbox.verdict", says: "what was decided" },
  reason: { ecs: "rule.name", says: "why: a code of `src/core/events/reasons.ts`" },
  offence: { ecs: "ghostinbox.offence", says: "for a ban: which offence of this address it is, counting from 1" },
  count: { ecs: "ghostinbox.limit.count", says: "how many there were, this one included" },
  limit: { ecs: "ghostinbox.limit.most", says: "how many are allowed" },
  windowMs: { ecs: "ghostinbox.limit.window_ms", says: "within how many milliseconds" },
  limitKey: { ecs: "ghostinbox.limit.setting", says: "the setting that defines the limit" },
  simulated: {
    ecs: "labels.simulated",
    says: "while `simulate` was set: the verdict, or `ban`, that would have come; nothing was refused or banned",
  },
  actor: { ecs: "user.name", says: "who gave the command" },
};

export const ECS_KEYS: readonly EcsKey[] = Object.keys(ECS_FIELDS).filter((key): key is EcsKey => key in ECS_FIELDS);

const ECS_VERSION = "8.11.0";

/** The fields of one event, by their dotted names. An event type that this version does not know has no category. */
export function ecsOf(source: ShownEvent): EcsFields {
  const known = EVENT_TYPES.find((type) => type === source.type);
  const classified = known === undefined ? UNKNOWN : meaningOf(known);
  const { category, type: types, outcome } = source.simulated === null ? classified : withoutDenial(classified);
  const { id, type, actor, account: named, messageId, verdict, details, action } = source;
  const values = {
    ...source,
    id: String(id),
    messageId: messageId === null ? null : bareMessageId(messageId),
    account: actor === null ? named : null,
  };
  const fields = ECS_KEYS.flatMap((key) => {
    const value = values[key];
    return value === null ? [] : [[ECS_FIELDS[key].ecs, value] as const];
  });
  return {
    ...Object.fromEntries(fields),
    "ecs.version": ECS_VERSION,
    message: [action, details].filter((text) => text !== "").join(": "),
    "event.module": "ghostinbox",
    "event.kind": "event",
    "event.code": type,
    "event.action": ecsAction(type),
    "event.category": category,
    "event.type": types,
    "event.outcome": outcome ?? (isVerdict(verdict) ? VERDICTS[verdict].outcome : "unknown"),
    ...(actor !== null && named !== null && { "user.target.name": named }),
  };
}

/** A simulated ban or refusal denied nothing. */
function withoutDenial(classified: typeof UNKNOWN): typeof UNKNOWN {
  if (!classified.type.includes("denied")) return classified;
  const { category, type } = classified;
  return { category, type: ["info", ...type.filter((one) => one !== "denied" && one !== "info")], outcome: "unknown" };
}

export type EcsFields = Readonly<Record<string, string | number | readonly string[]>>;

/** `EMAIL_BLOCKED` is `email-blocked`. */
export function ecsAction(type: string): string {
  return type.toLowerCase().replaceAll("_", "-");
}

/** One event as one line of JSON. Nested objects, because not every program splits names at their dots. */
export function ecsLine(event: ShownEvent): string {
  const root: Nested = {};
  for (const [name, value] of Object.entries(ecsOf(event))) put(root, name.split("."), value);
  return JSON.stringify(root).replace(UNSAFE, escapeUnits);
}

/** Characters that JSON allows but a terminal obeys, or a line reader takes for a line end. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

interface Nested {
  [name: string]: Nested | Leaf;
}
type Leaf = string | number | readonly string[];

function put(into: Nested, [first = "", ...rest]: readonly string[], value: Leaf): void {
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  const within = into[first];
  const inner = isNested(within) ? within : {};
  into[first] = inner;
  put(inner, rest, value);
}

function isNested(value: Nested | Leaf | undefined): value is Nested {
  return typeof value === "object" && !Array.isArray(value);
}
