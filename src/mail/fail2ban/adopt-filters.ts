import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isJailName, JAILS } from "../../core/decide/jails.ts";
import { messageOf } from "../../core/error.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { parseJson } from "../../core/text.ts";
import { instant, type Millis, SECOND_MS } from "../../core/time.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { removeFile, writeFile } from "../../host/root-files/files.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import { ownSecurity } from "../../host/running/checkout.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Filter } from "../configuration/site.ts";
import { STOCK_DIRECTORY, STOCK_FILTERS } from "./fail2ban-conf.ts";
import { filterNames, readFilter } from "./filter-files.ts";

/** The interpreter of Fail2ban's own scripts: its library is Debian's. */
const PYTHON = "/usr/bin/python3";
export const FAIL2BAN_LIBRARY = "/usr/lib/python3/dist-packages/fail2ban";
/** Below the checkout. */
export const JUDGE = join("security", "judge-filter.py");
/** A good filter needs 0.1 s for hundreds of lines. */
const DEADLINE_MS = 10 * SECOND_MS;
const MEMORY_BYTES = 512 * 1024 * 1024;

export type JudgeOptions = Readonly<{
  checkout: string;
  /** Lines of a log, to see which addresses it would report. */
  log?: string;
  /** Whether it is tested with lines of attackers; true by default. */
  tricks?: boolean;
  deadlineMs?: number;
}>;

/** Lets Fail2ban's own code test a filter, as a user without any rights, and ends it after a timeout. */
export async function judgeFilter({ name, text }: Filter, options: JudgeOptions): Promise<Judgement> {
  const { checkout, log = "", tricks = true, deadlineMs = DEADLINE_MS } = options;
  const program = readFileSync(join(checkout, JUDGE), "utf8");
  const unprivileged = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs", "--bounding-set=-all"];
  const limited = ["prlimit", `--as=${MEMORY_BYTES}`, "--nofile=64", "--fsize=1000000", "--"];
  const args = [...unprivileged, "--inh-caps=-all", "--", ...limited, PYTHON, "-I", "-c", program];
  const input = `${JSON.stringify({ name, text, tricks })}\n${log}`;
  const ran = await runProgram("setpriv", args, { input, timeoutMs: deadlineMs });
  if (ran.code === 124) {
    const reason = `it never ends: after ${deadlineMs / SECOND_MS} s it was still looking at lines that an attacker can write`;
    return { ok: false, reason };
  }
  const judged = ran.code === 0 ? parseJudgement(ran.stdout) : null;
  return judged ?? { ok: false, reason: `it could not be tested: ${lastLines(ran, 1)}` };
}

/** Null if the filter is valid. */
export function refusalOf(judged: Judgement): string | null {
  if (!judged.ok) return judged.reason;
  if (judged.tricked === null) return null;
  return `it lets attackers choose who is banned, by a line such as: ${judged.tricked}`;
}

export type Refused = Readonly<{ file: string; reason: string }>;
export type Adopted = Readonly<{ own: readonly string[]; refused: readonly Refused[] }>;

const MOST_CHARACTERS = 64 * 1024;
const REFUSED = "refused.json";
/** What each accepted filter was tested with, according to `circumstances`. */
const JUDGED = "judged.json";

/** The directories of the owner's own filters; for two files of the same name the later one wins. */
export function filterSources(checkout: string, { fail2banFilters }: Layout): readonly string[] {
  return [join(ownSecurity(checkout), "filter.d"), fail2banFilters];
}

/**
 * Accepts the owner's filters that pass the test, and skips the others, so that one bad filter stops nothing else.
 * A filter that passed the same test before is not tested again.
 */
export async function adoptFilters(checkout: string, layout: Layout): Promise<Adopted> {
  const found = new Map<string, Readonly<{ file: string; filter: Filter | string }>>();
  for (const directory of filterSources(checkout, layout))
    for (const file of confFiles(directory))
      found.set(file, { file: join(directory, file), filter: read(directory, file) });

  const own: string[] = [];
  const refused: Refused[] = [];
  makeDirectory(layout.fail2banOwn, 0o755);
  const before = judgedBefore(layout);
  const judged: [name: string, digest: string][] = [];
  for (const { file, filter } of found.values()) {
    const digest = typeof filter === "string" ? "" : circumstances(filter, checkout);
    const reason = typeof filter === "string" ? filter : await reasonAgainst(filter, checkout, digest, before);
    if (typeof filter === "string" || reason !== null) refused.push({ file, reason: reason ?? "" });
    else {
      own.push(filter.name);
      judged.push([filter.name, digest]);
      writeFile(join(layout.fail2banOwn, `${filter.name}.conf`), filter.text, { mode: 0o644, flush: false });
    }
  }
  for (const name of filterNames(layout.fail2banOwn))
    if (!own.includes(name)) removeFile(join(layout.fail2banOwn, `${name}.conf`));
  writeFile(join(layout.fail2banOwn, REFUSED), JSON.stringify(refused), { mode: 0o644, flush: false });
  writeFile(join(layout.fail2banOwn, JUDGED), JSON.stringify(judged), { mode: 0o644, flush: false });
  return { own, refused };
}

