import assert from "node:assert/strict";
import { createHash, createPrivateKey } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { before, describe, test } from "node:test";
import { lacking, ROOT } from "../../../../../test/kit/needs.ts";
import { guardOfSuite, start, TIMED } from "../../../../../test/kit/test-guard.ts";
import { KEYS_OF_AN_ACCOUNT } from "../../../../admin/declare/account-key.ts";
import { mailCryptOf } from "../../../../mail/configuration/site.ts";
import { prepareMailKeys, publicHalf } from "../../../../mail/dovecot/mail-keys.ts";
import { sqliteAccountKeys } from "../../../../store/accounts-db/account-keys.ts";
import { makeAccountKey, makeRecoveryKeys } from "../../../../store/passwords/account-key.ts";

const ANNA = "anna@example.org";
const CARL = "carl@example.org";
const [FIRST, SECOND, THIRD] = ["correct horse battery", "purple monkey dishwasher", "lamp orchid kettle"];
/** The hash of `SECOND`, made by `doveadm pw -s SHA512-CRYPT`. */
const SECOND_CRYPT =
  "{SHA512-CRYPT}$6$wmD00eXDiuCLcYTl$80VzU/4g1Q/FFSMkiD2Tx4DwwKxzS8Su9Cl125KUkZVg20mhUGM6Rf2aGyrGKeONgnHU4Qpu00chICEw0KeiB.";

