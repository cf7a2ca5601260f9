import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { isJailName, JAILS } from "../../core/decide/jails.ts";
import { messageOf } from "../../core/error.ts";
import { parseIp } from "../../core/net/ip.ts";
import { parseAs } from "../../core/parse-as.ts";
import { instant, SECOND_MS } from "../../core/time.ts";
import { lastLines, runAsOther, TIMED_OUT } from "../../host/machine/run-program.ts";
import { readNamed, removeFile, writeFile } from "../../host/root-files/files.ts";
import { readRecord } from "../../host/root-files/record-file.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import { ownSecurity } from "../../host/running/checkout.ts";
import type { Layout } from "../../settings/layout.ts";

/** A filter of Fail2ban: its text, and the name of its file without `.conf`, which becomes the jail's name. */
export type Filter = Readonly<{ name: string; text: string }>;

/** Filters of Debian's package; its others are for programs that do not run here. */
export const STOCK_FILTERS: readonly string[] = ["common", "postfix", "dovecot"];
export const STOCK_DIRECTORY = "/etc/fail2ban/filter.d";

const ENDING = ".conf";
const MOST_BYTES = 1024 * 1024;

/** Names of the files of filters in a directory, without `.conf`, sorted; none if the directory does not exist. */
export function filterNames(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .toSorted();
}

function filterFile(directory: string, name: string): string {
  return join(directory, `${name}${ENDING}`);
}

export function readFilter(directory: string, name: string): Filter {
  return { name, text: readNamed(filterFile(directory, name), MOST_BYTES).toString() };
}

/** The interpreter of Fail2ban's own scripts: its library is Debian's. */
const PYTHON = "/usr/bin/python3";
const FAIL2BAN_LIBRARY = "/usr/lib/python3/dist-packages/fail2ban";
/** Path below the checkout. */
export const JUDGE = join("security", "judge-filter.py");
/** A good filter needs 0.1 s for hundreds of lines. */
const DEADLINE_MS = 10 * SECOND_MS;
const MEMORY_BYTES = 512 * 1024 * 1024;

type JudgeOptions = Readonly<{
  checkout: string;
  /** Lines of a log, to see which addresses the filter would report. */
  log?: string;
  /** Whether it is tested with lines that an attacker can write; true by default. */
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
  const ran = await runAsOther(args, { input, timeoutMs: deadlineMs });
  if (ran.code === TIMED_OUT) {
    const reason = `it takes too long: after ${deadlineMs / SECOND_MS} s it was still matching lines that an attacker can write`;
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

const refusedList = z.array(z.object({ file: z.string(), reason: z.string() }));
const judgedList = z.array(z.tuple([z.string(), z.string()]));
export type Refused = Readonly<z.output<typeof refusedList>[number]>;

const MOST_CHARACTERS = 64 * 1024;
const REFUSED = "refused.json";
/** The digest of each accepted filter's test (`testDigest`). */
const JUDGED = "judged.json";

/** The directories of the owner's own filters; of two files with the same name, the later one is used. */
export function filterSources(checkout: string, { fail2banFilters }: Layout): readonly string[] {
  return [join(ownSecurity(checkout), "filter.d"), fail2banFilters];
}

/**
 * Accepts the owner's filters that pass the test, and skips the others, so that one bad filter stops nothing else.
 * A filter that passed the same test before is not tested again.
 */
export async function adoptFilters(checkout: string, layout: Layout) {
  const sources = new Map(
    filterSources(checkout, layout).flatMap((source) => filterNames(source).map((name) => [name, source])),
  );
  const { fail2banOwn } = layout;
  makeDirectory(fail2banOwn, 0o755);
  const before = new Map(readRecord(join(fail2banOwn, JUDGED), judgedList, []));
  const refused: Refused[] = [];
  const judged = new Map<string, string>();
  for (const [name, source] of sources) {
    const file = filterFile(source, name);
    const filter = readOwnFilter(source, name);
    if (typeof filter === "string") {
      refused.push({ file, reason: filter });
      continue;
    }
    const digest = testDigest(filter, checkout);
    const reason = before.get(name) === digest ? null : refusalOf(await judgeFilter(filter, { checkout }));
    if (reason === null) {
      judged.set(name, digest);
      writeFile(filterFile(fail2banOwn, name), filter.text, { mode: 0o644, flush: false });
    } else refused.push({ file, reason });
  }
  for (const name of filterNames(fail2banOwn)) if (!judged.has(name)) removeFile(filterFile(fail2banOwn, name));
  writeFile(join(fail2banOwn, REFUSED), JSON.stringify(refused), { mode: 0o644, flush: false });
  writeFile(join(fail2banOwn, JUDGED), JSON.stringify([...judged]), { mode: 0o644, flush: false });
  return { own: [...judged.keys()], refused };
}

/** The filters that the last `adoptFilters` refused. */
export function refusedFilters({ fail2banOwn }: Pick<Layout, "fail2banOwn">): readonly Refused[] {
  return readRecord(join(fail2banOwn, REFUSED), refusedList, []);
}

/** The filter, or why it was refused. */
function readOwnFilter(directory: string, name: string): Filter | string {
  if (!isJailName(name)) return "its name must be 1 to 40 lowercase letters, digits, dashes or underscores";
  if (STOCK_FILTERS.includes(name) || JAILS.some((jail) => jail.name === name))
    return `a jail or filter named ${name} already exists`;
  try {
    const filter = readFilter(directory, name);
    return filter.text.length > MOST_CHARACTERS ? "it is longer than any filter" : filter;
  } catch (error) {
    return messageOf(error);
  }
}

/** Everything that affects a test: the filter, the tester, the filters that it may include, and Fail2ban itself. */
function testDigest({ name, text }: Filter, checkout: string): string {
  const files = [
    join(checkout, JUDGE),
    join(FAIL2BAN_LIBRARY, "version.py"),
    ...STOCK_FILTERS.map((stock) => filterFile(STOCK_DIRECTORY, stock)),
  ];
  const texts = files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : null));
  return hash("sha256", JSON.stringify([name, text, ...texts]));
}

/** The answer of `security/judge-filter.py`. `tricked`: the line with which an attacker chooses the address it blames. */
const answer = z.union([
  z.object({ error: z.string() }),
  z.object({
    matches: z.array(z.tuple([z.string(), z.number(), z.string()])),
    lines: z.number(),
    tricked: z.nullable(z.string()),
  }),
]);

type Judgement = NonNullable<ReturnType<typeof parseJudgement>>;

/** Null if it is not an answer of that program. */
export function parseJudgement(text: string) {
  const judged = parseAs(answer, text);
  if (judged === null) return null;
  if ("error" in judged) return { ok: false as const, reason: judged.error };
  const matches = judged.matches.flatMap(([address, seconds, line]) => {
    // A host name that is not an address cannot be banned.
    const ip = parseIp(address);
    return ip === null ? [] : [{ ip, at: instant(seconds * SECOND_MS), line }];
  });
  return { ok: true as const, ...judged, matches };
}
