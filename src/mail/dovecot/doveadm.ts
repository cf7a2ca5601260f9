import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import { surplusOf } from "../../core/firewall/connection-shares.ts";
import { type AccountName, parseAccountName } from "../../core/net/address.ts";
import { parseIp } from "../../core/net/ip.ts";
import { plural } from "../../core/text.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { becomes, processesOf, signal } from "../../host/running/processes.ts";
import { listProcesses, memoryOf } from "../../host/running/read-processes.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { numberIn, rowsOf } from "./mailboxes.ts";

/** How much of its quota a mailbox uses. Dovecot counts in whole kilobytes. */
export type MailboxUse = Readonly<{ usedBytes: number; mails: number }>;
/** `limitBytes` is null if there is no limit. */
export type MailboxQuota = MailboxUse & Readonly<{ limitBytes: number | null }>;

/**
 * Reads `doveadm -f tab quota get` (doveadm-quota(1)): a line of titles, then a line for each resource with name, type, value,
 * limit and percentage. Null for anything else.
 */
export function parseQuota(printed: string): MailboxQuota | null {
  const rows = new Map(rowsOf(printed)?.map((row) => [row.get("Type"), row]));
  const [storage, messages] = [rows.get("STORAGE"), rows.get("MESSAGE")];
  const [kilobytes, mails] = [numberIn(storage?.get("Value")), numberIn(messages?.get("Value"))];
  const limit = numberIn(storage?.get("Limit"));
  if (kilobytes === null || mails === null) return null;
  return { usedBytes: kilobytes * 1024, mails, limitBytes: limit === null ? null : limit * 1024 };
}

/** An open IMAP session, and the process that serves it. */
export type OpenSession = Readonly<{ account: string; ip: string; pid: number }>;

/** What `doveadm who -1` prints (doveadm-who(1)): a line with user, protocol, pid and address for each connection. */
export function parseOpenSessions(printed: string): readonly OpenSession[] {
  return printed.split("\n").flatMap((line) => {
    const [, account, pid, ip] = /^(\S+@\S+)\s+\w[\w-]*\s+(\d+)\s+([0-9a-f.:]+)\s*$/i.exec(line) ?? [];
    return account === undefined || ip === undefined ? [] : [{ account: account.toLowerCase(), ip, pid: Number(pid) }];
  });
}

/** Exit code of `doveadm who` and `doveadm kick` if no session is open. */
const NO_SESSION = 68;

/** The sessions of all users. Throws an Error with doveadm's message. */
export async function openSessions({ dovecotConf }: Pick<Layout, "dovecotConf">): Promise<readonly OpenSession[]> {
  const who = await runProgram("doveadm", ["-c", dovecotConf, "who", "-1"]);
  if (who.code !== 0 && who.code !== NO_SESSION) throw new Error(`doveadm who failed: ${lastLines(who)}`);
  return parseOpenSessions(who.stdout);
}

/**
 * Ends sessions of accounts that hold too many (`surplusOf`). Dovecot limits only an account's sessions from one address
 * (`mail_max_userip_connections`). Returns a text about the account with the most sessions; null if no account holds too many. Throws an
 * Error with doveadm's message.
 */
export async function shareImap(layout: Layout, places: number): Promise<string | null> {
  const surplus = surplusOf(await openSessions(layout), places);
  const ended = surplus.flatMap((one) => one.end);
  await end(layout, ended);
  const [most] = surplus;
  if (most === undefined) return null;
  const { account, sessions, addresses } = most;
  const from = `from ${plural(addresses, "address")}`;
  return `${account} had ${plural(sessions, "session")} open ${from}, ${plural(most.end.length, "was ended", "were ended")}`;
}

/** Longer than an idle session takes to end. */
const ENDING_MS = 1_000;