describe("keys of accounts", { ...ROOT, timeout: 2 * TIMED.timeout }, () => {
  const { layout, run, guard, does, fails } = guardOfSuite();
  const file = join(layout.data, "owner.pem");
  before(async () => {
    mkdirSync(dirname(layout.mailRecoveryKey), { recursive: true });
    encrypt("account");
  });
  const encrypt = (how: "server" | "account"): void =>
    writeFileSync(layout.settings, `domains = ["example.org"]\nmailboxes.encryption = "${how}"\n`);
  /** How many keys Dovecot finds; this password must open all of them. */
  const opened = (password: string, account = ANNA): number => {
    using db = new DatabaseSync(layout.accountsDb, { readOnly: true });
    const { user: _, ...keys } = db.prepare("SELECT * FROM opened_key WHERE user = ?").get(account) ?? {};
    const passphrase = createHash("sha256").update(password).digest("hex");
    const found = Object.values(keys).filter((key) => key !== null);
    for (const key of found) createPrivateKey({ key: Buffer.from(String(key), "base64"), passphrase });
    return found.length;
  };

  test("a recovery key that could not be written out is not kept", async () => {
    const words = "encryption recovery-key";
    const full = await start(layout, "sh", ["-c", `exec ./ghostinbox ${words} > /dev/full`]).ended;
    const { child, ended } = start(layout, "./ghostinbox", words.split(" "));
    child.stdout.destroy();
    for (const { code, err } of [full, await ended]) {
      assert.match(err, /^The recovery key could not be written out: .*(ENOSPC|EPIPE).*\. Nothing was changed\. /);
      assert.equal(code, 1);
    }
    assert.ok(!existsSync(layout.mailRecoveryKey));
    const into = join(layout.data, "written.pem");
    const written = await start(layout, "sh", ["-c", `exec ./ghostinbox ${words} > ${into}`]).ended;
    assert.equal(written.code, 0, written.err);
    assert.equal(publicHalf(readFileSync(into, "utf8")), readFileSync(layout.mailRecoveryKey, "utf8"));
  });

  test("the recovery key is shown once, and its private half is not kept", async () => {
    const before = readFileSync(layout.mailRecoveryKey, "utf8");
    const says = /^There is a recovery key, and new accounts use it while .*config set .* server && .* config apply$/m;
    await fails("encryption recovery-key", says);
    assert.equal(readFileSync(layout.mailRecoveryKey, "utf8"), before);
    encrypt("server");
    const made = await run("encryption recovery-key");
    assert.match(made.err, /^It replaces the previous recovery key, which opens nothing\./);
    assert.notEqual(readFileSync(layout.mailRecoveryKey, "utf8"), before);
    assert.equal(publicHalf(made.out), readFileSync(layout.mailRecoveryKey, "utf8"));
    assert.match(made.out, /^-----BEGIN PRIVATE KEY-----\n[^]*-----END PRIVATE KEY-----\n$/, made.err);
    writeFileSync(file, made.out);
    assert.match(readFileSync(layout.mailRecoveryKey, "utf8"), /^-----BEGIN PUBLIC KEY-----/);
    assert.equal(statSync(layout.mailRecoveryKey).mode & 0o777, 0o600);
  });

  test("an account that gets a key while another recovery key is shown keeps its own", async (t) => {
    const before = readFileSync(layout.mailRecoveryKey, "utf8");
    const { engine } = guard();
    const audit = engine.audit.bind(engine);
    const recorded = t.mock.method(engine, "audit", async (...asked: Parameters<typeof audit>) => {
      recorded.mock.restore();
      encrypt("account");
      await does("account add dora@example.org --password-stdin", FIRST);
      return audit(...asked);
    });
    const late = await run("encryption recovery-key");
    assert.match(late.out, /^-----BEGIN PRIVATE KEY-----\n/);
    assert.match(late.err, /^There is a recovery key, which accounts use: .* Discard the key that was just shown\./);
    assert.deepEqual([late.code, readFileSync(layout.mailRecoveryKey, "utf8")], [1, before]);
    await does(`encryption recover dora@example.org --password-stdin --recovery-key ${file}`, FIRST);
  });

  test("an account gets a key with its password; a new password locks it, and says so", async () => {
    await does(`account add ${ANNA} --password-stdin`, FIRST);
    assert.equal(opened(FIRST), 1);
    await fails("encryption recovery-key", /^There is a recovery key, which accounts use/);
    renameSync(layout.mailRecoveryKey, `${layout.mailRecoveryKey}.away`);
    await fails("encryption recovery-key", /^Accounts use a recovery key that this machine no longer has/);
    renameSync(`${layout.mailRecoveryKey}.away`, layout.mailRecoveryKey);
    const tells = / Its older mail is locked until you open it: \.\/ghostinbox encryption recover anna@example\.org/;
    assert.match(await does(`account passwd ${ANNA} --password-stdin`, SECOND), tells);
    assert.equal(opened(SECOND), 1);
    const why = await run(`why --account ${ANNA}`);
    const reported = "its own, which the password opens; older mail is locked: ./ghostinbox encryption recover";
    assert.match(why.out, new RegExp(`^ {2}key of its mail +${reported} ${ANNA} --recovery-key FILE$`, "m"));
    assert.match(why.err, /^Next: \.\/ghostinbox encryption recover anna@/m);
  });

  test("a wrong key or password opens nothing and changes nothing", async () => {
    const other = join(layout.data, "other.pem");
    writeFileSync(other, (await makeRecoveryKeys()).privateKey);
    const recover = `encryption recover ${ANNA} --password-stdin`;
    await fails(recover, /^Without the recovery key nothing can be opened\./, { code: 2, input: SECOND });
    for (const [line, input, says] of [
      [`${recover} --recovery-key /nonexistent`, SECOND, /^\/nonexistent holds no recovery key/],
      [`${recover} --recovery-key ${other}`, SECOND, /^This is another recovery key/],
      [`${recover} --recovery-key ${file}`, FIRST, /^This is not the password of anna@example\.org\./],
      [`${recover} --recovery-key ${file}`, "", /^The first line of standard input held no password/],
      [`encryption recover bea@example.org --recovery-key ${file}`, SECOND, /^There is no account bea@example\.org\./],
      [`account passwd ${ANNA} --password-stdin --recovery-key ${other}`, THIRD, /^This is another recovery key/],
    ] as const)
      await fails(line, says, { input });
    assert.equal(opened(SECOND), 1);
  });

  test("with the recovery key, the current password opens all mail, and so does a new one", async () => {
    const recovered = await run(`encryption recover ${ANNA} --password-stdin --recovery-key ${file}`, SECOND);
    assert.match(recovered.out, /^anna@example\.org can read all its mail again/, recovered.err);
    assert.equal(opened(SECOND), 2);
    assert.deepEqual(guard().asked.at(-1), { verb: "kick_account", account: ANNA });
    const reset = await run(`account passwd ${ANNA} --password-stdin --recovery-key ${file}`, THIRD);
    assert.equal(reset.out, `${ANNA} has a new password; its open sessions were ended.\n`, reset.err);
    assert.equal(opened(THIRD), 2);
    const { out } = await run("audit list");
    assert.equal([...out.matchAll(/RECOVERY_KEY_MADE +[0-9a-f]{64}\n/g)].length, 3);
    const types = [...out.matchAll(/ root +([A-Z_]+) +anna@/g)].map(([, type]) => type);
    const [made, set, again] = ["MAIL_KEY_MADE", "PASSWORD_CHANGED", "MAIL_KEYS_RECOVERED"];
    assert.deepEqual(types, ["ACCOUNT_ADDED", made, set, made, again, set, again]);
  });

  test("a ninth key is not made by accident, and one that stays locked is reported", async () => {
    const reset = `account passwd ${CARL} --password-stdin`;
    await does(`account add ${CARL} --password-stdin`, FIRST);
    const owner = readFileSync(layout.mailRecoveryKey, "utf8");
    const more = Array.from({ length: KEYS_OF_AN_ACCOUNT - 1 }, () => makeAccountKey(SECOND, owner));
    using db = new DatabaseSync(layout.accountsDb);
    sqliteAccountKeys(db).keep(CARL, "of an older password", await Promise.all(more));
    const refused = /^carl@example\.org has 8 keys, and a password opens at most 8: .*--recovery-key FILE$/m;
    await fails(reset, refused, { input: SECOND });
    await does(`${reset} --recovery-key ${file}`, SECOND);
    assert.equal(opened(SECOND, CARL), 8);
    await does("incident open a drill");
    const contained = await run(`incident contain ${CARL} --yes`);
    const says = / older mail is locked .*\. Its oldest key stays locked: a password opens only 8; /;
    assert.match(contained.out, says, contained.err);
    const [, random = ""] = /^carl@example\.org {2}(\S+)$/m.exec(contained.out) ?? [];
    const tells = /^carl@example\.org can read its newer mail again; .* Its oldest key stays locked: /;
    assert.match(await does(`encryption recover ${CARL} --password-stdin --recovery-key ${file}`, random), tells);
    assert.equal(opened(random, CARL), 8);
    await does(`account remove ${CARL} --yes`);
    const again = await run(`account add ${CARL} --password-stdin`, FIRST);
    assert.match(again.out, / can receive, .* older mail is locked until .*\. Its 2 oldest keys stay locked: /);
  });

  test("a password whose hash comes from the accounts file opens the keys too", {
    skip: lacking({ installed: ["doveadm"] }),
  }, async () => {
    using db = new DatabaseSync(layout.accountsDb);
    const setHash = (hash: string) => db.prepare("UPDATE account SET password = ? WHERE name = ?").run(hash, ANNA);
    const recover = `encryption recover ${ANNA} --password-stdin --recovery-key ${file}`;
    setHash("{NO-SUCH}x");
    assert.match((await run(recover, SECOND)).err, /^The password of anna@example\.org could not be verified: /);
    setHash(SECOND_CRYPT);
    assert.match((await run(recover, FIRST)).err, /^This is not the password of anna@example\.org\./);
    assert.match(await does(recover, SECOND), /^anna@example\.org can read all its mail again/);
    assert.equal(opened(SECOND), 2);
  });

  test("without encryption no new keys are made, and existing ones can be opened again", async () => {
    writeFileSync(layout.settings, 'domains = ["example.org"]\n');
    await does("account add bert@example.org --password-stdin", FIRST);
    assert.match(await does(`account passwd ${ANNA} --password-stdin`, SECOND), /older mail is locked until/);
    assert.equal(opened(SECOND), 0);
    await does(`account passwd ${ANNA} --password-stdin --recovery-key ${file}`, FIRST);
    assert.equal(opened(FIRST), 2);
    const recover = `encryption recover bert@example.org --recovery-key ${file} --password-stdin`;
    await fails(recover, /^bert@example\.org never had its own key\./, { input: FIRST });
  });
});

