import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parsePrefix } from "../src/core/net/ip.ts";
import { DAY_MS, type Millis } from "../src/core/time.ts";
import { systemClock } from "../src/host/machine/clock.ts";
import { compressFile } from "../src/host/root-files/copies.ts";
import { LogIndexer, writeIndex } from "../src/mail/logs/keep-logs.ts";
import { latestLines } from "../src/mail/logs/latest-lines.ts";
import { findLogs, snapshotOf } from "../src/mail/logs/log-files.ts";
import { elderParts } from "../src/mail/logs/log-follower.ts";
import { packLog } from "../src/mail/logs/packed-log.ts";
import { openEngine, openEngineForReading } from "../src/store/open.ts";
import { fill } from "../test/scale/fill.ts";
import { questions } from "../test/scale/questions.ts";
import type { Child } from "./child.ts";
import { KEEPS_ALL } from "./guard.ts";
import { anonymousMb, memoryRow } from "./memory.ts";
import { type Bench, counted, ms, type Part, type Row, slowestOf, within } from "./result.ts";

const EVENTS = 10_000_000;
const BANS = 100_000;
const RUNS = 100;
const MOST_MS = 50;
const MOST_START_MS = 2_000;
const MOST_MB = 40;
const REST_MS = 60_000;
const LOOK_MS = 1_000;

export const FILLING = `${counted(EVENTS)} events and ${counted(BANS)} bans`;

/** Fills the engine's database while no guard runs. Returns its number of events. */
export async function fillDatabase({ programs, quick }: Bench, now: Millis): Promise<number> {
  await programs.wipe();
  const events = quick ? EVENTS / 20 : EVENTS;
  const writer = openEngine(programs.layout.engineDb);
  fill(writer, { events, bans: BANS, now });
  writer.close();
  return events;
}

/** All queries of the API and the command line to a large database, over a connection like theirs, and to logs; then a guard's start. */
export const queries: Part = {
  name: "queries",
  says: `questions about ${FILLING}`,
  async run(bench) {
    const { say } = bench;
    const now = systemClock.now();
    const from = performance.now();
    const events = await fillDatabase(bench, now);
    say(`${counted(events)} events written in ${((performance.now() - from) / 1_000).toFixed(0)} s`);
    const reader = openEngineForReading(bench.programs.layout.engineDb);
    const all = Object.entries(questions(reader, now)).map(([what, ask]) => ({
      what,
      times: Array.from({ length: RUNS }, () => timed(ask)),
    }));
    reader.close();
    const { what, p99Ms } = slowestOf(all, say);
    const of = `of ${counted(events)} events`;
    const answered = within(`slowest question ${of}, p99 (${what})`, ms(p99Ms), MOST_MS);
    return [answered, await searchLogs(bench), ...(await start(bench, of))];
  },
};

async function start(bench: Bench, of: string): Promise<readonly Row[]> {
  const from = performance.now();
  const guard = await bench.programs.startGuard(KEEPS_ALL);
  const tookMs = performance.now() - from;
  return bench.programs.whileRunning([guard], async () => {
    const early = "memory of the guard right after its start, with all bans on their way to the kernel";
    memoryRow(bench, early, guard, null);
    await rests(guard);
    return [
      within(`start of the guard ${of}`, ms(tookMs), MOST_START_MS),
      memoryRow(bench, `memory of the guard at rest after its start ${of}`, guard, MOST_MB),
    ];
  });
}

/** Waits until the garbage of a start is collected, which happens once the guard has had little to do for a while. */
async function rests(guard: Child): Promise<void> {
  const until = performance.now() + REST_MS;
  while (anonymousMb(guard) > MOST_MB && performance.now() < until) await pause(LOOK_MS);
}

function timed(ask: () => number): number {
  const from = performance.now();
  ask();
  return performance.now() - from;
}

