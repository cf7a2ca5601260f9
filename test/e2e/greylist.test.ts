import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { scoreByOneRule } from "../lab/content.ts";
import { foreignFilesTests } from "../lab/foreign-files-tests.ts";
import { crowdTests, harvestTests } from "../lab/harvest-tests.ts";
import { ANNA, assertAccepted, openSubmissionAs, sendMail, sendMailAs } from "../lab/mail.ts";
import { REACHED, reachTests } from "../lab/reach-tests.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const DELAY_S = 2;
/** Deadline for a retry to be accepted. */
const PATIENT_MS = 15_000;
/** Deadline for the report of a failed part. */
const NOTICED_MS = 30_000;

describe("greylisting, guessed names, and what each user reaches", needsLab(), () => {
  const running = withProduct(
    {
      ...REACHED.settings,
      GHOSTINBOX_SPAM__ENABLED: "true",
      GHOSTINBOX_FAIL2BAN__ENABLED: "true",
      GHOSTINBOX_GREYLIST__ENABLED: "",
      GHOSTINBOX_GREYLIST__DELAY: `${DELAY_S}s`,
      GHOSTINBOX_GREYLIST__PROVIDERS: "pool.test",
      GHOSTINBOX_ALLOW__NETWORKS: "198.51.100.80",
      // A client here retries often.
      GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "1000",
      GHOSTINBOX_LIMITS__CONNECTIONS__PER_HOUR: "1000",
      GHOSTINBOX_LIMITS__MAIL__POSTFIX_PER_MINUTE: "1000",
    },
    [ANNA],
    {
      records: () => [
        "out1.pool.test. A 198.51.100.74",
        "74.100.51.198.in-addr.arpa. PTR out1.pool.test.",
        "friend.test. MX 10 mx.sender.test.",
        'friend.test. TXT "v=spf1 ip4:198.51.100.92/31 -all"',
      ],
      toml: REACHED.toml,
      prepare: scoreByOneRule,
    },
  );
  const { lab, product } = running;

  describe("what each user reaches", () => reachTests(running));

  describe("files that other users write", () => foreignFilesTests(running));

  /** Postgrey treats a /24 as one client, so each test has different senders. */
  const codeFrom = async (from: string, name: string, recipient = ANNA): Promise<number> => {
    const sender = name.includes("@") ? name : `${name}@sender.test`;
    return (await sendMail({ host: lab.sender, from, sender, recipient })).code;
  };

  test("a first contact is asked to retry, isn't told why, and is accepted when it does", async () => {
    const from = "198.51.100.90";
    const first = await sendMail({ host: lab.sender, from, sender: "first@sender.test" });
    assert.equal(first.code, 450, first.lines.join());
    assert.match(first.lines.join(), /^4\.2\.0 <anna@example\.test>: Recipient address rejected: /);
    assert.doesNotMatch(first.lines.join(), /gr[ea]y|postgrey|second|\d+ ?s\b|ghost/i);
    assert.equal(await codeFrom(from, "first"), 450, "too soon");
    const waiting = (await product.cli(["greylist", "waiting"])).stdout;
    assert.match(waiting, /^anna@example\.test +first@sender\.test +198\.51\.100\.90/m);
    await until("it has waited long enough", async () => (await codeFrom(from, "first")) === 250, PATIENT_MS);
    assert.equal(await codeFrom(from, "another"), 250, "who came again once is not asked again");
    const events = await product.events(from);
    assert.ok(
      events.filter(({ type, reason }) => type === "GREYLIST_ASKED" && reason === "greylist_asked").length >= 3,
    );
    assert.doesNotMatch((await product.cli(["greylist", "waiting"])).stdout, /first@sender\.test/);
    for (const asked of ["first@sender.test", "sender.test", "198.51.100.0/24"])
      assert.match((await product.cli(["find", asked])).stdout, /first@sender\.test/, asked);
    for (const asked of ["first@sender.test", from]) {
      const why = await product.cli(["why", asked]);
      assert.match(why.stdout, /GREYLIST_ASKED/);
      assert.doesNotMatch(why.stdout + why.stderr, /ghostinbox ban /);
    }
  });

  test("an IPv6 client may retry from another address of its network", async () => {
    assert.equal(await codeFrom("2001:db8:b000:7::1", "six"), 450);
    await until("it is accepted", async () => (await codeFrom("2001:db8:b000:7::2", "six")) === 250, PATIENT_MS);
  });

  test("allow-listed clients, users who signed in, and large providers by name need not retry", async () => {
    assert.equal(await codeFrom("198.51.100.80", "known"), 250, "allow-listed");
    assert.equal(await codeFrom("198.51.100.64", "known"), 250, "a provider by its confirmed name");
    assert.equal(await codeFrom("198.51.100.66", "known"), 450, "one that only claims the name");
    assert.equal(await codeFrom("198.51.100.74", "known"), 250, "another large sender by its confirmed name");
    assert.equal(await codeFrom("198.51.100.76", "known"), 450, "beside it");
    assertAccepted(await sendMailAs(ANNA, { host: lab.sender, from: "198.51.100.77" }));
  });

  test("a correspondent of an account may answer at once if SPF proves the sender; a forger may not", async () => {
    const from = (address: string, sender: string): Promise<number> => codeFrom(address, `${sender}@friend.test`);
    assert.equal(await from("198.51.100.92", "friend"), 450, "a stranger as yet");
    const dialog = await openSubmissionAs(lab.sender, "198.51.100.78", ANNA);
    for (const line of [`MAIL FROM:<${ANNA}>`, "RCPT TO:<named@friend.test>", "RSET", `MAIL FROM:<${ANNA}>`])
      await dialog.ask(line);
    for (const name of ["Friend", "pal"]) assert.equal((await dialog.ask(`RCPT TO:<${name}@friend.test>`)).code, 250);
    await dialog.ask("DATA");
    assert.equal((await dialog.ask(`From: <${ANNA}>\r\nSubject: hello\r\n\r\nHello.\r\n.`)).code, 250);
    for (const line of [`MAIL FROM:<${ANNA}>`, "RCPT TO:<named@friend.test>", "QUIT"]) await dialog.ask(line);
    dialog.close();
    const written = await product.sqlite("SELECT address FROM correspondent ORDER BY address");
    assert.deepEqual(written.flat(), ["friend@friend.test", "pal@friend.test"], "only those who were written to");

    assert.equal(await from("198.51.100.93", "friend"), 250, "its SPF record names the client");
    assert.equal(await from("198.51.100.93", "pal"), 250);
    assert.equal(await from("198.51.100.93", "named"), 450, "a recipient without a mail");
    assert.equal(await from("198.51.100.93", "foe"), 450);
    // From the first server's network it would be a retry for Postgrey.
    assert.equal(await from("2001:db8:b000:9::1", "friend"), 450, "a forger");
  });

  test("without an SPF record the servers that accept a correspondent's mail are trusted", async () => {
    const written = { host: lab.sender, from: "198.51.100.78", recipient: "bare@sender.test" };
    assertAccepted(await sendMailAs(ANNA, written));
    assert.equal(await codeFrom("198.51.100.91", "bare"), 450);
    assert.equal(await codeFrom("198.51.100.10", "bare"), 250, "mx.sender.test");
  });

  test("a pause accepts strangers at once, and ends on request", async () => {
    await product.json(["alias", "add", "info2@example.test", ANNA]);
    await product.json(["greylist", "pause", ANNA, "--for", "15m"]);
    assert.match((await product.cli(["greylist", "list"])).stdout, /anna@example\.test/);
    for (const recipient of [ANNA, "anna+shop@example.test", "info2@example.test"])
      assert.equal(await codeFrom("198.51.100.94", "code", recipient), 250, recipient);
    await product.json(["greylist", "resume", ANNA]);
    assert.equal(await codeFrom("198.51.100.94", "code"), 450);
    await product.json(["greylist", "pause", ANNA, "--for", "1s"]);
    await until("the pause is over", async () => /for no one/.test((await product.cli(["greylist", "list"])).stdout));
    assert.equal(await codeFrom("198.51.100.95", "late"), 450);
  });

  test("a killed Postgrey comes back, and remembers who retried", async () => {
    const pid = await product.kill(/^\d+ postgrey /);
    await until("another runs", () => product.pidsOf(/^\d+ postgrey /).some((other) => other !== pid));
    await until("it asks again", async () => (await codeFrom("198.51.100.96", "x")) === 450);
    assert.equal(await codeFrom("198.51.100.90", "third"), 250);
  });

  for (const [what, stop, go] of [
    ["down", "down", "up"],
    ["frozen", "pause", "cont"],
  ] as const)
    test(`Postgrey ${what}: mail passes within seconds, and there is a notice until it is over`, async () => {
      await product.sv(stop, "postgrey");
      const startedAt = performance.now();
      assert.equal(await codeFrom("198.51.100.97", what), 250);
      assert.ok(performance.now() - startedAt < patience(6_000), `${Math.round(performance.now() - startedAt)} ms`);
      const hasNotice = () => product.hasNotice("greylist_silent");
      await until("the owner is alerted", hasNotice, NOTICED_MS);
      await product.sv(go, "postgrey");
      await until("it is over", async () => !(await hasNotice()), NOTICED_MS);
      assert.equal(await codeFrom("198.51.100.98", `after-${what}`), 450);
    });

  test("changing the delay or turning greylisting off takes effect without a restart", async () => {
    const started = product.pidsOf(/^\d+ postgrey /);
    await product.applySettings("[greylist]\nenabled = false\n");
    assert.equal(await codeFrom("198.51.100.101", "off"), 250);
    assert.deepEqual(product.pidsOf(/^\d+ postgrey /), []);
    await product.applySettings("");
    await until("it asks again", async () => (await codeFrom("198.51.100.102", "y")) === 450);
    assert.notDeepEqual(product.pidsOf(/^\d+ postgrey /), started);
  });

  // Without greylisting, strangers would be deferred from now on.
  describe("a harvest of names", () => harvestTests(running));
  describe("spam from many addresses, one mail each", () => crowdTests(running));
});
