import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import {
  entrySchema,
  type Incident,
  incidentId,
  incidentSchema,
  isIncidentId,
  type TimelineEntry,
} from "../../core/incident/incident.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { lastLines, runProgram, TIMED_OUT } from "../../host/machine/run-program.ts";
import { copyForeignFile } from "../../host/root-files/copies.ts";
import { appendFile, writeFile } from "../../host/root-files/files.ts";
import { appendRecord, readRecord, readRecords, writeRecord } from "../../host/root-files/record-file.ts";
import { makeDirectory, makePrivateDirectory } from "../../host/root-files/trees.ts";
import { filesBelow } from "../../host/root-files/walk.ts";
import { policyNonce } from "../../mail/dovecot/login-policy.ts";
import type { Layout } from "../../settings/layout.ts";

type Incidents = Pick<Layout, "incidents">;

const RECORD = "incident.json";
const TIMELINE = "timeline.jsonl";

/** Where everything about an incident is kept. */
export function folderOf({ incidents }: Incidents, { id }: Pick<Incident, "id">): string {
  return join(incidents, id);
}

/** All incidents, oldest first. Skips a folder whose record cannot be read. */
export function readIncidents({ incidents }: Incidents): readonly Incident[] {
  if (!existsSync(incidents)) return [];
  return readdirSync(incidents)
    .filter(isIncidentId)
    .flatMap((id) => readRecord<Incident | null>(join(incidents, id, RECORD), incidentSchema, null) ?? [])
    .toSorted((a, b) => (a.openedAt < b.openedAt ? -1 : 1));
}

/** Opens an incident with its folder. A second one of the same day and name gets a number. */
export function openIncident(layout: Incidents, { title, openedAt, since }: Omit<Incident, "closedAt" | "id">) {
  const name = incidentId(title, openedAt);
  let id = name;
  for (let nth = 2; existsSync(join(layout.incidents, id)); nth += 1) id = `${name}-${nth}`;
  const incident: Incident = { id, title, openedAt, since, closedAt: null };
  makePrivateDirectory(layout.incidents);
  makePrivateDirectory(folderOf(layout, incident));
  keepIncident(layout, incident);
  return incident;
}

export function keepIncident(layout: Incidents, incident: Incident): void {
  writeRecord(join(folderOf(layout, incident), RECORD), incident);
}

export function appendEntry(layout: Incidents, incident: Incident, entry: TimelineEntry): void {
  appendRecord(join(folderOf(layout, incident), TIMELINE), entry);
}

/** Oldest first. */
export function readTimeline(layout: Incidents, incident: Incident): readonly TimelineEntry[] {
  return readRecords(join(folderOf(layout, incident), TIMELINE), entrySchema).filter((entry) => entry !== null);
}

