import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { isJailName } from "../../core/decide/jails.ts";
import type { Failed } from "../../guard/ports.ts";
import { lastLines, type RunOptions, runProgram } from "../../host/machine/run-program.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Exchange } from "../probes/exchange.ts";

type Files = Pick<Layout, "fail2banConf" | "fail2banSocket">;
/** `uid` and `gid` of Fail2ban's own user, because the client runs any code in the server's answer (Python's pickle). */
type ClientOptions = Pick<RunOptions, "uid" | "gid" | "signal">;

type Jails = Readonly<{ ok: true; jails: readonly JailStatus[] }> | Failed;

/** A compromised Fail2ban could name any number. */
const MOST_JAILS = 100;
/** Maximum bytes about a jail, of which Fail2ban lists every address. */
const MOST_OF_A_JAIL = 1_000_000;

/** Fail2ban's jails, as fail2ban-client(1) lists them. Never throws. */
export async function jailsOf(files: Files, options: ClientOptions = {}): Promise<Jails> {
  const listed = await client(files, ["status"], options);
  if (listed.code !== 0) return { ok: false, reason: lastLines(listed, 1) };
  const names = parseJailNames(listed.stdout).filter(isJailName).slice(0, MOST_JAILS);
  // One client for all jails, since each start costs a tenth of a second.
  const input = [...names.map((name) => `status ${name}`), "exit", ""].join("\n");
  const answer = await client(files, ["-i"], {
    ...options,
    input,
    mostOutputBytes: (names.length + 1) * MOST_OF_A_JAIL,
  });
  if (answer.code !== 0) return { ok: false, reason: lastLines(answer, 1) };
  const jails = parseJails(answer.stdout);
  const found = names.flatMap((name) => jails.find((jail) => jail.name === name) ?? []);
  if (found.length === names.length) return { ok: true, jails: found };
  const missing = names.filter((name) => !jails.some((jail) => jail.name === name));
  return { ok: false, reason: `Fail2ban does not report ${missing.join(", ")}` };
}

function client({ fail2banConf, fail2banSocket }: Files, argv: readonly string[], options: RunOptions) {
  return runProgram("fail2ban-client", ["-c", fail2banConf, "-s", fail2banSocket, ...argv], options);
}

/** What fail2ban-client(1) says about a jail since Fail2ban was started. The jail's bans are reports to the guard. */
export type JailStatus = NonNullable<Extract<KeeperReply, { ok: true }>["fail2ban"]>["jails"][number];

/** Reads the output of `fail2ban-client status`. */
export function parseJailNames(text: string): readonly string[] {
  const [, list = ""] = /Jail list:\s*(.*)$/m.exec(text) ?? [];
  return list.match(/[^\s,]+/g) ?? [];
}

/** Reads the output of `fail2ban-client -i`, which was asked for the `status` of each jail. */
export function parseJails(text: string): readonly JailStatus[] {
  const [, ...jails] = text.split("Status for the jail: ");
  return jails.map((jail) => {
    const number = (label: string): number => Number(new RegExp(`${label}:\\s*(\\d+)`).exec(jail)?.[1] ?? 0);
    const [watched, found, reports] = [number("Currently failed"), number("Total failed"), number("Total banned")];
    return { name: jail.split("\n", 1)[0] ?? "", watched, found, reports };
  });
}

/** The end of each message, in both directions (fail2ban/protocol.py). */
const END = "<F2B_END_COMMAND>";

/**
 * The server's own ping: `["ping"]` as Python pickles it, protocol 2. The answer is a pickle, which can contain code, so it is only
 * searched for the reply, and never unpickled.
 */
export const PING: Exchange = {
  question: Buffer.concat([Buffer.from("80025d7100580400000070696e677101612e", "hex"), Buffer.from(END)]),
  isAnswer: (received) => received.includes("pong") && received.endsWith(END),
};
