import { printable } from "../../core/text.ts";
import {
  type Command,
  type CommandError,
  type CommandLine,
  ENTRIES_PER_COMMAND,
  type NamedSecret,
  type Reply,
  type Results,
  type Verb,
} from "./control.ts";
import { FieldReader } from "./field-reader.ts";

/** Bounds of what a command may carry, in UTF-16 units. */
const BY = 120;
/** The longest network in text, with room for what parsePrefix will refuse by name. */
const TARGET = 64;
const NOTE = 500;
const DURATION = 32;
/** RFC 5321, 4.5.3.1. */
const ADDRESS = 320;
/** A PHC string of argon2id with room to spare. */
const HASH = 512;
const NAME = 64;
const ALIAS_TARGETS = 100;
const NETWORKS = 100;

type Readers = { readonly [V in Verb]: (fields: FieldReader) => Extract<Command, { readonly verb: V }> };

/** Every verb with the types and bounds of its fields. Grammar only: what a target means is checked by who acts on it. */
const readers: Readers = {
  ping: () => ({ verb: "ping" }),
  health: () => ({ verb: "health" }),
  ban: (fields) => ({
    verb: "ban",
    target: fields.text("target", TARGET),
    note: printable(fields.text("note", NOTE), NOTE),
    for: fields.textOrNull("for", DURATION),
  }),
  unban: (fields) => ({ verb: "unban", target: fields.text("target", TARGET) }),
  break_glass: () => ({ verb: "break_glass" }),
  allow_add: (fields) => ({
    verb: "allow_add",
    target: fields.text("target", TARGET),
    note: printable(fields.text("note", NOTE), NOTE),
    for: fields.textOrNull("for", DURATION),
  }),
  allow_remove: (fields) => ({ verb: "allow_remove", target: fields.text("target", TARGET) }),
  allow_list: () => ({ verb: "allow_list" }),
  cleanup: () => ({ verb: "cleanup" }),
  account_add: (fields) => ({
    verb: "account_add",
    name: fields.text("name", ADDRESS),
    hash: fields.text("hash", HASH),
  }),
  account_passwd: (fields) => ({
    verb: "account_passwd",
    name: fields.text("name", ADDRESS),
    hash: fields.text("hash", HASH),
  }),
  account_remove: (fields) => ({ verb: "account_remove", name: fields.text("name", ADDRESS) }),
  account_suspend: (fields) => ({ verb: "account_suspend", name: fields.text("name", ADDRESS) }),
  account_resume: (fields) => ({ verb: "account_resume", name: fields.text("name", ADDRESS) }),
  accounts_import: (fields) => ({ verb: "accounts_import", entries: entries(fields) }),
  accounts_follow: (fields) => ({
    verb: "accounts_follow",
    entries: entries(fields),
    gone: fields.texts("gone", ENTRIES_PER_COMMAND, ADDRESS),
  }),
  networks_add: (fields) => ({
    verb: "networks_add",
    name: fields.text("name", ADDRESS),
    networks: fields.texts("networks", NETWORKS, TARGET),
  }),
  networks_remove: (fields) => ({
    verb: "networks_remove",
    name: fields.text("name", ADDRESS),
    networks: fields.texts("networks", NETWORKS, TARGET),
  }),
  alias_add: (fields) => ({
    verb: "alias_add",
    address: fields.text("address", ADDRESS),
    targets: fields.texts("targets", ALIAS_TARGETS, ADDRESS),
  }),
  alias_remove: (fields) => ({ verb: "alias_remove", address: fields.text("address", ADDRESS) }),
  alias_block: (fields) => ({
    verb: "alias_block",
    address: fields.text("address", ADDRESS),
    blocked: fields.flag("blocked"),
  }),
  greylist_pause: (fields) => ({
    verb: "greylist_pause",
    target: fields.text("target", ADDRESS),
    for: fields.textOrNull("for", DURATION),
  }),
  greylist_resume: (fields) => ({ verb: "greylist_resume", target: fields.text("target", ADDRESS) }),
  greylist_list: () => ({ verb: "greylist_list" }),
  spam_allow_add: (fields) => ({
    verb: "spam_allow_add",
    account: fields.text("account", ADDRESS),
    sender: fields.text("sender", ADDRESS),
  }),
  spam_allow_remove: (fields) => ({
    verb: "spam_allow_remove",
    account: fields.text("account", ADDRESS),
    sender: fields.text("sender", ADDRESS),
  }),
  spam_allow_list: () => ({ verb: "spam_allow_list" }),
  alerts_test: () => ({ verb: "alerts_test" }),
  alerts_list: () => ({ verb: "alerts_list" }),
  token_create: (fields) => ({
    verb: "token_create",
    name: fields.text("name", NAME),
    digest: fields.text("digest", HASH),
  }),
  token_revoke: (fields) => ({ verb: "token_revoke", name: fields.text("name", NAME) }),
  admin_passwd: (fields) => ({ verb: "admin_passwd", hash: fields.text("hash", HASH) }),
  reload: () => ({ verb: "reload" }),
  dashboard_login: (fields) => ({
    verb: "dashboard_login",
    ip: fields.text("ip", TARGET),
    passwordHash: fields.text("passwordHash", HASH),
    success: fields.flag("success"),
  }),
  dashboard_ask: (fields) => ({ verb: "dashboard_ask", ip: fields.text("ip", TARGET) }),
  admin_seen: (fields) => ({ verb: "admin_seen", ip: fields.text("ip", TARGET) }),
  watch: () => ({ verb: "watch" }),
};

