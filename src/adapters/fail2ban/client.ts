import { isJailName } from "../../core/decide/jails.ts";
import type { Layout } from "../../settings/layout.ts";
import { type JailStatus, parseJailNames, parseJails } from "../../wire/fail2ban/status.ts";
import { type Finished, lastLines, type RunOptions, runProgram } from "../machine/run-program.ts";

type Files = Pick<Layout, "fail2banConf" | "fail2banSocket">;
/** `uid` and `gid` of Fail2ban's own user, because the client runs any code in the server's answer (Python's pickle). */
export type ClientOptions = Pick<RunOptions, "uid" | "gid" | "signal">;

type Jails = Readonly<{ ok: true; jails: readonly JailStatus[] }> | Readonly<{ ok: false; reason: string }>;

/** A compromised Fail2ban could name any number. */
const MOST_JAILS = 100;
/** It lists every address that it holds. */
const MOST_OF_A_JAIL = 1_000_000;

/** Its jails, as fail2ban-client(1) lists them. Never throws. */
export async function jailsOf(files: Files, options: ClientOptions = {}): Promise<Jails> {
  const listed = await client(files, ["status"], options);
  if (listed.code !== 0) return silent(listed);
  const names = parseJailNames(listed.stdout).filter(isJailName).slice(0, MOST_JAILS);
  // One client for all jails, since each start costs a tenth of a second.
  const input = [...names.map((name) => `status ${name}`), "exit", ""].join("\n");
  const answer = await client(files, ["-i"], {
    ...options,
    input,
    mostOutputBytes: (names.length + 1) * MOST_OF_A_JAIL,
  });
  if (answer.code !== 0) return silent(answer);
  const jails = parseJails(answer.stdout);
  const found = names.flatMap((name) => jails.find((jail) => jail.name === name) ?? []);
  if (found.length === names.length) return { ok: true, jails: found };
  const missing = names.filter((name) => !jails.some((jail) => jail.name === name));
  return { ok: false, reason: `Fail2ban does not report ${missing.join(", ")}` };
}

function client({ fail2banConf, fail2banSocket }: Files, argv: readonly string[], options: RunOptions) {
  return runProgram("fail2ban-client", ["-c", fail2banConf, "-s", fail2banSocket, ...argv], options);
}

function silent(ran: Finished): Jails {
  return { ok: false, reason: lastLines(ran, 1) };
}
