import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ImapFlow } from "imapflow";
import { ANNA, assertAccepted, openImapAs, sendMail, sendMailAs } from "./mail.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";
import { type Sink, startSink } from "./sink.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const PHONE = "198.51.100.65";
const OUTSIDE = "198.51.100.10";

/** For a server with the account anna@example.test, whose mailbox is empty. */
export function mailTests({ lab }: Running): void {
  let sink: Sink;
  before(async () => {
    sink = await startSink(lab, OUTSIDE);
  });

  test("a stranger's mail through port 25 is read over IMAPS by a stock client", async () => {
    assertAccepted(await sendMail({ host: lab.sender, from: OUTSIDE, subject: "In the lab" }));
    const port = await lab.sender.forward({ from: PHONE, to: SERVER.v4, port: 993 });
    await until("the mail is in the mailbox", async () => {
      const how = { secure: true, tls: { rejectUnauthorized: false }, auth: { user: ANNA, pass: PASSWORD } } as const;
      const client = new ImapFlow({ host: "127.0.0.1", port, ...how, logger: false });
      await client.connect();
      try {
        await client.mailboxOpen("INBOX");
        const found = await client.fetchAll("1:*", { envelope: true });
        return found.some((message) => message.envelope?.subject === "In the lab");
      } finally {
        await client.logout();
      }
    });
  });

  test("swaks, as a stranger over IPv6 and with STARTTLS", async () => {
    const argv = ["--server", `[${SERVER.v6}]`, "--local-interface", "2001:db8:b000::10", "--tls", "-6"];
    const envelope = ["--from", "x@sender.test", "--to", ANNA, "--ehlo", "mx.sender.test"];
    await lab.sender.mustExec(["swaks", ...argv, ...envelope]);
  });

  for (const port of [587, 465] as const)
    test(`a user sends to another server through ${port}`, async () => {
      const mail = { recipient: "someone@sender.test", subject: `Out by ${port}` };
      assertAccepted(await sendMailAs(ANNA, { host: lab.sender, from: PHONE, port, ...mail }));
      const isThere = () => sink.mails().some((text) => text.includes(`Subject: Out by ${port}`));
      await until("the other server has it", isThere, 20_000);
    });

  test("a user makes 400 folders in one session", async () => {
    using imap = await openImapAs(lab.sender, PHONE, ANNA);
    for (let n = 0; n < 400; n++)
      assert.match((await imap.imap(`CREATE List${n}`)).at(-1) ?? "", /^t\d+ OK/, `folder ${n}`);
    assert.equal((await imap.imap('LIST "" "List*"')).filter((line) => line.startsWith("* LIST")).length, 400);
  });

  test("passwords are accepted over TLS only", async () => {
    const argv = ["openssl", "s_client", "-quiet", "-connect", `${SERVER.v4}:993`];
    assert.match((await lab.sender.exec(argv, { input: "a LOGOUT\r\n" })).stdout, /\* OK .*AUTH=PLAIN/);
    const plain = await lab.sender.connect({ from: PHONE, to: SERVER.v4, port: 143 });
    assert.deepEqual(plain, { ok: false, code: "ECONNREFUSED" });
  });
}
