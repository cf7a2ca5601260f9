import assert from "node:assert/strict";
import { parseQueueEntry, type QueueEntry } from "../../src/admin/queue.ts";
import { mailOver, openSubmissionAs, sendMailAs } from "./mail.ts";
import { SERVER } from "./network.ts";
import type { Running } from "./with-product.ts";

/** The code of the last reply to a mail of this account, or of the first that is not positive. */
export const submit = async ({ lab }: Running, account: string, from: string, ...recipients: readonly string[]) =>
  (await sendMailAs(account, { host: lab.sender, from, recipient: recipients, subject: "hello" })).code;

/** Mails to `victim0@sender.test` and so on, over several sessions at once. Returns the reply codes. */
export async function submitMany(running: Running, asked: Readonly<{ account: string; from: string; mails: number }>) {
  const { account, from, mails } = asked;
  const sessions = Array.from({ length: 4 }, async (_, nth) => {
    using dialog = await openSubmissionAs(running.lab.sender, from, account);
    const codes = new Set<number>();
    for (let i = nth; i < mails; i += 4)
      codes.add((await mailOver(dialog, { sender: account, recipient: `victim${i}@sender.test` })).code);
    return [...codes];
  });
  return [...new Set((await Promise.all(sessions)).flat())];
}

/** All of Postfix's queue. */
export async function queueOf({ lab, product }: Running): Promise<readonly QueueEntry[]> {
  const printed = await lab.server.mustExec(["postqueue", "-c", product.layout.postfixConf, "-j"]);
  return printed.split("\n").flatMap((line) => parseQueueEntry(line) ?? []);
}

/** The mail in the queue that is not on hold, with the reason why it waits. */
export const waitingIn = async (running: Running) =>
  (await queueOf(running))
    .filter(({ queue }) => queue !== "hold")
    .map(({ sender, recipients }) => ({ sender, reason: recipients[0]?.reason ?? "" }));

/** Whether the server's port answers a connection from this address. */
export const reaches = ({ lab }: Running, from: string, port: number): Promise<boolean> =>
  lab.sender.reaches({ from, to: SERVER.v4, port });

/** Checks that a server is isolated: strangers reach none of its ports, an administrator all. */
export async function assertShut(
  running: Running,
  { stranger, administrator }: Readonly<{ stranger: string; administrator: string }>,
): Promise<void> {
  for (const port of [25, 465, 587, 993]) {
    assert.equal(await reaches(running, stranger, port), false, `${port} from a stranger`);
    assert.equal(await reaches(running, administrator, port), true, `${port} from the administrator`);
  }
}
