import * as z from "zod/mini";
import type { AuditType } from "../../core/events/event-types.ts";
import type { Pending } from "../../settings/show.ts";
import { ACCESS_VERBS, code, FACTOR_VERBS, passkeyUsed } from "../access.ts";
import { ACCOUNT_VERBS, hash, password } from "../accounts.ts";
import { ALIAS_VERBS } from "../aliases.ts";
import { BAN_VERBS } from "../bans.ts";
import { FILTER_VERBS } from "../filters.ts";
import { HELD_VERBS } from "../held.ts";
import { MAILBOX_VERBS } from "../mailboxes.ts";
import { MY_VERBS } from "../me.ts";
import { QUEUE_VERBS } from "../queue.ts";
import { SERVER_VERBS } from "../server.ts";
import { SETTINGS_VERBS } from "../settings.ts";
import { anObject, flag, type OutputOf, object, printableText, text } from "./fields.ts";
import type { CallerItem, Done, Health, Proved, Reloaded, SignedIn } from "./items.ts";
import {
  ANYONE,
  changes,
  type Effect,
  OF_CALLER,
  ROOT,
  reads,
  rootChanges,
  SESSION_OF_ADMIN,
  verb,
  WEB,
} from "./verb.ts";

/**
 * Commands from the command line and the web to the guard: one JSON object per line over a unix socket, answered in
 * order. Each has its own socket. The command line says on whose behalf it asks (`by`); for the web, the guard finds that out by
 * the session or token in each line.
 */

/** What root may record. The subject is, for example, the step of an incident, an account, or the open ports. */
const RECORDED = [
  "INCIDENT",
  "ACCESS_REVIEWED",
  "RECOVERY_KEY_MADE",
  "PLACES_FORGOTTEN",
  "LEGAL_HOLD_SET",
  "LEGAL_HOLD_LIFTED",
  "FIREWALL_TRIED",
  "FIREWALL_CONFIRMED",
  "FIREWALL_ROLLED_BACK",
] as const satisfies readonly AuditType[];
const recorded = z.enum(RECORDED, "is not a type that root records");

/** Longer than any address as text. The guard parses it (`parseIp`). */
const ip = text(64);
/** RFC 5321, 4.5.3.1. */
const address = text(320);
const optionalCode = z.optional(code);
/** The browser in a few words, as it describes itself. */
const device = printableText(64);
/** The secret that the browser got at an earlier sign-in; null if none. */
const known = z.nullable(text(64));
const NO_DRY_RUN = "A sign-in, a sign-out and a proof have no dry run.";
const signedIn = reads<SignedIn>("outcome", { bound: "itself", dryRun: NO_DRY_RUN });
const proved = reads<Proved>("outcome", { bound: "itself", dryRun: NO_DRY_RUN });

/**
 * Every verb: its rights, the types and bounds of its fields, its result, and its effect. Fields of the kinds in `kinds.ts` are
 * parsed here; the code that carries out a verb checks the others, such as an `ip`.
 */
const VERBS = [
  verb("ping", ROOT, {}, reads<{ readonly pid: number }>("pid")),
  verb("health", ANYONE, {}, reads<Health>("components")),
  ...BAN_VERBS,
  /** Lifts every ban, for an owner who is locked out. */
  verb("break_glass", ROOT, {}, rootChanges<{ readonly lifted: number }>("lifted")),
  ...ACCOUNT_VERBS,
  ...HELD_VERBS,
  ...QUEUE_VERBS,
  ...MAILBOX_VERBS,
  /** Records what root did without the guard, and applies its side effect (`sideEffectsOf`). */
  verb("record", ROOT, { type: recorded, subject: printableText(600) }, rootChanges<Done>("done")),
  ...ALIAS_VERBS,
  ...FILTER_VERBS,
  ...SERVER_VERBS,
  ...ACCESS_VERBS,
  verb("admin_set_hash", ROOT, { hash }, rootChanges<Done>("done")),
  /** Reloads the settings and replaces the policy. The caller has validated them. */
  verb("reload", ROOT, {}, reads<Reloaded>("changed")),
  /** Which settings a reload would change, and their values in force. */
  verb("pending", ROOT, {}, reads<Pending>("changed")),
  ...SETTINGS_VERBS,
  /** Signs in to the dashboard. The secret is returned once. */
  verb("sign_in", WEB, { ip, password, code: optionalCode, device, known }, signedIn),
  verb("sign_in_mailbox", WEB, { ip, account: address, password, device }, signedIn),
  verb("sign_out", OF_CALLER, {}, changes<Done>("done", "itself", NO_DRY_RUN)),
  /** Gives the session the proof that some verbs need. */
  verb("prove", OF_CALLER, { password, code: optionalCode }, proved),
  ...FACTOR_VERBS,
  /** Whose session or token this is. `isUse`: someone uses it now, which prolongs a session. */
  verb("caller", OF_CALLER, { isUse: flag }, reads<{ readonly caller: CallerItem }>("caller")),
  /** A challenge for the next two verbs; null if the address asks too often. */
  verb("passkey_challenge", WEB, { ip }, reads<{ readonly challenge: string | null }>("challenge")),
  verb("sign_in_passkey", WEB, { ip, ...passkeyUsed, device, known }, signedIn),
  verb("prove_passkey", SESSION_OF_ADMIN, passkeyUsed, proved),
  ...MY_VERBS,
  /** Keeps the connection open: a line `{"lastEventId": n}` after commits, coalesced, until the client closes it. */
  verb("watch", ANYONE, {}, reads<{ readonly lastEventId: number }>("lastEventId")),
] as const;

