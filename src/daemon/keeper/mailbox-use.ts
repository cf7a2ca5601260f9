import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import type { Layout } from "../../settings/layout.ts";
import type { KeeperReply } from "../../wire/control/keeper.ts";
import { parseMailboxUse } from "../../wire/dovecot/mailbox-use.ts";

/** As Dovecot counts it for the quota. */
export async function mailboxUse({ dovecotConf }: Layout, account: string): Promise<KeeperReply> {
  const ran = await runProgram("doveadm", ["-c", dovecotConf, "-f", "tab", "quota", "get", "-u", account]);
  const mailbox = ran.code === 0 ? parseMailboxUse(ran.stdout) : null;
  return mailbox === null
    ? { ok: false, reason: `doveadm quota failed: ${lastLines(ran)}` }
    : { ok: true, detail: "", mailbox };
}
