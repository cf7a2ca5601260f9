import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ImapFlow } from "imapflow";
import {
  ANNA,
  assertAccepted,
  mailOver,
  openImapAs,
  openSubmissionAs,
  sendMail,
  sendMailAs,
  tryLogIn,
} from "./mail.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";
import { Sink } from "./sink.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** For a server with the accounts anna@example.test, whose mailbox is empty, and bert@example.test. */
export function mailTests({ lab, product }: Running): void {
  let sink: Sink;
  before(async () => {
    sink = await Sink.start(lab.sender, "198.51.100.10", lab.directory);
  });

  test("a stranger's mail through port 25 is read over IMAPS by a stock client", async () => {
    assertAccepted(await sendMail({ host: lab.sender, from: "198.51.100.10", subject: "In the lab" }));
    const port = await lab.sender.forward({ from: "198.51.100.65", to: SERVER.v4, port: 993 });
    await until("the mail is in the mailbox", async () => {
      const client = new ImapFlow({
        host: "127.0.0.1",
        port,
        secure: true,
        tls: { rejectUnauthorized: false },
        auth: { user: ANNA, pass: PASSWORD },
        logger: false,
      });
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

  test("curl, another stock client, reads it too", async () => {
    const url = `imaps://${SERVER.v4}/INBOX;MAILINDEX=1`;
    const read = await lab.sender.mustExec([
      "curl",
      "-sk",
      "--interface",
      "198.51.100.65",
      "-u",
      `${ANNA}:${PASSWORD}`,
      url,
    ]);
    assert.match(read, /^Subject: In the lab/m);
  });

  test("swaks, as a stranger over IPv6 and with STARTTLS", async () => {
    const argv = ["--server", `[${SERVER.v6}]`, "--local-interface", "2001:db8:b000::10", "--tls", "-6"];
    const said = await lab.sender.exec([
      "swaks",
      ...argv,
      "--from",
      "x@sender.test",
      "--to",
      ANNA,
      "--ehlo",
      "mx.sender.test",
    ]);
    assert.equal(said.code, 0, said.stdout + said.stderr);
  });

  for (const port of [587, 465] as const)
    test(`a user sends to another server through ${port}`, async () => {
      const mail = { recipient: "someone@sender.test", subject: `Out by ${port}` };
      assertAccepted(await sendMailAs(ANNA, { host: lab.sender, from: "198.51.100.65", port, ...mail }));
      await until(
        "the other server has it",
        () => sink.mails().some((text) => text.includes(`Subject: Out by ${port}`)),
        20_000,
      );
    });

  test("a user writes to another user, and a missing one is refused", async () => {
    const dialog = await openSubmissionAs(lab.sender, "198.51.100.65", ANNA);
    assert.equal((await mailOver(dialog, { sender: ANNA, recipient: "bert@example.test" })).code, 250);
    assert.equal((await mailOver(dialog, { sender: ANNA, recipient: "nobody@example.test" })).code, 550);
  });

  test("a user makes 400 folders in one session", async () => {
    const imap = await openImapAs(lab.sender, "198.51.100.65", ANNA);
    for (let n = 0; n < 400; n++)
      assert.match((await imap.imap(`CREATE List${n}`)).at(-1) ?? "", /^t\d+ OK/, `folder ${n}`);
    const listed = await imap.imap('LIST "" "List*"');
    assert.equal(listed.filter((line) => line.startsWith("* LIST")).length, 400);
    imap.close();
  });

  test("the password is asked for over TLS only", async () => {
    const imap = await lab.sender.exec(["openssl", "s_client", "-quiet", "-connect", `${SERVER.v4}:993`], {
      input: "a LOGOUT\r\n",
    });
    assert.match(imap.stdout, /\* OK .*AUTH=PLAIN/);
    assert.deepEqual(await lab.sender.connect({ from: "198.51.100.65", to: SERVER.v4, port: 143 }), {
      ok: false,
      code: "ECONNREFUSED",
    });
  });

  test("an account takes effect, is suspended and removed at once", async () => {
    await product.addAccount("carla@example.test");
    const open = await openImapAs(lab.sender, "198.51.100.67", "carla@example.test");
    const sending = await openSubmissionAs(lab.sender, "198.51.100.67", "carla@example.test");

    assert.equal((await product.cli(["account", "suspend", "carla@example.test"])).code, 0);
    await open.closed();
    await sending.ask("MAIL FROM:<carla@example.test>");
    assert.equal((await sending.ask("RCPT TO:<bob@sender.test>")).code, 421);
    await sending.closed();
    assert.match(await tryLogIn(lab.sender, "198.51.100.67", "carla@example.test"), /^NO/);

    await product.json(["account", "resume", "carla@example.test"]);
    const again = await openImapAs(lab.sender, "198.51.100.67", "carla@example.test");
    await product.json(["account", "passwd", "carla@example.test", "--password-stdin"], {
      input: "another long phrase 2\n",
    });
    await again.closed();
    const withNew = await openImapAs(lab.sender, "198.51.100.67", "carla@example.test", "another long phrase 2");

    await product.json(["account", "remove", "carla@example.test", "--yes"]);
    await withNew.closed();
    assert.equal(
      (await sendMail({ host: lab.sender, from: "198.51.100.10", recipient: "carla@example.test" })).code,
      550,
    );
  });
}
