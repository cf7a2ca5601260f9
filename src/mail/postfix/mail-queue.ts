import { spawn } from "node:child_process";
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  type KeeperCommand,
  type KeeperReply,
  MAILS_PER_COMMAND,
  type QueuedMail,
} from "../../admin/declare/keeper.ts";
import { parseQueueEntry, type QueueEntry } from "../../admin/queue.ts";
import { withoutExtension } from "../../core/net/address.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { cleanEnvironment, lastLines, runProgram, withPipes } from "../../host/machine/run-program.ts";
import type { Layout } from "../../settings/layout.ts";

type Of<V extends KeeperCommand["verb"]> = Extract<KeeperCommand, { readonly verb: V }>;
type ChangeMail = Of<"hold_mail" | "release_mail" | "delete_mail" | "return_mail">;
type QueueVerb = ChangeMail | Of<"find_mail" | "flush_mail" | "list_mail">;

/** A queue of 100,000 mails is printed in a few seconds. */
const READING_MS = 15_000;

const HOLD = "hold";
const DEFERRED = "deferred";
const MOST_NAMED = 5;
/** Maximum further recipients in one reply about held mail, for the owner's decision. */
const MOST_FURTHER = 2_000;

export function queueVerb(layout: Layout, command: QueueVerb): Promise<KeeperReply> {
  switch (command.verb) {
    case "find_mail":
      return findMail(layout, command);
    case "list_mail":
      return listMail(layout, command);
    case "flush_mail":
      return flushMail(layout, command);
    default:
      return changeMail(layout, command);
  }
}

/**
 * Returns mail in Postfix's queue with these ids or these senders. Reads the queue line by line, however long it is. Mail
 * on hold and other mail are separate requests, so that neither hides the other.
 */
async function findMail({ postfixConf }: Layout, { senders, ids, onHold }: Of<"find_mail">): Promise<KeeperReply> {
  const [asked, ours] = [new Set(ids), new Set<string>(senders)];
  const [named, others]: [QueuedMail[], QueuedMail[]] = [[], []];
  let room = onHold ? MOST_FURTHER : 0;
  const failure = await readQueue(postfixConf, ({ id, queue, at, sender, recipients }) => {
    if ((queue === HOLD) !== onHold) return;
    const isNamed = asked.has(id);
    if (!isNamed && !isOneOf(ours, sender)) return;
    const to = recipients.slice(0, MOST_NAMED + room).map(({ address }) => address);
    room -= Math.max(0, to.length - MOST_NAMED);
    const mail = { id, isHeld: onHold, at, recipients: recipients.length, to };
    if (isNamed) named.push(mail);
    else if (others.length < MAILS_PER_COMMAND) others.push(mail);
  });
  if (failure !== null) return { ok: false, reason: failure };
  return { ok: true, detail: "", mails: [...named, ...others].slice(0, MAILS_PER_COMMAND) };
}

/** Reads the whole queue line by line for every page, and keeps only the page. */
async function listMail({ postfixConf, postfixQueue }: Layout, asked: Of<"list_mail">): Promise<KeeperReply> {
  const { limit, after } = asked;
  const query = { ...asked, senders: new Set<string>(asked.senders), beside: new Set(asked.beside) };
  let kept: QueueEntry[] = [];
  let total = 0;
  let newest = 0;
  const failure = await readQueue(postfixConf, (entry) => {
    if (!matches(entry, query)) return;
    total += 1;
    newest = Math.max(newest, entry.at);
    if (after !== null && byArrival(entry, after) <= 0) return;
    kept.push(entry);
    if (kept.length >= 2 * limit) kept = kept.toSorted(byArrival).slice(0, limit);
  });
  if (failure !== null) return { ok: false, reason: failure };
  const queue = kept
    .toSorted(byArrival)
    .slice(0, limit)
    .map(({ recipients, ...mail }) => ({
      ...mail,
      recipientCount: recipients.length,
      recipients: recipients.slice(0, MOST_NAMED),
      nextTryAt: mail.queue === DEFERRED ? nextTry(postfixQueue, mail.id) : null,
    }));
  return { ok: true, detail: "", queue, total, newest };
}

type QueueQuery = Pick<Of<"list_mail">, "ids" | "isExact" | "recipient" | "where"> &
  Readonly<{ senders: ReadonlySet<string>; beside: ReadonlySet<string> }>;

function matches({ id, queue, sender, recipients }: QueueEntry, query: QueueQuery): boolean {
  const { ids, senders, isExact, beside, recipient, where } = query;
  if (where !== "anywhere" && (where === "loose" ? queue === HOLD : queue !== where)) return false;
  if (ids.length > 0 && !ids.includes(id)) return false;
  const isSent = isExact === true ? senders.has(sender.toLowerCase()) : isOneOf(senders, sender);
  if (senders.size > 0 && !isSent && !beside.has(id)) return false;
  return recipient === null || recipients.some(({ address }) => address.toLowerCase() === recipient);
}

