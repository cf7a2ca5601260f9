import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { GTUBE, RECORDS } from "../lab/content.ts";
import { AS_SHIPPED } from "../lab/for-tests.ts";
import { type Lists, startLists } from "../lab/lists.ts";
import { ANNA, assertAccepted, logIn, openImap, openImapAs, sendMail, tryLogIn } from "../lab/mail.ts";
import { findMail, mailText } from "../lab/mailbox.ts";
import { SERVER } from "../lab/network.ts";
import { stopFirstStarts } from "../lab/stopped-starts.ts";
import { tourTests } from "../lab/tour-tests.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const PHONE = "198.51.100.70";
/** A server with its own name, whose domain publishes correct records. */
const HONEST = "198.51.100.10";
const GUESSER = "198.51.100.200";
/** Addresses of one /48, each in a different /64. */
const rented = (number: number): string => `2001:db8:a000:${number}::1`;

describe("with the settings as they are shipped", needsLab(), () => {
  const settings = { GHOSTINBOX_DOMAIN: "example.test,example.org", ADMIN_PASSWORD: undefined };
  const { lab, product } = withProduct({ ...AS_SHIPPED, ...settings }, [ANNA], {
    isByNpm: true,
    records: () => RECORDS,
    prepare,
  });
  let lists: Lists;
  async function prepare(): Promise<void> {
    lists = await startLists();
    await lists.become("zen.spamhaus.org", "honest", { "91.100.51.198": "127.0.0.2" });
    await lists.become("bl.spamcop.net", "honest", { "92.100.51.198": "127.0.0.2" });
    await stopFirstStarts(product);
  }
  before(() => until("every part of it is well", async () => (await product.stats()).health.status === "ok"));

  describe("the README's tour, typed as printed", () => tourTests({ lab, product }));

  /** Starts Postgrey again, with a clock six minutes fast (faketime(1)), as if the sender had waited. */
  async function letSixMinutesPass(): Promise<void> {
    const command = join(product.layout.postgreyConf, "command");
    const [library = ""] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
    assert.notEqual(library, "", "Debian's faketime is installed");
    const plain = readFileSync(command, "utf8");
    writeFileSync(command, plain.replace("postgrey \\\n", `env LD_PRELOAD=${library} FAKETIME=+6m postgrey \\\n`));
    await product.sv("restart", "postgrey");
  }

  test("sets only what a machine needs", async () => {
    const shown = JSON.stringify(await product.json(["config", "show"]));
    const changed = [...shown.matchAll(/"key":"([^"]+)","value":"(?:[^"\\]|\\.)*","from":"(?:GHOSTINBOX_\w+|file)"/g)];
    const keys = changed.map(([, key = ""]) => key).toSorted();
    assert.deepEqual(keys, ["dns.root_hints", "dns.trust_anchor", "domains", "hostname"]);
  });

  test("an honest mail comes in at the second try, unmarked, and its recipient reads it", async () => {
    const written = mailText({
      subject: "Lunch",
      body: "Hello Anna,\r\n\r\nshall we meet at noon tomorrow?\r\n\r\nBob",
    });
    const mail = { host: lab.sender, from: HONEST, text: written };
    assert.equal((await sendMail(mail)).code, 450);
    assert.equal((await sendMail(mail)).code, 450, "too soon");
    await letSixMinutesPass();
    await until("it is accepted", async () => (await sendMail(mail)).code === 250);
    const delivered = await until("it is delivered", () => findMail(product.layout, "Lunch"));
    assert.match(delivered, /^Subject: Lunch$/m);
    assert.match(delivered, /^Authentication-Results: mail\.example\.test;(\n\t.*)*\n\tspf=pass /m);

    using dialog = await openImapAs(lab.sender, PHONE, ANNA);
    await dialog.imap("SELECT INBOX");
    // On a busy machine there may also be an alert.
    const [, number = ""] = /^\* SEARCH (\d+)$/m.exec((await dialog.imap("SEARCH SUBJECT Lunch")).join("\n")) ?? [];
    assert.match((await dialog.imap(`FETCH ${number} BODY[TEXT]`)).join("\n"), /shall we meet at noon/);
  });

  test("likely spam is marked and goes to Junk, and certain spam is refused", async () => {
    const loud = mailText({
      subject: "MAKE MONEY FAST",
      body: "CLICK HERE TO EARN $$$ NOW! 100% FREE. Dear friend, viagra.",
    });
    const text = loud.replace(/^Date:.*\r\n/m, "").replace(/^Message-ID:.*\r\n/m, "");
    assertAccepted(await sendMail({ host: lab.sender, from: HONEST, text }));
    const marked = await until("it is in Junk", () => findMail(product.layout, "MAKE MONEY FAST", { folder: "Junk" }));
    assert.match(marked, /^Subject: \[SPAM\] MAKE MONEY FAST$/m);
    const gtube = mailText({ subject: "Surely", body: GTUBE });
    assert.equal((await sendMail({ host: lab.sender, from: HONEST, text: gtube })).code, 550);
  });

  for (const [from, list] of [
    ["198.51.100.91", "zen.spamhaus.org"],
    ["198.51.100.92", "bl.spamcop.net"],
  ] as const)
    test(`a client on ${list} is refused`, async () => {
      const { code, lines } = await sendMail({ host: lab.sender, from });
      assert.equal(code, 554);
      assert.match(lines.join(), new RegExp(`Client host \\[${RegExp.escape(from)}\\] blocked using ${list}`));
    });

  test("a guesser is banned, and no one else is", async () => {
    for (let i = 1; i <= 5; i++) {
      using dialog = await openImap(lab.attacker, GUESSER).catch(() => null);
      if (dialog === null) break;
      await logIn(dialog, ANNA, `guess ${i}`);
    }
    await until("the guesser is banned", () => product.banOf(GUESSER));
    await until("in the kernel", async () => (await product.firewallBans()).includes(`${GUESSER} timeout`));
    assert.equal((await lab.attacker.connect({ from: GUESSER, to: SERVER.v4, port: 993, timeoutMs: 500 })).ok, false);
    assert.match(await tryLogIn(lab.sender, PHONE, ANNA), /^OK/);
  });

  test("five banned neighbours get their network banned", async () => {
    const knocks = (from: string) => lab.attacker.reaches({ from, to: SERVER.v6, port: 25, timeoutMs: 500 });
    await Promise.all(
      [1, 2, 3, 4, 5].map((number) =>
        until(`${rented(number)} is banned`, async () => !(await knocks(rented(number)))),
      ),
    );
    await until("their network is banned", () => product.banOf("2001:db8:a000::/48"));
    await until("a sixth is refused without a check", async () => !(await knocks(rented(6))));
    // On a busy machine a part may have been slow for a moment.
    await until("all is well", async () => (await product.stats()).health.status === "ok");
  });
});
