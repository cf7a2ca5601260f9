import * as z from "zod/mini";
import { type Ip, type Prefix, parseIp, parsePrefix } from "../net/ip.ts";
import { parseJson } from "../text.ts";
import type { Millis } from "../time.ts";
import type { Rest } from "./event.ts";
import { isReason, type Protection, type Reason } from "./reasons.ts";

/**
 * Schemas that read back the record of an event without its columns, one for each kind. Separate from the kinds, because
 * the guard only writes it, and zod is large.
 */

const text = z.string();
const whole = z.int();
const at = z.custom<Millis>((value) => Number.isSafeInteger(value));
const ip = z.custom<Ip>((value) => typeof value === "string" && parseIp(value) === value);
const network = z.custom<Prefix>((value) => typeof value === "string" && parsePrefix(value) === value);
const reason = z.custom<Reason>((value) => typeof value === "string" && isReason(value));
const protection = z.enum([
  "loopback",
  "own_address",
  "gateway",
  "allow_listed",
  "admin_session",
  "all_clients",
  "known_network",
  "honest_network",
] as const satisfies readonly Protection[]);
const yes = z.optional(z.literal(true));
const pending = z.strictObject({
  at,
  account: text,
  proof: text,
  subject: network,
  network,
  isStrange: z.boolean(),
  looksWrong: z.boolean(),
  isFirst: z.boolean(),
});
const seen = z.optional(
  z.strictObject({
    protection: z.optional(protection),
    recipient: z.optional(z.enum(["unknown", "blocked"])),
    firstContact: yes,
    senderHere: yes,
    accountInactive: yes,
    isWanted: yes,
    stranger: yes,
    sentTo: z.optional(z.strictObject({ written: whole, strangers: whole })),
    bounceExpected: yes,
    accountNetworks: z.optional(z.array(network)),
    asked: z.optional(z.strictObject({ at, after: whole, nth: whole })),
    administrators: z.optional(z.array(z.strictObject({ ip, at }))),
    restarted: yes,
    pending: z.optional(z.array(pending)),
    simulated: z.optional(z.enum(["pass", "delay", "hold", "defer", "refuse"])),
  }),
);
const session = { session: text, transaction: text, clientName: z.optional(text), seen };

const connection = [
  z.strictObject({ event: z.literal("CONNECT"), session: text, clientName: z.optional(text), seen }),
] as const;
const mail = [
  z.strictObject({
    event: z.literal("RECIPIENT"),
    ...session,
    listed: z.optional(z.strictObject({ zone: text, meaning: text })),
    senderExists: z.optional(z.nullable(z.literal(false))),
    senderProven: z.optional(z.boolean()),
  }),
  z.strictObject({ event: z.literal("MAIL"), ...session, recipientCount: z.optional(whole) }),
  z.strictObject({
    event: z.literal("MESSAGE"),
    ...session,
    recipientCount: z.optional(whole),
    excess: z.optional(
      z.strictObject({ of: z.enum(["header_lines", "mime_parts", "bytes_in_filters"]), count: whole }),
    ),
  }),
] as const;
const login = [
  z.strictObject({
    event: z.enum(["LOGIN_ASKED", "LOGIN_SUCCEEDED", "LOGIN_FAILED"]),
    passwordHash: z.optional(text),
    passkey: z.optional(text),
    appPassword: z.optional(text),
    withoutBan: z.optional(z.boolean()),
    seen,
  }),
] as const;
const report = [
  z.strictObject({
    event: z.literal("JAIL_REPORTED"),
    jail: text,
    failures: whole,
    limit: whole,
    windowMs: whole,
    banMs: whole,
    lastAt: at,
    clientName: z.optional(text),
    lines: z.array(z.strictObject({ text, at, about: z.enum(["login", "refusal", "log"]) })),
    seen,
  }),
] as const;
const command = [
  z.strictObject({ event: z.literal("BAN_ASKED"), note: text, durationMs: z.nullable(whole) }),
  z.strictObject({
    event: z.literal("BAN"),
    level: z.enum(["light", "medium", "heavy", "permanent", "manual"]),
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
    targets: z.optional(z.array(text)),
    grants: z.optional(text),
  }),
] as const;
const log = [
  z.strictObject({ event: z.literal("SPAM_SCORED"), score: z.number(), required: z.number() }),
  z.strictObject({ event: z.literal("CONTENT_REFUSED"), reply: text }),
  z.strictObject({ event: z.literal("CLIENT_FAULT"), detail: text, times: whole }),
  z.strictObject({ event: z.literal("LOGIN_UNSEEN"), times: whole }),
  z.strictObject({ event: z.literal("MAIL_QUEUED") }),
  z.strictObject({
    event: z.literal("MAIL_TRIED"),
    outcome: z.enum(["sent", "deferred", "bounced", "withheld"]),
    alias: z.optional(text),
    relay: text,
    reply: text,
    server: z.optional(ip),
    credit: z.optional(
      z.strictObject({ prefix: network, network, mail: z.enum(["accepted", "proven", "wanted", "written"]) }),
    ),
  }),
] as const;
const rest: z.ZodMiniType<Rest> = z.discriminatedUnion("event", [
  ...connection,
  ...mail,
  ...login,
  ...report,
  ...command,
  ...log,
]);

/** Null: no kind of event records this. */
export function readRest(json: string): Rest | null {
  const read = rest.safeParse(parseJson(json));
  return read.success ? read.data : null;
}
