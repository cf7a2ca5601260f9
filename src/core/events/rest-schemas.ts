import * as z from "zod/mini";
import { BAN_LEVELS } from "../decide/decision.ts";
import { type Ip, type Prefix, parseIp, parsePrefix } from "../net/ip.ts";
import { parseJson } from "../text.ts";
import type { Millis } from "../time.ts";
import { isReason, PROTECTIONS, type Reason } from "./reasons.ts";

const text = z.string();
const whole = z.int();
const at = z.custom<Millis>((value) => Number.isSafeInteger(value));
const ip = z.custom<Ip>((value) => typeof value === "string" && parseIp(value) === value);
const network = z.custom<Prefix>((value) => typeof value === "string" && parsePrefix(value) === value);
const reason = z.custom<Reason>((value) => typeof value === "string" && isReason(value));
const yes = z.optional(z.literal(true));
const list = <S extends z.ZodMiniType>(item: S): z.ZodMiniType<readonly z.output<S>[]> => z.array(item);
const pending = z.strictObject({
  at,
  account: text,
  passwordHash: text,
  subject: network,
  network,
  isStrange: z.boolean(),
  looksWrong: z.boolean(),
  isFirst: z.boolean(),
});
/**
 * What a decision depended on that no event contains: the state of accounts, aliases and allow lists at that moment, as
 * far as it was unusual. It is recorded so that a replay need not guess.
 */
const seen = z.optional(
  z.strictObject({
    protection: z.optional(z.enum(PROTECTIONS)),
    recipient: z.optional(z.enum(["unknown", "blocked"])),
    firstContact: yes,
    senderHere: yes,
    accountInactive: yes,
    isWanted: yes,
    /** An account named a recipient in a different domain for the first time. */
    stranger: yes,
    /** For an account's mail: how many recipients it had written to before, and how many were strangers. */
    sentTo: z.optional(z.strictObject({ written: whole, strangers: whole })),
    /** The recipient had written to the server or domain that this mail comes from, whether or not it is a bounce. */
    bounceExpected: yes,
    accountNetworks: z.optional(list(network)),
    /**
     * When the guard was asked about a sign-in that succeeded or failed, before its password was verified: the question leaves no event.
     * `after`: the last event before it; 0: the guard had recorded none since its start. `nth` numbers these questions since the start of
     * the guard, because several may follow the same event.
     */
    asked: z.optional(z.strictObject({ at, after: whole, nth: whole })),
    /** When an administrator's session or token was used in the network of the client. */
    administrators: z.optional(list(z.strictObject({ ip, at }))),
    /** The first event since the guard started, when everything held in memory only was empty. */
    restarted: yes,
    /** Passwords that were being verified when a sign-in was refused without a check. */
    pending: z.optional(list(pending)),
    /** What the verdict would have been without `simulate`. */
    simulated: z.optional(z.enum(["pass", "delay", "hold", "defer", "refuse"])),
  }),
);
const session = { session: text, transaction: text, clientName: z.optional(text), seen };

/**
 * The record of an event without its columns. `event` names what was decided or observed, since several of them share a public name.
 * Separate from the kinds, which import only types from here, because the guard only writes records, and zod is large.
 */
const rest = z.discriminatedUnion("event", [
  z.strictObject({ event: z.literal("CONNECT"), session: text, clientName: z.optional(text), seen }),
  z.strictObject({
    event: z.literal("RECIPIENT"),
    ...session,
    listed: z.optional(z.strictObject({ zone: text, meaning: text })),
    /** Absent: it exists. */
    senderExists: z.optional(z.nullable(z.literal(false))),
    senderProven: z.optional(z.boolean()),
  }),
  /** `recipientCount` absent: one. */
  z.strictObject({ event: z.literal("MAIL"), ...session, recipientCount: z.optional(whole) }),
  z.strictObject({
    event: z.literal("MESSAGE"),
    ...session,
    recipientCount: z.optional(whole),
    excess: z.optional(
      z.union([
        z.strictObject({
          of: z.enum(["header_lines", "mime_parts", "bytes_in_filters"]),
          count: whole,
          isEstimate: z.optional(z.literal(true)),
        }),
        z.strictObject({ of: z.enum(["waits_for_turn", "known_waits_too"]) }),
      ]),
    ),
  }),
  z.strictObject({
    event: z.enum(["LOGIN_ASKED", "LOGIN_SUCCEEDED", "LOGIN_FAILED"]),
    /** Of a successful sign-in, which makes the address known. Failed sign-ins have a column. */
    passwordHash: z.optional(text),
    passkey: z.optional(text),
    appPassword: z.optional(text),
    withoutBan: z.optional(z.union([z.literal(false), z.enum(["bans_used_up", "unwritable"])])),
    seen,
  }),
  z.strictObject({
    event: z.literal("JAIL_REPORTED"),
    jail: text,
    failures: whole,
    limit: whole,
    windowMs: whole,
    banMs: whole,
    lastAt: at,
    clientName: z.optional(text),
    /** Lines that are not shown have an empty text. */
    lines: list(z.strictObject({ text, at, about: z.enum(["login", "refusal", "log"]) })),
    seen,
  }),
  z.strictObject({ event: z.literal("BAN_ASKED"), note: text, durationMs: z.nullable(whole) }),
  z.strictObject({
    event: z.literal("BAN"),
    level: z.enum(BAN_LEVELS),
    says: text,
    expiresAt: z.nullable(at),
    simulated: yes,
  }),
  z.strictObject({ event: z.literal("LIFT"), forgiven: z.boolean() }),
  z.strictObject({ event: z.literal("ALLOW"), note: text, expiresAt: z.nullable(at) }),
  z.strictObject({ event: z.literal("DISALLOW") }),
  z.strictObject({ event: z.literal("SPARE"), code: reason }),
  z.strictObject({
    event: z.literal("AUDIT"),
    subject: text,
    targets: z.optional(list(text)),
    queueIds: z.optional(list(text)),
    grants: z.optional(text),
    until: z.optional(at),
  }),
  z.strictObject({ event: z.literal("SPAM_SCORED"), score: z.number(), required: z.number() }),
  z.strictObject({ event: z.literal("CONTENT_REFUSED"), reply: text }),
  z.strictObject({ event: z.literal("CLIENT_FAULT"), detail: text, times: whole }),
  z.strictObject({ event: z.literal("LOGIN_UNSEEN"), times: whole }),
  z.strictObject({ event: z.enum(["MAIL_QUEUED", "MAIL_LOOPED", "MAIL_TOO_LARGE"]) }),
  z.strictObject({
    event: z.literal("MAIL_TRIED"),
    outcome: z.enum(["sent", "deferred", "bounced", "withheld", "expired", "returned"]),
    alias: z.optional(text),
    relay: text,
    reply: text,
    server: z.optional(ip),
    /** If absent, no server gets credit for the delivery. */
    credit: z.optional(
      z.strictObject({ prefix: network, network, mail: z.enum(["accepted", "proven", "wanted", "written"]) }),
    ),
  }),
]);
type Each<T> = T extends unknown ? Readonly<T> : never;
export type Rest = Each<z.output<typeof rest>>;
export type RestOf<E extends Rest["event"]> = Extract<Rest, Readonly<{ event: E }>>;

/** Null if no kind of event records this. */
export function readRest(json: string): Rest | null {
  const read = rest.safeParse(parseJson(json));
  return read.success ? read.data : null;
}