const FILE_BYTES = 50_000_000;
/** How much of the guard's log svlogd(8) keeps. This log has no index. */
const GUARD_BYTES = 5_000_000;
const MAILS_A_WRITE = 10_000;
const [BUSY, RARE] = [200, 200_000];
const SEARCHES = 100;
/** As many lines as `ghostinbox logs` prints. */
const LIMIT = 200;
const MOST_SEARCH_MS = 50;

/** `ghostinbox logs --ip` over 200 MB: two rotated files that are compressed, one that is not, and the current ones. */
async function searchLogs({ quick, say }: Bench): Promise<Row> {
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-bench-logs-"));
  try {
    await write(directory, quick ? 10 : 1);
    const all: { what: string; times: number[] }[] = [];
    for (const [what, address] of Object.entries(ASKED)) {
      const times: number[] = [];
      for (let n = 0; n < SEARCHES; n += 1) times.push(await timedSearch(directory, address(n)));
      all.push({ what: `logs --ip, ${what}`, times });
    }
    const { what, p99Ms } = slowestOf(all, say);
    return within(`slowest search of ${quick ? 20 : 200} MB, p99 (${what})`, ms(p99Ms), MOST_SEARCH_MS);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const ASKED: Readonly<Record<string, (n: number) => string>> = {
  "a busy address": (n) => addressOf(n % BUSY),
  "a rare address": (n) => addressOf(BUSY + n * 1_999),
  "an address without a line": () => "198.51.100.7",
  "an IPv6 address without a line": () => "2001:db8::7",
  "a network": (n) => addressOf(n).replace(/\d+$/, "0/24"),
};

async function timedSearch(directory: string, address: string): Promise<number> {
  const from = performance.now();
  const query = { grep: null, since: null, network: parsePrefix(address), queueId: null, account: null };
  const damaged = (path: string, why: string): never => {
    throw new Error(`${path} is damaged: ${why}`);
  };
  await latestLines(findLogs(directory).map(snapshotOf), { query, limit: LIMIT, damaged });
  return performance.now() - from;
}

async function write(directory: string, part: number): Promise<void> {
  for (const folder of ["mail", "guard"]) mkdirSync(join(directory, folder));
  const mail = join(directory, "mail", "mail.log");
  const yesterday = (Date.now() - DAY_MS) / 1_000;
  for (const time of ["20261117-000000", "20261118-000000", "20261119-000000"]) {
    const path = `${mail}.${time}`;
    fillLog(path, FILE_BYTES / part);
    utimesSync(path, yesterday, yesterday);
  }
  for (const path of elderParts(mail).slice(0, 2)) {
    const pack = packLog((blocks) => writeIndex(`${path}.gz`, blocks ?? []));
    await compressFile(path, pack);
  }
  fillLog(mail, (FILE_BYTES - GUARD_BYTES) / part);
  fillLog(join(directory, "guard", "current"), GUARD_BYTES / part);
  await new LogIndexer().look(mail, Date.now());
}

/** Every other mail comes from a busy address, the rest from rare ones. */
function fillLog(path: string, bytes: number): void {
  for (let [written, mail] = [0, 0]; written < bytes; ) {
    let text = "";
    for (const end = mail + MAILS_A_WRITE; mail < end && written + text.length < bytes; mail += 1) {
      const address = addressOf(mail % 2 === 0 ? (mail / 2) % BUSY : BUSY + ((mail * 7_919) % RARE));
      const id = (mail * 104_729).toString(16).toUpperCase().padStart(11, "0");
      const head = `Nov 20 08:${String(mail % 60).padStart(2, "0")}:00 mail postfix/smtpd[${1_000 + (mail % 9_000)}]:`;
      text += `${head} connect from unknown[${address}]\n${head} ${id}: client=unknown[${address}]\n`;
      text += `${head} ${id}: message-id=<${id}@mx.stranger.example>\n`;
      text += `${head} disconnect from unknown[${address}] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5\n`;
    }
    appendFileSync(path, text);
    written += text.length;
  }
}

function addressOf(n: number): string {
  return `100.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
}
