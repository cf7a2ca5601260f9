import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { CHECKOUT } from "../lab/checkout.ts";
import { whileStopped } from "../lab/commands.ts";
import { contentMail, GTUBE, RECORDS, scoreByOneRule, spamdAnswers, stopService } from "../lab/content.ts";
import { ANNA } from "../lab/mail.ts";
import { channelRecords, startRulesChannel } from "../lab/rules-channel.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

describe("a content filter that fails", needsLab(), () => {
  const { lab, product } = withProduct(
    {
      GHOSTINBOX_SPAM__ENABLED: "true",
      GHOSTINBOX_SPAM__ALLOW_FROM: "*@friend.test",
      GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "1000",
      GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "1000",
    },
    [ANNA],
    { toml: "", records: () => [...RECORDS, ...channelRecords()], prepare },
  );
  const { arrived, send } = contentMail(product);
  const rules = lab.path("own.cf");
  async function prepare(): Promise<void> {
    scoreByOneRule({ product });
    copyFileSync(join(CHECKOUT, "test", "lab", "spam.cf"), rules);
    const key = await startRulesChannel(lab.sender, lab.directory);
    product.set({ GHOSTINBOX_SPAM__RULES: rules, GHOSTINBOX_SPAM__UPDATE_KEY_FILE: key });
  }
  before(() => until("spamd answers", () => spamdAnswers(product)));

  test("a mail arrives although spamd or its milter is dead", async () => {
    for (const service of ["spamd", "spamass-milter"]) {
      const dead = await stopService(product, service);
      assert.equal((await send({ subject: `without ${service}`, body: GTUBE })).code, 250);
      assert.match(await arrived(`without ${service}`), new RegExp(`^Subject: without ${service}$`, "m"));
      await dead.start();
    }
  });

  test("while Rspamd is dead, strangers' mail is deferred, and the server's own arrives", async () => {
    const dead = await stopService(product, "rspamd");
    const waiting = await send({ subject: "unverified" });
    assert.equal(waiting.code, 451, waiting.text);
    const deferred = "type = 'EMAIL_DEFERRED' AND reason = 'filter_deferred' AND sender = 'someone@sender.test'";
    await until("it is recorded", () => product.countEvents(deferred));
    await product.cli(["sendmail", ANNA], { input: "Subject: own\n\n" });
    await arrived("own");
    await dead.start();
    await until("it is taken", async () => (await send({ subject: "unverified" })).code === 250);
    assert.match(await arrived("unverified"), /^Authentication-Results:/m);
  });

  test("a frozen spamd delays a mail only for a while, and there is a notice", async () => {
    const pids = product.pidsOf(/spamd (child|--)/);
    assert.ok(pids.length >= 2);
    await whileStopped(pids, async () => {
      const from = performance.now();
      assert.equal((await send({ subject: "while frozen", body: GTUBE })).code, 250);
      assert.ok(performance.now() - from < patience(20_000));
      await arrived("while frozen");
      await until("the owner is alerted", () => product.hasNotice("spam_filter_down"));
    });
    await until("all is well", async () => !(await product.hasNotice("spam_filter_down")));
  });

  test("mail waits for a dead filter if the owner wants that", async () => {
    const before = readFileSync(product.layout.settings, "utf8");
    try {
      writeFileSync(product.layout.settings, `${before}spam.on_failure = "wait"\n`);
      await product.json(["config", "apply"]);
      const dead = await stopService(product, "spamd");
      const waiting = await send({ subject: "waits" });
      assert.equal(waiting.code, 451, waiting.text);
      await dead.start();
      await until("it is taken", async () => (await send({ subject: "waits" })).code === 250);
      await arrived("waits");
    } finally {
      writeFileSync(product.layout.settings, before);
      await product.json(["config", "apply"]);
    }
  });

  test("rules that SpamAssassin refuses are not applied, and the setting is named", async () => {
    const good = readFileSync(rules, "utf8");
    writeFileSync(rules, `${good}score\n`);
    await product.fails(["config", "apply"], /SpamAssassin refuses its configuration \(settings spam\.\*\)/);
    writeFileSync(rules, good);
    assert.equal(readFileSync(join(product.layout.spamAssassinConf, "own.cf"), "utf8"), good);
    const checked = (await product.cli(["config", "check"])).stdout;
    assert.match(checked, /Warning: spam\.allow_from trusts .* \*@friend\.test/);
  });

  test("rules come by a signed channel; unsigned ones and ones with an error never replace good ones", async () => {
    const scored = async (subject: string): Promise<string> => {
      await until("spamd answers", () => spamdAnswers(product));
      assert.equal((await send({ subject, body: "please frobnicate" })).code, 250);
      return arrived(subject);
    };
    const update = async (name: string) => {
      await product.configure("spam.update_channel", name);
      return product.cli(["spam", "update"]);
    };
    assert.doesNotMatch(await scored("before any"), /LAB_FETCHED/);
    const good = await update("good.test");
    assert.equal(good.stdout, "Version 100 of the rules is in use.\n", good.stderr);
    assert.match(await scored("by the channel"), /LAB_FETCHED/);
    const again = await product.cli(["spam", "update"]);
    assert.equal(again.stdout, "The newest version of the rules, 100, is already in use.\n", again.stderr);
    for (const name of ["unsigned.test", "broken.test"]) {
      const refused = await update(name);
      assert.equal(refused.code, 1, refused.stdout);
      assert.match(refused.stderr, /^No new rules were installed: .+[^.]\. The current rules stay in use\.\n$/);
      const mail = await scored(`after ${name}`);
      assert.match(mail, /LAB_FETCHED/);
      assert.doesNotMatch(mail, /^Subject: \[SPAM\]/m);
    }
    const report = JSON.stringify(await product.json(["report"], { deadlineMs: 60_000 }));
    assert.match(report, /"rules":\{"version":"100","at":"[^"]*","failure":"[^"]+"\}/);
  });

  test("a start without the file of spam.rules uses the rules that it held", async () => {
    const good = readFileSync(rules, "utf8");
    await product.stop();
    rmSync(rules);
    await product.start();
    assert.match(product.output, /The file \S+\/own\.cf of spam\.rules does not exist .* stay in use\./);
    assert.equal(readFileSync(join(product.layout.spamAssassinConf, "own.cf"), "utf8"), good);
    const check = await product.cli(["check", "--only", "permissions"]);
    assert.match(check.stderr, /named-files: The file \S+ of spam\.rules does not exist/);
    writeFileSync(rules, good);
  });

  test("a start without the mail key, which is in memory, stores new mail unencrypted, with an alert, until the key is there", async () => {
    const directory = mkdtempSync("/dev/shm/gi-key-");
    try {
      const key = join(directory, "mail.pem");
      await product.json(["config", "set", "mailboxes.encryption", "server"]);
      await product.json(["config", "set", "mailboxes.encryption_key", key]);
      for (const command of [["config", "check"], ["config", "apply"], ["restart"]]) {
        const { code, stderr } = await product.cli(command);
        assert.notEqual(code, 0);
        assert.match(stderr, /No key is made at \/dev\/shm\/gi-key-\w+\/mail\.pem/, command.join(" "));
      }
      await product.stop();
      await product.start();
      assert.match(product.output, /new mail is not encrypted as the settings say\. No key is made at/);
      const alerts = async (): Promise<boolean> =>
        (await product.cli(["status"])).stdout.includes("New mail is stored unencrypted");
      await until("the owner is alerted", alerts);
      // Other settings need not wait for the key.
      await product.configure("mailboxes.quota", "2GB");
      assert.ok(await alerts());
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
      writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
      assert.ok(await alerts(), "it is not used yet");
      await product.does(["config", "apply", "--yes"]);
      await until("the alert ends", async () => !(await alerts()));
      assert.ok(existsSync(product.layout.mailPublicKey));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
