import * as z from "zod/mini";
import { ALERT_KINDS, SEVERITIES } from "../../core/alerts/alerts.ts";
import { isJailName } from "../../core/decide/jails.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import { lazily, parseJson, readFields, wholeNumber } from "./fields.ts";

/** The last instant that can be written as a date (ECMA-262, 21.4.1.1). */
const LATEST_MS = 8.64e15;
/** Bytes of UTF-8 that the guard keeps to. */
const ALERT_TITLE = 400;
export const ALERT_BODY = 12_000;

export const KEEPER_NOTICES = [
  "certificate_refused",
  "certificate_expiring",
  "greylist_silent",
  "verifier_silent",
  "accounts_file_refused",
] as const;

/**
 * The keeper's closed verbs. No word of them is run, named as a file or looked up: each is checked against its grammar,
 * and the text of an alert is text of a mail and nothing else.
 */
const command = lazily(() =>
  z.discriminatedUnion("verb", [
    z.object({ verb: z.literal("ping") }),
    /** Ends the account's open IMAP and submission sessions. */
    z.object({ verb: z.literal("kick_account"), account: parsed(parseAccountName) }),
    /** Ends open IMAP sessions from this network. */
    z.object({ verb: z.literal("kick_network"), prefix: parsed(parsePrefix) }),
    /** Renders the configuration from the settings file, checks it, applies it, reloads what changed. */
    z.object({ verb: z.literal("apply") }),
    z.object({ verb: z.literal("restart"), service: z.enum(["postfix", "dovecot", "web", "guard", "fail2ban"]) }),
    /** Writes to fail2ban.destemail that a jail brought on a ban. */
    z.object({
      verb: z.literal("mail_ban"),
      prefix: parsed(parsePrefix),
      jail: z.string().check(z.refine(isJailName)),
      failures: count(),
      /** Null: for good. */
      lastsMs: z.nullable(count()),
      /** Bans before it that no mail told of. */
      unsaid: count(),
    }),
    /** Puts an alert into Postfix's queue for those of alerts.email. No local user can: there is no port for it. */
    z.object({
      verb: z.literal("mail_alert"),
      id: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/)),
      kind: z.enum(ALERT_KINDS),
      at: z.pipe(wholeNumber(0, LATEST_MS), z.transform(instant)),
      severity: z.enum(SEVERITIES),
      title: z.string().check(z.refine((line) => isOneLine(line, ALERT_TITLE))),
      body: z.string().check(z.refine(isBody)),
    }),
    z.object({ verb: z.literal("status") }),
  ]),
);
export type KeeperCommand = Readonly<z.output<ReturnType<typeof command>>>;

export type KeeperTrouble = Readonly<{ code: (typeof KEEPER_NOTICES)[number]; detail: string }>;
const reply = lazily(() =>
  z.discriminatedUnion("ok", [
    z.object({
      ok: z.literal(true),
      detail: z.string(),
      services: z.exactOptional(
        z.readonly(z.array(z.object({ name: z.string(), up: z.boolean(), pid: z.nullable(z.number()) }))),
      ),
      /** What the owner must be told, of what only the keeper sees. A keeper of another version may know more. */
      troubles: z.exactOptional(
        z.pipe(
          z.array(z.object({ code: z.string(), detail: z.string() })),
          z.transform((troubles): readonly KeeperTrouble[] => troubles.filter(isKnown)),
        ),
      ),
    }),
    z.object({ ok: z.literal(false), reason: z.string() }),
  ]),
);
export type KeeperReply = Readonly<z.output<ReturnType<typeof reply>>>;

/** One line of the keeper's socket. Null for anything but a command whose every word fits its grammar. */
export function parseKeeperCommand(line: string): KeeperCommand | null {
  const read = readFields(command(), parseJson(line));
  return read.ok ? read.value : null;
}

export function parseKeeperReply(line: string): KeeperReply | null {
  const read = readFields(reply(), parseJson(line));
  return read.ok ? read.value : null;
}

function count() {
  return wholeNumber(0, Number.MAX_SAFE_INTEGER);
}

/** A text that `parse` takes, in the form that it returns. */
function parsed(parse: (text: string) => string | null) {
  return z.pipe(
    z.string().check(z.refine((text) => parse(text) !== null)),
    z.transform((text: string) => parse(text) ?? text),
  );
}

function isBody(body: string): boolean {
  return Buffer.byteLength(body) <= ALERT_BODY && body.split("\n").every((line) => isOneLine(line, ALERT_BODY));
}

/** It ends no header, and no line of a mail. */
function isOneLine(line: string, most: number): boolean {
  return line.length <= most && !/[\p{Cc}\p{Cs}]/u.test(line);
}

function isKnown(trouble: Readonly<{ code: string; detail: string }>): trouble is KeeperTrouble {
  return KEEPER_NOTICES.some((code) => code === trouble.code);
}
