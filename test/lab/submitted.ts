import assert from "node:assert/strict";
import { parseQueueEntry, type QueueEntry } from "../../src/admin/queue.ts";
import type { Dialog } from "./dialog.ts";
import { authenticate, openSubmission } from "./mail.ts";
import { SERVER } from "./network.ts";
import type { Running } from "./with-product.ts";

/** A session in which the account has signed in, from an address of the sender's host. */
export async function signedIn({ lab }: Running, name: string, from: string): Promise<Dialog> {
  const dialog = await openSubmission(lab.sender, from);
  assert.equal((await authenticate(dialog, name)).code, 235);
  return dialog;
}

/** The code of the last reply, or of the first that is not positive. */
export async function submit(dialog: Dialog, sender: string, ...recipients: readonly string[]): Promise<number> {
  for (const line of [`MAIL FROM:<${sender}>`, ...recipients.map((to) => `RCPT TO:<${to}>`), "DATA"]) {
    const { code } = await dialog.ask(line);
    if (code < 200 || code >= 400) return code;
  }
  dialog.send(`From: <${sender}>\r\nSubject: hello\r\n\r\nHello.\r\n.`);
  return (await dialog.reply(40_000)).code;
}

/** Mails to `victim0@sender.test` and so on, over several sessions at once. Returns the reply codes. */
export async function submitMany(running: Running, asked: Readonly<{ account: string; from: string; mails: number }>) {
  const { account, from, mails } = asked;
  const sessions = Array.from({ length: 4 }, async (_, nth) => {
    const dialog = await signedIn(running, account, from);
    const said = new Set<number>();
    for (let i = nth; i < mails; i += 4) said.add(await submit(dialog, account, `victim${i}@sender.test`));
    dialog.close();
    return [...said];
  });
  return [...new Set((await Promise.all(sessions)).flat())];
}

/** All of Postfix's queue. */
export async function queueOf({ lab, product }: Running): Promise<readonly QueueEntry[]> {
  const printed = await lab.server.mustExec(["postqueue", "-c", product.layout.postfixConf, "-j"]);
  return printed.split("\n").flatMap((line) => parseQueueEntry(line) ?? []);
}

/** What is in the queue and not on hold, with why it waits. */
export async function waitingIn(running: Running): Promise<readonly Readonly<{ sender: string; reason: string }>[]> {
  return (await queueOf(running))
    .filter(({ queue }) => queue !== "hold")
    .map(({ sender, recipients }) => ({ sender, reason: recipients[0]?.reason ?? "" }));
}

/** Whether the server's port answers a connection from this address. */
export async function reaches({ lab }: Running, from: string, port: number): Promise<boolean> {
  return lab.sender.reaches({ from, to: SERVER.v4, port });
}

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
