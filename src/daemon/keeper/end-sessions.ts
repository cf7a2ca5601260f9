import { setTimeout as pause } from "node:timers/promises";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import type { Layout } from "../../settings/layout.ts";
import type { KeeperReply } from "../../wire/control/keeper.ts";
import { processesOf, signal } from "../set-up/processes.ts";
import type { Process } from "../set-up/read-processes.ts";

/** doveadm(1) kick: nobody was signed in. */
const NOBODY = 68;
const LOOKS = 20;
const LOOK_MS = 100;

/**
 * Ends all sessions of an account. It is unknown in which of Postfix's open sessions the account signed in, so all
 * sessions on the submission ports end. Mail programs simply reconnect, and a stolen session does not outlive its
 * password.
 */
export async function endSessions(layout: Layout, account: string, ports: readonly number[]): Promise<KeeperReply> {
  const imap = await kick(layout, account);
  const submission = await cutSubmission(layout, ports);
  if (imap.ok && submission.ok) return { ok: true, detail: `${imap.detail} ${submission.detail}`.trim() };
  const reasons = [imap, submission].flatMap((one) => (one.ok ? [] : [one.reason]));
  return { ok: false, reason: reasons.join(" ") };
}

/** Ends the IMAP sessions of an account, or those from a network. */
export async function kick({ dovecotConf }: Layout, who: string): Promise<KeeperReply> {
  const ran = await runProgram("doveadm", ["-c", dovecotConf, "kick", who]);
  if (ran.code === 0) return { ok: true, detail: "IMAP sessions were ended." };
  if (ran.code === NOBODY) return { ok: true, detail: "No IMAP session was open." };
  return { ok: false, reason: `doveadm kick failed: ${lastLines(ran)}` };
}

async function cutSubmission({ data }: Layout, ports: readonly number[]): Promise<KeeperReply> {
  const filter = ports.flatMap((port) => ["or", "sport", "=", `:${port}`]).slice(1);
  const isOver = async (): Promise<boolean> => {
    const left = await runProgram("ss", ["-H", "-n", "-t", "state", "established", ...filter]);
    return left.code === 0 && left.stdout.trim() === "";
  };
  await runProgram("ss", ["-K", "-H", "-n", "-t", "state", "established", ...filter]);
  if (await isOver()) return { ok: true, detail: "" };
  // Without CAP_NET_ADMIN the kernel ends no connection. It ends with its smtpd; master(8) starts another.
  for (const { pid } of processesOf(data).filter(isSubmission)) signal(pid, "SIGTERM");
  for (let look = 0; look < LOOKS; look++) {
    if (await isOver()) return { ok: true, detail: "" };
    await pause(LOOK_MS);
  }
  return { ok: false, reason: "Submission sessions stay open until their clients hang up." };
}

/** As master.cf names them (render/postfix/master.ts). */
function isSubmission({ exe, args }: Process): boolean {
  return exe.endsWith("/smtpd") && args.some((arg) => /^syslog_name=postfix\/submissions?$/.test(arg));
}