/** Sends SIGTERM as `doveadm kick` does, then kills: a session reacts to SIGTERM only once its command, such as SEARCH, is done. */
export async function end(layout: Layout, sessions: readonly Pick<OpenSession, "pid">[]): Promise<void> {
  if (sessions.length === 0) return;
  const pids = new Set(sessions.map(({ pid }) => pid));
  for (const pid of mailProcesses(layout)) if (pids.has(pid)) signal(pid, "SIGTERM");
  await pause(ENDING_MS);
  const left = mailProcesses(layout).filter((pid) => pids.has(pid));
  for (const pid of left) signal(pid, "SIGKILL");
  // Callers remove files of ended processes, so wait for their end.
  await becomes(() => !left.some((pid) => existsSync(`/proc/${pid}`)), ENDING_MS);
}

/** Processes of the user who owns all mail. In a container root cannot see other users' executables (`Process`). */
function mailProcesses({ data }: Pick<Layout, "data">): readonly number[] {
  const { uid } = userIds(USERS.mail);
  return processesOf(data).flatMap(({ pid, users }) => (users.every((one) => one === uid) ? [pid] : []));
}

/** May exceed the number of open sessions: once its client has left, a process only ends after its command, such as THREAD. */
export function countMailProcesses({ uid } = userIds(USERS.mail)): number {
  return listProcesses().filter(({ users }) => users.every((one) => one === uid)).length;
}

/** Bytes of memory that the sessions of each account hold, including swap. Throws an Error with doveadm's message. */
export async function sessionMemory(layout: Pick<Layout, "dovecotConf">): Promise<ReadonlyMap<AccountName, number>> {
  const bytesByAccount = new Map<AccountName, number>();
  for (const { account, pid } of await openSessions(layout)) {
    const name = parseAccountName(account);
    if (name !== null) bytesByAccount.set(name, (bytesByAccount.get(name) ?? 0) + memoryOf(pid));
  }
  return bytesByAccount;
}

/** Ends the IMAP sessions of an account. The guard ends submission sessions (guard/enforce/submission-sessions.ts). */
export async function kick({ dovecotConf }: Layout, account: string): Promise<KeeperReply> {
  const ran = await runProgram("doveadm", ["-c", dovecotConf, "kick", account]);
  if (ran.code === 0) return { ok: true, detail: "IMAP sessions were ended." };
  if (ran.code === NO_SESSION) return { ok: true, detail: "No IMAP session was open." };
  return { ok: false, reason: `doveadm kick failed: ${lastLines(ran)}` };
}

/** Ends the sessions of these accounts, even during a long command. Throws an Error with doveadm's message. */
export async function endSessions(layout: Layout, accounts: ReadonlySet<string>): Promise<void> {
  const sessions = (await openSessions(layout)).filter(({ account }) => accounts.has(account));
  await end(layout, sessions);
}

export async function imapClients(layout: Layout): Promise<KeeperReply> {
  const open = await openSessions(layout);
  return { ok: true, detail: "", clients: [...new Set(open.map(({ ip }) => ip))] };
}

/** Ends the sessions of these addresses, even during a long command. */
export async function endImap(layout: Layout, clients: readonly string[]): Promise<KeeperReply> {
  const addresses = new Set(clients.map(parseIp));
  const sessions = (await openSessions(layout)).filter(({ ip }) => addresses.has(parseIp(ip)));
  await end(layout, sessions);
  return { ok: true, detail: "" };
}

/** Less than half of the time that callers wait for the keeper, so that a slow mailbox does not hide the next. */
const USE_MS = 8_000;

/** As Dovecot counts it for the quota, in every folder, of which a user may create thousands. A text says why it is not known. */
export async function quotaOf(
  { dovecotConf }: Pick<Layout, "dovecotConf">,
  account: string,
): Promise<MailboxQuota | string> {
  const argv = ["-c", dovecotConf, "-f", "tab", "quota", "get", "-u", account];
  const ran = await runProgram("doveadm", argv, { timeoutMs: USE_MS });
  return (ran.code === 0 ? parseQuota(ran.stdout) : null) ?? `doveadm quota failed: ${lastLines(ran)}`;
}

export async function mailboxUse(layout: Layout, account: string): Promise<KeeperReply> {
  const read = await quotaOf(layout, account);
  if (typeof read === "string") return { ok: false, reason: read };
  const { usedBytes, mails } = read;
  return { ok: true, detail: "", mailbox: { usedBytes, mails } };
}
