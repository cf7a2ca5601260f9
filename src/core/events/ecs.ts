import { RECORDED_VERDICTS, type RecordedVerdict, type ShownEvent } from "./columns.ts";
import { EVENT_TYPES, type EventMeaning, meaningOf, type Outcome } from "./event-types.ts";
import { bareMessageId } from "./queue-id.ts";

const UNKNOWN: Pick<EventMeaning, "category" | "type" | "outcome"> = { category: [], type: [], outcome: null };

type EcsKey = Exclude<keyof ShownEvent, "type" | "details" | "action">;

/**
 * The field for each of them. Data without a field in the schema goes below `ghostinbox.`, as the schema asks of
 * products. For a command, the actor is the user, and the account is the one that changed.
 */
export const ECS_FIELDS: Readonly<Record<EcsKey, string>> = {
  id: "event.id",
  at: "@timestamp",
  service: "service.name",
  ip: "source.ip",
  account: "user.name",
  sender: "email.from.address",
  recipient: "email.to.address",
  queueId: "email.local_id",
  messageId: "email.message_id",
  helo: "ghostinbox.helo",
  sizeBytes: "ghostinbox.size",
  verdict: "ghostinbox.verdict",
  reason: "rule.name",
  offence: "ghostinbox.offence",
  count: "ghostinbox.limit.count",
  limit: "ghostinbox.limit.most",
  windowMs: "ghostinbox.limit.window_ms",
  limitKey: "ghostinbox.limit.setting",
  simulated: "labels.simulated",
  actor: "user.name",
};

export const ECS_KEYS: readonly EcsKey[] = Object.keys(ECS_FIELDS).filter((key): key is EcsKey => key in ECS_FIELDS);

/** The version of the schema. */
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
    return value === null ? [] : [[ECS_FIELDS[key], value] as const];
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
    "event.outcome": outcome ?? outcomeOf(verdict),
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

/** For event types whose outcome follows from the verdict. */
export const ECS_OUTCOMES: Readonly<Record<RecordedVerdict, Outcome>> = {
  pass: "success",
  delay: "unknown",
  hold: "unknown",
  defer: "failure",
  refuse: "failure",
  mark: "success",
  lose: "failure",
  withhold: "failure",
};

function outcomeOf(verdict: string | null): Outcome {
  const known = RECORDED_VERDICTS.find((one) => one === verdict);
  return known === undefined ? "unknown" : ECS_OUTCOMES[known];
}