function byArrival(a: Readonly<{ at: number; id: string }>, b: Readonly<{ at: number; id: string }>): number {
  return a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/** qmgr(8) stores the time of the next retry as the file's modification time. Null while the mail is being retried. */
function nextTry(postfixQueue: string, id: string): number | null {
  return Math.floor(lstatSync(deferredFile(postfixQueue, id), { throwIfNoEntry: false })?.mtimeMs ?? 0) || null;
}

const BASE_52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

/**
 * Deferred mails are spread by the first hexadecimal digit of the microseconds of their arrival (Postfix's `mail_queue.h`). A short id
 * starts with them; a long one has them in base 52, before its last `z`.
 */
export function deferredFile(postfixQueue: string, id: string): string {
  const long = /^.{6,}(.{4})z[^z]*$/.exec(id)?.[1];
  const micros = [...(long ?? "")].reduce((sum, digit) => 52 * sum + BASE_52.indexOf(digit), 0);
  const start = long === undefined ? id : micros.toString(16).toUpperCase().padStart(5, "0");
  return join(postfixQueue, DEFERRED, start.slice(0, 1), id);
}

/** As Postfix looks up smtpd_sender_login_maps: in lower case, with its extension, otherwise without. */
function isOneOf(addresses: ReadonlySet<string>, sender: string): boolean {
  const address = sender.toLowerCase();
  return addresses.has(address) || addresses.has(withoutExtension(address));
}

/** For programs that visit every mail in the queue; a rotating disk may need minutes for a long queue. */
export const QUEUE_WALK = { timeoutMs: 10 * MINUTE_MS };

const FLAGS = { hold_mail: "-h", release_mail: "-H", delete_mail: "-d", return_mail: "-f" } as const;

/** postsuper(1) reads the queue ids from standard input, and skips missing ones. */
async function changeMail({ postfixConf }: Layout, command: ChangeMail): Promise<KeeperReply> {
  const from = command.verb === "delete_mail" && command.onHold ? [HOLD] : [];
  const argv = ["-c", postfixConf, FLAGS[command.verb], "-", ...from];
  const done = await runProgram("postsuper", argv, { input: `${command.ids.join("\n")}\n` });
  if (done.code !== 0) return { ok: false, reason: `postsuper failed: ${lastLines(done)}`, mayBeDone: true };
  // Otherwise released and returned mail would wait for the next queue scan.
  if (command.verb === "release_mail" || command.verb === "return_mail")
    await runProgram("postqueue", ["-c", postfixConf, "-f"]);
  // A mail that was on hold has two lines: "72CED1EABE5: expired", "72CED1EABE5: released from hold".
  if (command.verb === "return_mail") {
    const named = new Set([...done.stderr.matchAll(/^postsuper: (\w+): /gm)].map(([, id]) => id));
    return { ok: true, detail: "", count: named.size };
  }
  // The last line has the count: "Deleted: 2 messages".
  const count = /: (\d+) messages?\s*$/.exec(done.stderr)?.[1];
  return { ok: true, detail: "", count: Number(count ?? 0) };
}

/** postqueue(1) takes one id at a time. */
async function flushMail({ postfixConf }: Layout, { ids }: Of<"flush_mail">): Promise<KeeperReply> {
  for (const [i, words] of (ids.length === 0 ? [["-f"]] : ids.map((id) => ["-i", id])).entries()) {
    const done = await runProgram("postqueue", ["-c", postfixConf, ...words]);
    if (done.code !== 0)
      return { ok: false, reason: `postqueue failed: ${lastLines(done)}`, ...(i > 0 && { mayBeDone: true }) };
  }
  return { ok: true, detail: "", count: ids.length };
}

/** Null, or why the queue could not be read. */
export function readQueue(postfixConf: string, take: (entry: QueueEntry) => void): Promise<string | null> {
  return new Promise((resolve) => {
    const env = cleanEnvironment();
    const limit = { timeout: READING_MS, killSignal: "SIGKILL" } as const;
    const argv = ["-c", postfixConf, "-j"];
    const reading = withPipes(spawn("postqueue", argv, { env, stdio: ["ignore", "pipe", "pipe"], ...limit }));
    let complaint = "";
    createInterface({ input: reading.stdout }).on("line", (line) => {
      const entry = parseQueueEntry(line);
      if (entry !== null) take(entry);
    });
    reading.stderr.on("data", (chunk: Buffer) => {
      complaint = `${complaint}${chunk.toString()}`.slice(-1_000);
    });
    reading.once("error", (error) => resolve(`postqueue failed: ${error.message}`));
    reading.once("close", (code) =>
      resolve(code === 0 ? null : `postqueue failed: ${complaint.trim() || "no answer"}`),
    );
  });
}