const SLOW_MS = 2 * MINUTE_MS;
/** Maximum output of one program, enough for a queue of 300,000 mails. */
const MOST_BYTES = 200_000_000;
const LINES_AT_ONCE = 1_000;
const DEFERRED = "deferred";
/** Debian packages whose files are compared with what dpkg(1) installed. */
const CHECKED = ["postfix", "dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "nftables", "openssl", "restic", "runit"];

/** Files that describe the machine, each with the program that prints it. */
const SAYS = ({
  postfixConf,
  dovecotConf,
  program,
  conf,
}: Layout): readonly (readonly [string, string, ...string[]])[] => [
  ["firewall.txt", "nft", "list", "ruleset"],
  ["connections.txt", "ss", "-tanp"],
  ["processes.txt", "ps", "-eo", "pid,ppid,user,lstart,args"],
  ["sessions.txt", "doveadm", "-c", dovecotConf, "who"],
  ["queue.jsonl", "postqueue", "-c", postfixConf, "-j"],
  ["logins.txt", "last", "-w", "-n", "1000"],
  ["changed-package-files.txt", "dpkg", "--verify", ...CHECKED],
  ["program.sha256", "find", program, conf, "-type", "f", "-exec", "sha256sum", "{}", "+"],
];

/** Collects the present state of the machine, its logs and its configuration below `to`, without any password. Returns what is missing. */
export async function collect(
  layout: Layout,
  to: string,
  { since, mostBytes = MOST_BYTES }: Readonly<{ since: number; mostBytes?: number }>,
): Promise<readonly string[]> {
  const lacks: string[] = [];
  for (const [file, program, ...args] of SAYS(layout)) {
    const ran = await runProgram(program, args, { timeoutMs: SLOW_MS, mostOutputBytes: mostBytes });
    // A failure is written only if there is no output: dpkg(1) also fails if it found differences to print.
    const reason = ran.code === 0 ? "" : lastLines({ ...ran, stdout: "" }, 1);
    if (ran.code >= TIMED_OUT)
      lacks.push(`machine/${file} is ${ran.stdout === "" ? "missing" : "cut"}: ${program}: ${reason}`);
    writeInto(join(to, "machine", file), ran.stdout === "" && ran.code !== 0 ? `${program}: ${reason}\n` : ran.stdout);
  }
  copyLogs(layout, join(to, "logs"), since);
  copyConfiguration(layout, join(to, "conf"));
  return lacks;
}

/** Copies whole logs written since then. Twice: a log that is rotated during the first pass has its new name in the second. */
function copyLogs({ log }: Layout, to: string, since: number): void {
  for (let pass = 0; pass < 2; pass++)
    for (const path of filesBelow(log)) {
      const target = join(to, relative(log, path));
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat === undefined || stat.mtimeMs < since || path.endsWith(".index") || existsSync(target)) continue;
      makeDirectory(dirname(target), 0o700);
      copyForeignFile(path, target);
    }
}

/** Copies rendered files, without secrets. */
function copyConfiguration(layout: Layout, to: string): void {
  const secrets = [layout.loginPolicySecret, layout.proofWord]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, "utf8").trim())
    .filter((word) => word !== "")
    .flatMap((word) => [word, policyNonce(word)]);
  for (const path of [
    join(layout.postfixConf, "main.cf"),
    join(layout.postfixConf, "master.cf"),
    layout.dovecotConf,
    layout.unboundConf,
  ]) {
    if (!existsSync(path)) continue;
    const text = secrets.reduce((said, word) => said.replaceAll(word, "(secret)"), readFileSync(path, "utf8"));
    writeInto(join(to, relative(layout.conf, path)), text);
  }
}

/** Copies mail files of the queue, as Postfix stores them; postcat(1) prints them. Returns the ids of those found. */
export function copyMails({ postfixQueue }: Layout, ids: readonly string[], to: string): readonly string[] {
  makeDirectory(to, 0o700);
  const queues = queuesOf(postfixQueue);
  return ids.filter((id) => queues.some((queue) => copyForeignFile(join(queue, id), join(to, id))));
}

/**
 * Queue directories with complete mails (qmgr(8)), in the order in which a mail may move. Deferred mails are spread over directories: by
 * the first letter of a short id, by the time in a long one (postconf(5), hash_queue_names, enable_long_queue_ids).
 */
function queuesOf(postfixQueue: string): readonly string[] {
  const deferred = join(postfixQueue, DEFERRED);
  const spread = existsSync(deferred)
    ? readdirSync(deferred, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    : [];
  const queues = ["incoming", "active", ...spread.map(({ name }) => join(DEFERRED, name)), DEFERRED, "hold"];
  return queues.map((queue) => join(postfixQueue, queue));
}

export function writeInto(path: string, text: string): void {
  makeDirectory(dirname(path), 0o700);
  writeFile(path, text, { mode: 0o600, flush: false });
}

/** Hashes by which the guard distinguishes passwords: with their key, a reader of the bundle could verify guesses. */
const HASHES: readonly string[] = ["proof", "passwordHash"];

/** Writes any number of items as JSON, one a line, without hashes of passwords. */
export function writeLines(path: string, items: Iterable<unknown>): void {
  writeInto(path, "");
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length > 0) appendFile(path, `${lines.join("\n")}\n`);
    lines = [];
  };
  for (const item of items) {
    lines.push(JSON.stringify(item, (key, value: unknown) => (HASHES.includes(key) ? undefined : value)));
    if (lines.length === LINES_AT_ONCE) flush();
  }
  flush();
}
