import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { CHECKOUT } from "../lab/checkout.ts";
import { whileStopped } from "../lab/commands.ts";
import { scoreByOneRule, spamdAnswers } from "../lab/content.ts";
import { openDialog } from "../lab/dialog.ts";
import { encryptedMail } from "../lab/encrypted-mail.ts";
import { bannedByJail, fail2banRuns, lengthMs } from "../lab/fail2ban.ts";
import { jailOffences } from "../lab/jail-offences.ts";
import type { Lab } from "../lab/lab.ts";
import { type Lists, startLists } from "../lab/lists.ts";
import { authenticate, openSmtp, openSubmission, sendMail, tryLogIn } from "../lab/mail.ts";
import { mailText } from "../lab/mailbox.ts";
import { SERVER } from "../lab/network.ts";
import { PASSWORD } from "../lab/product.ts";
import { until } from "../lab/wait.ts";
import { needsLab, type Running, withProduct } from "../lab/with-product.ts";

/** Unsets the lab's settings, so that the example's apply. An empty variable counts as unset. */
const AS_THE_FILE_SAYS = {
  GHOSTINBOX_DOMAIN: "",
  GHOSTINBOX_HOSTNAME: "",
  GHOSTINBOX_SPAM__ENABLED: "",
  GHOSTINBOX_GREYLIST__ENABLED: "",
  GHOSTINBOX_FAIL2BAN__ENABLED: "",
};

const example = (name: string): string => readFileSync(join(CHECKOUT, "examples", name), "utf8");

const openPlain = (lab: Lab, from: string) => openDialog(lab.sender, { from, to: SERVER.v4, port: 25 });

describe("examples/investra.toml does what its seed says", needsLab(), () => {
  const ANNA = "anna@investra.com";
  const { lab, product } = withProduct(AS_THE_FILE_SAYS, [], { toml: example("investra.toml"), prepare });
  const accounts = lab.path("postfix-accounts.cf");
  function prepare(): void {
    scoreByOneRule({ product });
    writeFileSync(accounts, `${ANNA}|{PLAIN}${PASSWORD}\n`);
    product.set({ GHOSTINBOX_ACCOUNTS__FOLLOW: accounts });
  }
  before(async () => {
    await until("the account of the file is there", () => listed(ANNA));
    await fail2banRuns(product);
  });

  const listed = async (name: string) => JSON.stringify(await product.json(["account", "list"])).includes(name);

  // test/lab/tls-tests.ts tests how the ports behave with these lines.
  test("TLS configuration: the seed's line, the server's order, nothing below 1.2", () => {
    const dovecot = readFileSync(product.layout.dovecotConf, "utf8");
    assert.match(dovecot, /^ssl_cipher_list = ECDHE\+AESGCM:ECDHE\+AES256:ECDHE\+AES128:RSA\+AES:!aNULL:!MD5:!DSS$/m);
    for (const line of ["ssl_prefer_server_ciphers = yes", "ssl_min_protocol = TLSv1.2"])
      assert.ok(dovecot.includes(`\n${line}\n`), line);
  });

  test("email account management: adding and removing a line adds and removes an account, without a restart", async () => {
    assert.ok((await tryLogIn(lab.sender, "198.51.100.71", ANNA)).startsWith("OK"));
    appendFileSync(accounts, "weak@investra.com|{PLAIN}weak1\n");
    await until("the line is an account", () => listed("weak@investra.com"));
    for (const [argv, marked] of [
      [["account", "list"], /^weak@investra\.com +active, weak password /m],
      [["access", "review"], /weak@investra\.com.*, weak password/],
    ] as const)
      assert.match((await product.cli(argv)).stdout, marked);
    const weak = await openSubmission(lab.sender, "198.51.100.72");
    assert.equal((await authenticate(weak, "weak@investra.com", "weak1")).code, 235, "it is marked, and stays in use");
    writeFileSync(accounts, `${ANNA}|{PLAIN}${PASSWORD}\n`);
    await until("the account of the removed line is gone", async () =>
      /"weak@investra\.com","suspended":true/.test(JSON.stringify(await product.json(["account", "list"]))),
    );
    const after = await openSubmission(lab.sender, "198.51.100.72");
    assert.equal((await authenticate(after, "weak@investra.com", "weak1")).code, 535);
  });

  test("a mail with 20 points gets [SPAM] in its subject, is not refused, and is encrypted on the disk", async () => {
    await until("spamd answers", () => spamdAnswers(product));
    await product.json(["greylist", "pause", ANNA, "--for", "1h"]);
    const text = mailText({ subject: "twenty", to: ANNA, headers: ["X-Lab: spam"], body: "bodysecret" });
    const reply = await sendMail({ host: lab.sender, from: "198.51.100.76", recipient: ANNA, text });
    assert.equal(reply.code, 250, reply.lines.join());
    const { find, onDisk } = encryptedMail({ lab, product }, { account: ANNA, from: "198.51.100.77" });
    const mail = await until("it arrives", async () => {
      const seen = await find(PASSWORD, "twenty", "Junk");
      return seen === "" ? null : seen;
    });
    assert.match(mail, /^Subject: \[SPAM\] twenty$/m);
    assert.match(mail, /^X-Spam-Status: Yes, score=2\d\./m);
    assert.match(mail, /bodysecret/);
    await until("it is nowhere in clear", async () => (await onDisk("bodysecret")) === "");
    await product.json(["greylist", "resume", ANNA]);
  });

  test("intrusion detection: the third failure in the log brings a ban of ten minutes, though the guard judged each", async () => {
    const from = "198.51.100.202";
    for (const name of ["carl", "dora", "emil"])
      assert.equal((await sendMail({ host: lab.attacker, from, recipient: `${name}@investra.com` })).code, 550);
    assert.equal(lengthMs(await bannedByJail(product, "postfix", from, ": 3 within 10m, limit 3$")), 600_000);
  });
});