function entries(fields: FieldReader): readonly NamedSecret[] {
  return fields.objects("entries", ENTRIES_PER_COMMAND, (entry) => ({
    name: entry.text("name", ADDRESS),
    hash: entry.text("hash", HASH),
  }));
}

export type ParsedCommand = Readonly<{ ok: true; value: CommandLine }> | Readonly<{ ok: false; error: CommandError }>;

/** Reads one line of the control socket: `{"by": …, "command": {"verb": …, …}}`. */
export function parseCommandLine(line: string): ParsedCommand {
  const json = parseJson(line);
  if (!isObject(json)) return malformed("The line is no JSON object.");
  const fields = new FieldReader(json);
  const by = printable(fields.text("by", BY), BY);
  const command = fields.object("command");
  const problem = fields.problem();
  if (problem !== null) return malformed(problem);
  return parseCommand(by, new FieldReader(command));
}

export function printCommandLine(line: CommandLine): string {
  return `${JSON.stringify(line)}\n`;
}

export function printReply(reply: Reply): string {
  return `${JSON.stringify(reply)}\n`;
}

/** A line of `watch`. */
export function printWatchLine(lastEventId: number): string {
  return `${JSON.stringify({ lastEventId })}\n`;
}

/** Null for anything but a line of `watch`. */
export function parseWatchLine(line: string): number | null {
  const json = parseJson(line);
  if (!isObject(json)) return null;
  const id = json["lastEventId"];
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0 ? id : null;
}

/** A field that each result has: tells it from that of another verb, or of another version. */
const RESULT_FIELDS: { readonly [V in Verb]: keyof Results[V] } = {
  ping: "pid",
  health: "components",
  ban: "ban",
  unban: "prefix",
  allow_add: "lifted",
  allow_remove: "prefix",
  allow_list: "items",
  cleanup: "expired",
  account_add: "name",
  account_passwd: "name",
  account_remove: "name",
  account_suspend: "name",
  account_resume: "name",
  accounts_import: "skipped",
  accounts_follow: "skipped",
  networks_add: "networks",
  networks_remove: "networks",
  alias_add: "address",
  alias_remove: "address",
  alias_block: "address",
  greylist_pause: "pause",
  greylist_resume: "target",
  greylist_list: "pauses",
  spam_allow_add: "sender",
  spam_allow_remove: "sender",
  spam_allow_list: "senders",
  alerts_test: "results",
  alerts_list: "alerts",
  token_create: "name",
  token_revoke: "name",
  admin_passwd: "done",
  break_glass: "lifted",
  reload: "changed",
  dashboard_login: "verdict",
  dashboard_ask: "verdict",
  admin_seen: "done",
  watch: "lastEventId",
};

/**
 * Null for what is no reply to this verb. The rest of a result is taken on trust: the guard at the other end is
 * built from the same source, and the socket's directory lets nobody else listen there.
 */
export function parseReply<V extends Verb>(verb: V, line: string): Reply<V> | null {
  const json = parseJson(line);
  if (!isObject(json)) return null;
  const { ok, result, kind, message, next } = json;
  if (ok === true && isResult(verb, result)) return { ok, result };
  if (ok !== false || (kind !== "usage" && kind !== "failed")) return null;
  return typeof message === "string" && typeof next === "string" ? { ok, kind, message, next } : null;
}

function parseCommand(by: string, fields: FieldReader): ParsedCommand {
  const verb = fields.text("verb", NAME);
  if (!isVerb(verb)) return malformed(`There is no command "${printable(verb, NAME)}".`);
  const command = readers[verb](fields);
  const problem = fields.problem();
  return problem === null ? { ok: true, value: { by, command } } : malformed(problem);
}

function isResult<V extends Verb>(verb: V, value: unknown): value is Results[V] {
  return isObject(value) && Object.hasOwn(value, RESULT_FIELDS[verb]);
}

function isVerb(text: string): text is Verb {
  return Object.hasOwn(readers, text);
}

function malformed(message: string): ParsedCommand {
  const next = "Use the command line and the guard of the same version.";
  return { ok: false, error: { ok: false, kind: "usage", message, next } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
