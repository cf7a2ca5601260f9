import * as z from "zod/mini";
import { ALERT_KINDS, SEVERITIES } from "../../core/alerts/alerts.ts";
import { isKeeperNotice, type KeeperNotice } from "../../core/alerts/notices.ts";
import { isJailName } from "../../core/decide/jails.ts";
import { parseAccountName, parseAddress, parseSender } from "../../core/net/address.ts";
import { parseIp, parsePrefix } from "../../core/net/ip.ts";
import { parseJson } from "../../core/text.ts";
import { instant, MINUTE_MS } from "../../core/time.ts";
import { QUEUE_STATES } from "../queue.ts";
import { MOST_CHANGES, VALUE_CHARACTERS } from "../settings.ts";
import { lazily, readFields, text, wholeNumber } from "./fields.ts";
import { CONTROL_OR_HALF, list, listOf, queueId, records } from "./kinds.ts";
import {
  auditReport,
  certificateReport,
  checksReport,
  encryptionReport,
  fail2banReport,
  firewallReport,
  incidentsReport,
  MOST_REVIEWED,
  REPORT_VERBS,
  retentionReport,
  upkeepItem,
} from "./reports.ts";

/** How long the last change of the settings can be undone. */
export const UNDO_MS = 15 * MINUTE_MS;

/** The latest time that a Date can represent (ECMA-262, 21.4.1.1). */
export const LATEST_MS = 8.64e15;
/** Limits that the guard keeps, in bytes of UTF-8. */
const ALERT_TITLE = 400;
export const ALERT_BODY = 12_000;
/** Maximum queue ids or mails in one line of the socket. */
export const MAILS_PER_COMMAND = 500;
/** Maximum mails per listing, each with all its details: an answer of less than 2 MB. */
export const MAILS_LISTED = 500;
/** Maximum addresses of one account in a command. */
export const SENDERS_PER_COMMAND = 50;
/** Maximum queue ids in one line that also has the senders of an account. */
export const MAILS_BESIDE = 2_000;

const SETTING = /^[a-z0-9_-]{1,32}(?:\.[a-z0-9_-]{1,32}){0,4}$/;

function sha256() {
  return z.string().check(z.regex(/^[0-9a-f]{64}$/));
}

/**
 * The keeper's closed list of verbs, carried out by `createKeeperVerbs` (programs/keeper/verbs.ts). The keeper never runs a word of a
 * command or uses it as a file name. Each word is checked against its grammar, and the text of an alert only becomes the text of a mail.
 */