describe("examples/ghostinbox.toml does what its seed says", needsLab(), () => {
  const ANNA = "anna@example.org";
  const toml = example("ghostinbox.toml");
  const LISTED = "198.51.100.203";
  const { lab, product } = withProduct(
    // The attacker reaches the dashboard, as with the ports of examples/ghostinbox/compose.yaml.
    { ...AS_THE_FILE_SAYS, GHOSTINBOX_DNSBL__ZONES: undefined, GHOSTINBOX_HTTP__ADDRESS: SERVER.v4 },
    [ANNA],
    { toml, prepare },
  );
  let lists: Lists;
  async function prepare(running: Running): Promise<void> {
    scoreByOneRule(running);
    lists = await startLists();
    await lists.become("zen.spamhaus.org", "honest", { [LISTED.split(".").toReversed().join(".")]: "127.0.0.2" });
    await lists.become("bl.spamcop.net", "honest");
  }

  describe("protected services: each of the five jails bans for real traffic", { concurrency: true }, () => {
    const offend = jailOffences(lab);
    before(async () => {
      await until("spamd answers", () => spamdAnswers(product));
      await fail2banRuns(product);
    });
    for (const [jail, from, times, minutes] of [
      ["postfix-auth", "198.51.100.202", 5, 30],
      ["postfix-rbl", LISTED, 3, 30],
      ["postfix-spam", "198.51.100.204", 3, 30],
      ["ghostinbox-smtp-abuse", "198.51.100.205", 10, 120],
      ["ghostinbox-dashboard", "198.51.100.206", 4, 30],
    ] as const)
      test(`${jail}: ${times} violations, ${minutes} minutes`, async () => {
        await offend[jail](from, { account: ANNA, times });
        const ban = await bannedByJail(product, jail, from, `: ${times} within .*, limit ${times}$`);
        assert.equal(lengthMs(ban), minutes * 60_000);
      });
  });

  test("recipient protection: abuse@ and admin@ are refused, a mailbox is not", async () => {
    using dialog = await openSmtp(lab.sender, "198.51.100.71", ["EHLO client.test", "MAIL FROM:<someone@sender.test>"]);
    for (const name of ["abuse", "admin"])
      assert.equal((await dialog.ask(`RCPT TO:<${name}@example.org>`)).code, 550, name);
    assert.equal((await dialog.ask(`RCPT TO:<${ANNA}>`)).code, 250);
  });

  test("a client that talks before the greeting is refused, one that waits is not, and the guard has seen both", async () => {
    // smtpd checks for early input once it has the client's name. A stopped resolver ensures that the input comes first.
    const resolver = await until("the resolver runs", () => product.pidsOf(/^\d+ unbound /)[0]);
    const eager = await whileStopped([resolver], async () => {
      const dialog = await openPlain(lab, "198.51.100.73");
      dialog.send("EHLO client.test");
      await until("what was said has arrived", async () => {
        const argv = ["ss", "-H", "-t", "-n", "state", "established", "sport", "=", ":25"];
        return /^[1-9]\d* /m.test(await lab.server.mustExec(argv));
      });
      return dialog;
    });
    const refused = await eager.reply();
    assert.equal(refused.code, 503, refused.lines.join());
    eager.close();
    const patient = await openPlain(lab, "198.51.100.74");
    assert.equal((await patient.reply()).code, 220);
    patient.close();
    const isSeen = async (ip: string) => (await product.events(ip)).some(({ type }) => type === "CONNECT");
    for (const ip of ["198.51.100.73", "198.51.100.74"]) assert.ok(await isSeen(ip), ip);
  });
});