/**
 * One line of the socket; the schema of its verb parses `command`. Only the web's lines have `as`, the secret of the session or
 * token, and `ip`, the address that uses it. Someone who reads the database cannot make such a line: it has only the SHA-256.
 */
export const commandLine = z.strictObject({
  by: printableText(120),
  as: z.optional(text(160)),
  ip: z.optional(ip),
  isDry: z.optional(flag),
  command: anObject,
});

export type VerbEntry = (typeof VERBS)[number];
export const verbs: ReadonlyMap<string, VerbEntry> = new Map(VERBS.map((entry) => [entry.verb, entry]));

export type Verb = VerbEntry["verb"];
/** A command as a caller sends it. */
export type Command = Readonly<z.input<ReturnType<VerbEntry["schema"]>>>;
/** A command as the guard has parsed it, with parsed addresses and with defaults. */
export type ParsedCommand = Readonly<z.output<ReturnType<VerbEntry["schema"]>>>;
export type CommandOf<V extends Verb> = Extract<Command, { readonly verb: V }>;
export type ParsedCommandOf<V extends Verb> = Extract<ParsedCommand, { readonly verb: V }>;
export type Results = { readonly [E in VerbEntry as E["verb"]]: NonNullable<E["gives"]["type"]> };
export type WebVerb = {
  [E in VerbEntry as E["verb"]]: "web" extends E["rights"]["from"][number] ? E["verb"] : never;
}[Verb];

export function effectOf(verb: Verb): Effect {
  return verbs.get(verb)?.gives.effect ?? { lasts: true };
}

/** Commands whose outcome the guard can tell without carrying them out. */
export type DryVerb = {
  [E in VerbEntry as E["verb"]]: E["gives"]["effect"] extends { readonly dryRun: true } ? E["verb"] : never;
}[Verb];

export function hasDryRun<C extends Pick<ParsedCommand, "verb">>(command: C): command is Extract<C, { verb: DryVerb }> {
  return effectOf(command.verb).dryRun === true;
}

/** Why a caller of the web is refused: no valid session or token, the verb's scope is missing, or a fresh proof is. */
const DENIALS = ["unauthorized", "not_allowed", "proof_needed"] as const;
export type Denial = (typeof DENIALS)[number];
export const commandError = object(() => ({
  ok: z.literal(false),
  /** `usage`: the command was wrong (exit 2). `failed`: it was right, but could not be carried out (exit 1). */
  kind: z.enum(["usage", "failed"]),
  message: z.string(),
  next: z.string(),
  denied: z.exactOptional(z.enum(DENIALS)),
  /** The named account does not exist. Only for reads: a change to a missing account is just `failed`. */
  isMissing: z.exactOptional(z.literal(true)),
  /** The command may have been carried out despite the error. */
  mayBeDone: z.exactOptional(z.literal(true)),
}));
export type CommandError = OutputOf<typeof commandError>;
export type Reply<V extends Verb = Verb> = Readonly<{ ok: true; result: Results[V] }> | CommandError;
export type ControlLine = Readonly<Omit<z.input<typeof commandLine>, "command"> & { command: Command }>;
export type ParsedLine = Omit<ControlLine, "command"> & Readonly<{ command: ParsedCommand }>;