const command = lazily(() =>
  z.discriminatedUnion("verb", [
    z.object({ verb: z.enum([...REPORT_VERBS, "ping", "status", "audit", "firewall_confirm", "firewall_rollback"]) }),
    /** Ends the account's open IMAP and submission sessions. */
    z.object({ verb: z.literal("kick_account"), account: parsed(parseAccountName) }),
    /** Returns the addresses with an open IMAP session. */
    z.object({ verb: z.literal("imap_clients") }),
    z.object({ verb: z.literal("end_imap"), clients: z.readonly(z.array(parsed(parseIp)).check(z.minLength(1))) }),
    /**
     * Renders the configuration from the settings file, if that has this SHA-256, or with `inForce` from the settings in force,
     * ignoring later edits. Then checks it, applies it, and reloads what changed.
     */
    z.object({ verb: z.literal("apply"), inForce: z.exactOptional(z.boolean()), digest: z.exactOptional(sha256()) }),
    /**
     * These two change the settings file, if it has this SHA-256, and apply it. The first changes settings that the web may change;
     * the second undoes the last such change. If the result cannot be applied, the file stays as it was.
     */
    z.object({
      verb: z.literal("change_settings"),
      changes: listOf(
        z.object({ key: z.string().check(z.regex(SETTING)), value: z.nullable(text(VALUE_CHARACTERS)) }),
        MOST_CHANGES,
      ),
      digest: sha256(),
    }),
    z.object({ verb: z.literal("undo_settings"), digest: sha256() }),
    z.object({ verb: z.literal("restart"), service: z.enum(["postfix", "dovecot", "web", "guard", "fail2ban"]) }),
    /** Sends a mail to fail2ban.destemail about a ban that a jail caused. */
    z.object({
      verb: z.literal("mail_ban"),
      prefix: parsed(parsePrefix),
      jail: z.string().check(z.refine(isJailName)),
      failures: count(),
      /** Null: permanent. */
      lastsMs: z.nullable(count()),
      /** How many earlier bans were not mailed. */
      unsaid: count(),
    }),
    /** Puts an alert to alerts.email into Postfix's queue. Users cannot forge one, because no port accepts such mail. */
    z.object({
      verb: z.literal("mail_alert"),
      id: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/)),
      kind: z.enum(ALERT_KINDS),
      at: z.pipe(wholeNumber(0, LATEST_MS), z.transform(instant)),
      severity: z.enum(SEVERITIES),
      title: z.string().check(z.refine((line) => isOneLine(line, ALERT_TITLE))),
      body: z.string().check(z.refine(isBody)),
    }),
    /** Finds mails in the queue by queue id or envelope sender: only those on hold, or only the others. */
    z.object({
      verb: z.literal("find_mail"),
      senders: listOf(parsed(parseAddress), SENDERS_PER_COMMAND, 0),
      ids: queueIds(0),
      onHold: z.boolean(),
    }),
    /** Puts these mails on hold: Postfix does not deliver them until they are released (postsuper(1), -h). */
    z.object({ verb: z.literal("hold_mail"), ids: queueIds(1) }),
    z.object({ verb: z.literal("release_mail"), ids: queueIds(1) }),
    /** Deletes these mails, or only those on hold. */
    z.object({ verb: z.literal("delete_mail"), ids: queueIds(1), onHold: z.boolean() }),
    /** Returns these mails, including those on hold, to their senders as undeliverable (postsuper(1), -f). */
    z.object({ verb: z.literal("return_mail"), ids: queueIds(1) }),
    /** Tries these mails again, or all deferred ones if none is named. */
    z.object({ verb: z.literal("flush_mail"), ids: queueIds(0) }),
    /**
     * Lists the mails in Postfix's queue that match every field, in the order of arrival; empty lists and null match all. An empty
     * sender is that of a bounce. `beside`: mails that match in addition to those of `senders`, whoever sent them.
     * `isExact`: senders with an address extension do not match.
     */
    z.object({
      verb: z.literal("list_mail"),
      ids: queueIds(0),
      beside: z.exactOptional(queueIds(1, MAILS_BESIDE)),
      senders: listOf(parsed(parseSender), SENDERS_PER_COMMAND, 0),
      isExact: z.exactOptional(z.boolean()),
      recipient: z.nullable(parsed(parseAddress)),
      where: z.enum(["anywhere", "loose", ...QUEUE_STATES]),
      /** Only those after this one. */
      after: z.nullable(z.object({ at: count(), id: queueId })),
      limit: wholeNumber(1, MAILS_LISTED + 1),
    }),
    /** Starts a trial of the strict firewall. `session`: the port of the caller's SSH session; null if there is none. */
    z.object({ verb: z.literal("firewall_try"), session: z.nullable(wholeNumber(1, 65_535)) }),
    z.object({ verb: z.literal("mailbox_use"), account: parsed(parseAccountName) }),
    /** Where the Sieve scripts of these accounts forward mail. */
    z.object({ verb: z.literal("redirects"), accounts: listOf(parsed(parseAccountName), MOST_REVIEWED, 0) }),
  ]),
);
export type KeeperCommand = Readonly<z.output<ReturnType<typeof command>>>;

