import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { lastLines, runProgram, SYSTEM_PATH } from "../../adapters/machine/run-program.ts";
import { withoutExtension } from "../../core/net/address.ts";
import type { Layout } from "../../settings/layout.ts";
import { type KeeperCommand, type KeeperReply, MAILS_PER_COMMAND, type QueuedMail } from "../../wire/control/keeper.ts";
import { parseQueueEntry, type QueueEntry } from "../../wire/postfix/queue.ts";

type FindMail = Extract<KeeperCommand, { readonly verb: "find_mail" }>;
type ChangeMail = Extract<KeeperCommand, { readonly verb: "hold_mail" | "release_mail" | "delete_mail" }>;

/** A queue of 100,000 mails is printed in a few seconds. */
const READING_MS = 15_000;

/** How postsuper(1) is called; it reads the queue ids from standard input, and passes over those that are not there. */
const CALLS = {
  hold_mail: ["-h", "-"],
  release_mail: ["-H", "-"],
  delete_mail: ["-d", "-", "hold"],
} as const satisfies Record<ChangeMail["verb"], readonly string[]>;

/**
 * What is in Postfix's queue of these ids or of these senders. The queue is read line by line, however long it is. What is
 * on hold, and what is not, are asked for apart, so that neither hides the other.
 */
export async function findMail({ postfixConf }: Layout, { senders, ids, onHold }: FindMail): Promise<KeeperReply> {
  const [wanted, ours] = [new Set(ids), new Set<string>(senders)];
  const [named, others]: [QueuedMail[], QueuedMail[]] = [[], []];
  const failure = await readQueue(postfixConf, ({ sender, ...mail }) => {
    if (mail.isHeld !== onHold) return;
    if (wanted.has(mail.id)) named.push(mail);
    else if (isOneOf(ours, sender.toLowerCase()) && others.length < MAILS_PER_COMMAND) others.push(mail);
  });
  if (failure !== null) return { ok: false, reason: failure };
  return { ok: true, detail: "", mails: [...named, ...others].slice(0, MAILS_PER_COMMAND) };
}

/** As Postfix looks up smtpd_sender_login_maps: with its extension, else without. */
function isOneOf(addresses: ReadonlySet<string>, sender: string): boolean {
  return addresses.has(sender) || addresses.has(withoutExtension(sender));
}

export async function changeMail({ postfixConf }: Layout, { verb, ids }: ChangeMail): Promise<KeeperReply> {
  const done = await runProgram("postsuper", ["-c", postfixConf, ...CALLS[verb]], { input: `${ids.join("\n")}\n` });
  if (done.code !== 0) return { ok: false, reason: `postsuper failed: ${lastLines(done)}` };
  // Released mail would wait for the next look into the queue.
  if (verb === "release_mail") await runProgram("postqueue", ["-c", postfixConf, "-f"]);
  return { ok: true, detail: "" };
}

/** Null, or why the queue could not be read. */
function readQueue(postfixConf: string, take: (entry: QueueEntry) => void): Promise<string | null> {
  return new Promise((resolve) => {
    const env = { PATH: SYSTEM_PATH, LC_ALL: "C.UTF-8" };
    const reading = spawn("postqueue", ["-c", postfixConf, "-j"], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: READING_MS,
      killSignal: "SIGKILL",
    });
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
