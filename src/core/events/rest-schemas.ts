import { z } from "zod";
import { type Ip, type Prefix, parseIp, parsePrefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import { isReason, type Protection, type Reason } from "./reasons.ts";
import type { Rest } from "./record.ts";

/**
 * Schemas that read back what an event records besides its columns, one for each kind. Separate from the kinds, because
 * the guard only writes it, and zod is large.
 */

const text = z.string();
const whole = z.number().int();
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
const yes = z.literal(true).optional();
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
const seen = z
  .strictObject({
    protection: protection.optional(),
    recipient: z.enum(["unknown", "blocked"]).optional(),
    firstContact: yes,
    senderHere: yes,
    accountInactive: yes,
    isWanted: yes,
    stranger: yes,
    sentTo: z.strictObject({ written: whole, strangers: whole }).optional(),
    bounceExpected: yes,
    accountNetworks: z.array(network).optional(),
    asked: z.strictObject({ at, after: whole, nth: whole }).optional(),
    administrators: z.array(z.strictObject({ ip, at })).optional(),
    restarted: yes,
    pending: z.array(pending).optional(),
    simulated: z.enum(["pass", "delay", "hold", "defer", "refuse"]).optional(),
  })
  .optional();
const session = { session: text, transaction: text, clientName: text.optional(), seen };

const connection = [
  z.strictObject({ event: z.literal("CONNECT"), session: text, clientName: text.optional(), seen }),
] as const;
const mail = [
  z.strictObject({
    event: z.literal("RECIPIENT"),
    ...session,
    listed: z.strictObject({ zone: text, meaning: text }).optional(),
    senderExists: z.literal(false).nullable().optional(),
    senderProven: z.boolean().optional(),
  }),
  z.strictObject({ event: z.literal("MAIL"), ...session, recipientCount: whole.optional() }),
  z.strictObject({ event: z.literal("MESSAGE"), ...session, recipientCount: whole.optional() }),
] as const;
const login = [
  z.strictObject({
    event: z.enum(["LOGIN_ASKED", "LOGIN_SUCCEEDED", "LOGIN_FAILED"]),
    passwordHash: text.optional(),
    passkey: text.optional(),
    appPassword: text.optional(),
    withoutBan: z.boolean().optional(),
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
    clientName: text.optional(),
    lines: z.array(z.strictObject({ text, at, about: z.enum(["login", "refusal", "log"]) })),
    seen,
  }),
] as const;
const command = [
  z.strictObject({ event: z.literal("BAN_ASKED"), note: text, durationMs: whole.nullable() }),
  z.strictObject({
    event: z.literal("BAN"),
    level: z.enum(["light", "medium", "heavy", "permanent", "manual"]),
    says: text,
    expiresAt: at.nullable(),
    simulated: yes,
  }),
  z.strictObject({ event: z.literal("LIFT"), forgiven: z.boolean() }),
  z.strictObject({ event: z.literal("ALLOW"), note: text, expiresAt: at.nullable() }),
  z.strictObject({ event: z.literal("DISALLOW") }),
  z.strictObject({ event: z.literal("SPARE"), code: reason }),
  z.strictObject({
    event: z.literal("AUDIT"),
    subject: text,
    targets: z.array(text).optional(),
    grants: text.optional(),
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
    alias: text.optional(),
    relay: text,
    reply: text,
    server: ip.optional(),
    credit: z
      .strictObject({ prefix: network, network, mail: z.enum(["accepted", "proven", "wanted", "written"]) })
      .optional(),
  }),
] as const;
const rest: z.ZodType<Rest> = z.discriminatedUnion("event", [
  ...connection,
  ...mail,
  ...login,
  ...report,
  ...command,
  ...log,
]);

/** Null: no kind of event records this. */
export function readRest(json: string): Rest | null {
  try {
    const read = rest.safeParse(JSON.parse(json));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
