import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { surplusOf } from "../../core/firewall/shared-sessions.ts";
import { plural } from "../../core/text.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import type { KeeperReply } from "../../wire/control/keeper.ts";
import { parseOpenSessions } from "../../wire/dovecot/open-sessions.ts";
import { processesOf, signal } from "../set-up/running/processes.ts";

/** doveadm(1) who: no one is signed in. */
const NO_SESSION = 68;

/**
 * When IMAP connections run out: ends sessions of the account that holds most of them. Dovecot limits only those
 * from one address (`mail_max_userip_connections`). The detail names the account; empty: no account holds too many.
 */
export async function shareImap({ data, dovecotConf }: Layout, settings: Settings | null): Promise<KeeperReply> {
  if (settings === null) return { ok: false, reason: "The settings cannot be read." };
  const who = await runProgram("doveadm", ["-c", dovecotConf, "who", "-1"]);
  if (who.code !== 0 && who.code !== NO_SESSION) return { ok: false, reason: `doveadm who failed: ${lastLines(who)}` };
  const surplus = surplusOf(parseOpenSessions(who.stdout), settings["limits.connections.imap_places"]);
  const end = new Set(surplus.flatMap((one) => one.end.map(({ pid }) => pid)));
  // As `doveadm kick` does. A process number may have been reused by now.
  for (const { pid, exe } of end.size === 0 ? [] : processesOf(data))
    if (end.has(pid) && exe.endsWith("/imap")) signal(pid, "SIGTERM");
  const [most] = surplus;
  if (most === undefined) return { ok: true, detail: "" };
  const { account, sessions, addresses } = most;
  const from = `from ${addresses} ${addresses === 1 ? "address" : "addresses"}`;
  return {
    ok: true,
    detail: `${account} had ${plural(sessions, "session")} open ${from}, ${most.end.length} were ended`,
  };
}
