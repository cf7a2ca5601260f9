import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import type { Layout } from "../../settings/layout.ts";
import type { KeeperReply } from "../../wire/control/keeper.ts";

/** doveadm(1) kick: the user had no session. */
const NO_SESSION = 68;

/** Ends the IMAP sessions of an account, or those from a network. The guard ends submission sessions (engine/submission-sessions.ts). */
export async function kick({ dovecotConf }: Layout, who: string): Promise<KeeperReply> {
  const ran = await runProgram("doveadm", ["-c", dovecotConf, "kick", who]);
  if (ran.code === 0) return { ok: true, detail: "IMAP sessions were ended." };
  if (ran.code === NO_SESSION) return { ok: true, detail: "No IMAP session was open." };
  return { ok: false, reason: `doveadm kick failed: ${lastLines(ran)}` };
}