/** The filters that the last `adoptFilters` refused. */
export function refusedFilters({ fail2banOwn }: Pick<Layout, "fail2banOwn">): readonly Refused[] {
  const isRefused = (one: unknown): one is Refused => typeof one === "object" && one !== null && "reason" in one;
  return readList(join(fail2banOwn, REFUSED)).filter(isRefused);
}

function confFiles(directory: string): readonly string[] {
  return existsSync(directory)
    ? readdirSync(directory)
        .filter((file) => file.endsWith(".conf"))
        .toSorted()
    : [];
}

/** The filter, or why it was refused. */
function read(directory: string, file: string): Filter | string {
  const name = file.replace(/\.conf$/, "");
  if (!isJailName(name)) return "its name must be 1 to 40 small letters, digits, dashes or underscores";
  if (STOCK_FILTERS.includes(name) || JAILS.some((jail) => jail.name === name))
    return `there is a jail or filter ${name} already`;
  try {
    const filter = readFilter(directory, name);
    return filter.text.length > MOST_CHARACTERS ? "it is longer than any filter" : filter;
  } catch (error) {
    return messageOf(error);
  }
}

async function reasonAgainst(
  filter: Filter,
  checkout: string,
  digest: string,
  before: ReadonlyMap<string, string>,
): Promise<string | null> {
  return before.get(filter.name) === digest ? null : refusalOf(await judgeFilter(filter, { checkout }));
}

/** Everything that affects a test: the filter, the tester, the filters that it may include, and Fail2ban itself. */
function circumstances({ name, text }: Filter, checkout: string): string {
  const files = [
    join(checkout, JUDGE),
    join(FAIL2BAN_LIBRARY, "version.py"),
    ...STOCK_FILTERS.map((stock) => join(STOCK_DIRECTORY, `${stock}.conf`)),
  ];
  const texts = files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : null));
  return createHash("sha256")
    .update(JSON.stringify([name, text, ...texts]))
    .digest("hex");
}

/** By the filters' names. Any other content of the file causes new tests. */
function judgedBefore({ fail2banOwn }: Layout): ReadonlyMap<string, string> {
  const list = readList(join(fail2banOwn, JUDGED));
  const isPair = (one: unknown): one is readonly [string, string] =>
    Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === "string");
  return new Map(list.filter(isPair));
}

/** Empty if the file is missing, or has no list. */
function readList(file: string): readonly unknown[] {
  if (!existsSync(file)) return [];
  try {
    const list: unknown = JSON.parse(readFileSync(file, "utf8"));
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/** A line that a filter matched, and the address it blames. */
export type FilterMatch = Readonly<{ ip: Ip; at: Millis; line: string }>;

/**
 * The answer of `security/judge-filter.py`. `tricked`: the line with which an attacker chooses the address it blames.
 */
export type Judgement =
  | Readonly<{ ok: true; matches: readonly FilterMatch[]; lines: number; tricked: string | null }>
  | Readonly<{ ok: false; reason: string }>;

/** Null if it is not an answer of that program. */
export function parseJudgement(text: string): Judgement | null {
  const said = parseJson(text);
  if (typeof said !== "object" || said === null) return null;
  if ("error" in said) return { ok: false, reason: String(said.error) };
  if (!("matches" in said && "lines" in said && "tricked" in said && Array.isArray(said.matches))) return null;
  const matches = said.matches.flatMap(matchIn);
  const tricked = typeof said.tricked === "string" ? said.tricked : null;
  return { ok: true, matches, lines: Number(said.lines), tricked };
}

/** A host name that is not an address cannot be banned. */
function matchIn(value: unknown): readonly FilterMatch[] {
  if (!Array.isArray(value)) return [];
  const fields: readonly unknown[] = value;
  const [address, seconds, line] = fields;
  const ip = typeof address === "string" ? parseIp(address) : null;
  if (ip === null || typeof seconds !== "number" || typeof line !== "string") return [];
  return [{ ip, at: instant(seconds * SECOND_MS), line }];
}