describe("the server's key", { ...TIMED, ...ROOT }, () => {
  const { layout, does, guard, fails } = guardOfSuite();
  before(() => {
    const settings = { "mailboxes.encryption": "server", "mailboxes.encryption_key": "" } as const;
    writeFileSync(layout.settings, 'domains = ["example.org"]\nmailboxes.encryption = "server"\n');
    for (const path of [layout.mailPublicKey, layout.mailPrivateKey, layout.mailKeyConf])
      mkdirSync(dirname(path), { recursive: true });
    assert.ok(prepareMailKeys({ mailCrypt: mailCryptOf(settings, layout), layout }).ok);
  });

  test("counts as displayed only once all of it was written", async () => {
    const full = await start(layout, "sh", ["-c", "exec ./ghostinbox encryption key > /dev/full"]).ended;
    assert.deepEqual([full.code, existsSync(layout.mailKeySeen)], [1, false], full.err);
    const shown = await does("encryption key --json");
    assert.deepEqual(JSON.parse(shown), { key: readFileSync(layout.mailPrivateKey, "utf8") });
    assert.ok(existsSync(layout.mailKeySeen));
  });

  test("counts as locked only once Dovecot was restarted without it", async () => {
    writeFileSync(layout.mailKeySeen, "");
    for (const reason of ["The keeper is not running.", "dovecot could not be restarted: timeout"]) {
      guard().keeperAnswers(() => ({ ok: false, reason }));
      const says = /^Dovecot keeps its old settings: .*(?:running|timeout)\. Once .* try again\.$/m;
      await fails("encryption lock --yes", says);
    }
    guard().keeperAnswers(() => null);
    guard().asked.splice(0);
    assert.match(await does("encryption lock --yes"), /^It is locked already\. Dovecot was restarted/);
    assert.deepEqual(guard().asked, [{ verb: "restart", service: "dovecot" }]);
  });
});