type KeeperResult = Extract<KeeperReply, { ok: true }>;
export type QueuedMail = Readonly<NonNullable<KeeperResult["mails"]>[number]>;
export type ListedMail = NonNullable<KeeperResult["queue"]>[number];
/** `about`: the subjects of the trouble, each of which has a separate alert. */
export type KeeperTrouble = Readonly<{ code: KeeperNotice; detail: string; about?: readonly string[] }>;
const reply = lazily(() =>
  z.discriminatedUnion("ok", [
    z.object({
      ok: z.literal(true),
      detail: z.string(),
      services: given({
        name: z.string(),
        up: z.boolean(),
        pid: z.nullable(z.number()),
        /** Set if the service keeps exiting, whether or not it runs at this moment. */
        trouble: z.exactOptional(z.string()),
        /** Set if the service may run but does not do its work. `isBeyondHelp`: a restart has not helped, or would not. */
        silence: z.exactOptional(z.object({ says: z.string(), isBeyondHelp: z.boolean() })),
      }),
      /** At most `MAILS_PER_COMMAND`, including all mails that were requested by id. */
      mails: given({
        id: z.string(),
        isHeld: z.boolean(),
        at: z.number(),
        recipients: z.number(),
        /** The first of its recipients. */
        to: z.exactOptional(list(z.string())),
      }),
      clients: z.exactOptional(list(z.string())),
      /** How many mails were changed, or how many seconds are left to confirm the firewall on trial. */
      count: z.exactOptional(z.number()),
      /** What `list_mail` found. */
      queue: given({
        id: z.string(),
        queue: z.string(),
        at: z.number(),
        sizeBytes: z.number(),
        sender: z.string(),
        recipientCount: z.number(),
        /** Some of them. */
        recipients: records({ address: z.string(), reason: z.nullable(z.string()) }),
        nextTryAt: z.nullable(z.number()),
      }),
      /** How many match, on all pages. */
      total: z.exactOptional(z.number()),
      /** When the newest of these arrived, in milliseconds; 0 if there are none. */
      newest: z.exactOptional(z.number()),
      /** Root's records of backups, drills, checks and the like. */
      upkeep: z.exactOptional(list(upkeepItem())),
      /** Null: not checked since the keeper started. */
      audit: z.exactOptional(z.nullable(auditReport())),
      certificate: z.exactOptional(certificateReport()),
      /** The DKIM public keys, in base64; empty if there is none yet. */
      dkimKeys: given({ domain: z.string(), key: z.string() }),
      incidents: z.exactOptional(incidentsReport()),
      checks: z.exactOptional(checksReport()),
      firewall: z.exactOptional(firewallReport()),
      retention: z.exactOptional(retentionReport()),
      encryption: z.exactOptional(encryptionReport()),
      fail2ban: z.exactOptional(fail2banReport()),
      /** `by`: the file of the script. */
      redirects: given({ address: z.string(), to: list(z.string()), by: z.string() }),
      mailbox: z.exactOptional(z.object({ usedBytes: z.number(), mails: z.number() })),
      /** Problems that only the keeper sees and the owner must know. Ignores those that only another version of the keeper knows. */
      troubles: z.exactOptional(
        z.pipe(
          z.array(z.object({ code: z.string(), detail: z.string(), about: z.exactOptional(z.array(z.string())) })),
          z.transform((troubles): readonly KeeperTrouble[] => troubles.filter(isKnown)),
        ),
      ),
    }),
    /** `mayBeDone`: part of the command may have been carried out, or may be later. */
    z.object({ ok: z.literal(false), reason: z.string(), mayBeDone: z.exactOptional(z.literal(true)) }),
  ]),
);
export type KeeperReply = Readonly<z.output<ReturnType<typeof reply>>>;

/** Parses one line of the keeper's socket. Null unless it is a command in which every word matches its grammar. */
export function parseKeeperCommand(line: string): KeeperCommand | null {
  const read = readFields(command(), parseJson(line));
  return read.ok ? read.value : null;
}

export function parseKeeperReply(line: string): KeeperReply | null {
  const read = readFields(reply(), parseJson(line));
  return read.ok ? read.value : null;
}

/** Part of a reply to some verbs: a list of objects with these fields. */
function given<const S extends z.core.$ZodShape>(fields: S) {
  return z.exactOptional(records(fields));
}

function queueIds(fewest: 0 | 1, most = MAILS_PER_COMMAND) {
  return listOf(queueId, most, fewest);
}

function count() {
  return wholeNumber(0, Number.MAX_SAFE_INTEGER);
}

/** A text that `parse` accepts, in the form that it returns. */
function parsed(parse: (text: string) => string | null) {
  return z.pipe(
    z.string().check(z.refine((text) => parse(text) !== null)),
    z.transform((text: string) => parse(text) ?? text),
  );
}

function isBody(body: string): boolean {
  return Buffer.byteLength(body) <= ALERT_BODY && body.split("\n").every((line) => isOneLine(line, ALERT_BODY));
}

/** Whether it has no line break that would end a header or a line of a mail. */
function isOneLine(line: string, most: number): boolean {
  return line.length <= most && !CONTROL_OR_HALF.test(line);
}

function isKnown<T extends Readonly<{ code: string }>>(trouble: T): trouble is T & Pick<KeeperTrouble, "code"> {
  return isKeeperNotice(trouble.code);
}
