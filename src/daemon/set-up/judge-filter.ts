import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Filter } from "../../render/site.ts";
import { type Judgement, parseJudgement } from "../../wire/fail2ban/filter-judgement.ts";

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
