import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeCheapRepository } from "../kit/cheap-repository.ts";
import { stopService } from "./content.ts";
import { encryptedMail } from "./encrypted-mail.ts";
import { setPassword } from "./first-accounts.ts";
import { endedWithKeys } from "./interrupted-restore.ts";
import { ANNA, authenticate, BERT, logIn, openImap, openSubmission } from "./mail.ts";
import { PASSWORD } from "./product.ts";
import { AWAY, HOME, signInsFrom } from "./sign-ins.ts";
import { median, until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const MEASUREMENTS = 3;
/** Mails of one account that its third and its eighth key open. */
const LATER = ["thirdsecret", "eighthsecret"] as const;
const WORDS = ["oldsecret", "firstsecret", "secondsecret", ...LATER, "ninthsecret", "plainsecret"];

/** For a server with these two accounts that accepts many connections. Measures time. */
export function signInsTests({ lab, product }: Running): void {
  const { signsIn, submits } = signInsFrom(lab.sender);

  test("an account signs in from its networks only, with the guard and without, and is not banned for it", async () => {
    await product.json(["account", "networks", BERT, "add", `${HOME}/32`, "2001:db8:b000::/36"]);
    assert.ok(await signsIn(BERT));
    assert.ok(await submits(BERT));
    assert.ok(await signsIn(BERT, PASSWORD, "2001:db8:b000::7"));
    assert.equal(await submits(BERT, PASSWORD, AWAY), false);
    const passwords = [PASSWORD, ...Array.from({ length: 6 }, (_, i) => `wrong ${i}`)];
    const tries = await Promise.all(passwords.map((password) => signsIn(BERT, password, AWAY)));
    assert.ok(tries.every((signedIn) => !signedIn));
    assert.equal(await product.banOf(AWAY), undefined);
    assert.ok(await signsIn(ANNA, PASSWORD, AWAY), "others may");
    assert.match((await product.cli(["why", AWAY])).stdout, /bert@.*sign-in came from outside the networks/);
    assert.match((await product.cli(["account", "list"])).stdout, new RegExp(`${BERT} .*UTC .*${HOME}`));
    const { stdout } = await product.cli(["account", "list", "--json"]);
    assert.match(stdout, /"bert@example\.test".*"lastSignInAt": "\d{4}-/);

    const guard = await stopService(product, "guard");
    try {
      await until("the stand-in answers", () => signsIn(ANNA));
      const all = [signsIn(BERT, PASSWORD, AWAY), submits(BERT, PASSWORD, AWAY), signsIn(BERT), submits(BERT)];
      assert.deepEqual(await Promise.all(all), [false, false, true, true]);
    } finally {
      await guard.start();
    }
    await product.json(["account", "networks", BERT, "remove", `${HOME}/32`, "2001:db8:b000::/36"]);
    assert.ok(await signsIn(BERT, PASSWORD, AWAY));
  });

  test("the server's networks hold for every account", async () => {
    const before = readFileSync(product.layout.settings, "utf8");
    writeFileSync(product.layout.settings, `${before}logins.networks = ["${HOME}"]\n`);
    // It turns away who signed in from elsewhere.
    await product.fails(["config", "apply"], /anna@example\.test/);
    await product.json(["config", "apply", "--yes"]);
    const all = [signsIn(ANNA), signsIn(ANNA, PASSWORD, AWAY), submits(ANNA, PASSWORD, AWAY)];
    assert.deepEqual(await Promise.all(all), [true, false, false]);
    writeFileSync(product.layout.settings, before);
    await product.json(["config", "apply"]);
    assert.ok(await signsIn(ANNA, PASSWORD, AWAY));
  });

  test("neither the reply nor its time tells a wrong password from an unknown or suspended account", async () => {
    await product.addAccount("gone@example.test");
    await product.json(["account", "suspend", "gone@example.test"]);
    const names = [ANNA, `nobody-${randomBytes(3).toString("hex")}@example.test`, "gone@example.test"];
    // A busy machine delays some answers at random; a real difference between accounts shows in every measurement.
    let found: readonly string[] = ["nothing was measured"];
    for (let n = 0; n < MEASUREMENTS && found.length > 0; n++) {
      found = await differences(n, names);
      if (found.length > 0) console.log(`measurement ${n + 1}: ${found.join("; ")}`);
    }
    assert.deepEqual(found, []);
  });

  test("mail is encrypted with a key that the password of its account opens, or the owner's recovery key", async () => {
    const file = lab.path("recovery.pem");
    const mail = encryptedMail({ lab, product }, { account: ANNA, from: HOME });
    const cli = product.prints;
    const opens = (read: () => Promise<string>, words: readonly string[]) =>
      until(`it opens ${words.join(", ")} and no other`, async () => {
        const all = await read().catch(() => "");
        return WORDS.filter((word) => all.includes(`bodysecret of ${word}`)).join() === words.join();
      });
    const can = (password: string, ...words: readonly string[]) => opens(() => mail.read(password), words);
    /** Reads only the newest mail, because with eight keys each session costs seconds. Earlier checks showed older mail to be locked. */
    let beside = "";
    const canOfLate = (folder: string, password: string, ...words: readonly string[]) =>
      opens(async () => {
        const read = await mail.readNewest(password, folder);
        beside = read.beside;
        return read.newest;
      }, words);
    const [first, second, third] = ["purple monkey dishwasher", "it's 100%u unusual %{lamps}", "orchid kettle lantern"];
    const passwd = `account passwd ${ANNA} --password-stdin`;

    await product.json(["config", "set", "mailboxes.encryption", "account"]);
    assert.match(await cli("config apply --yes"), /Make one first: run `encryption recovery-key`/);
    writeFileSync(file, (await product.cli(["encryption", "recovery-key"])).stdout);
    await cli("config apply --yes");
    await mail.write("oldsecret");
    const noKeys =
      /^0 accounts have their own keys.*\nThe server's key encrypts the mail of anna@example\.test, bert@/m;
    assert.match(await cli("encryption show"), noKeys);

    await cli(passwd, first);
    await mail.write("firstsecret");
    await until("it is nowhere in clear", async () => (await mail.onDisk("bodysecret")) === "");
    await can(first, "oldsecret", "firstsecret");
    assert.match(await mail.find(first, "firstsecret"), /bodysecret of firstsecret/, "IMAP searches it");
    assert.match(await cli("encryption key"), /BEGIN PRIVATE KEY/);
    assert.match(await cli("encryption lock --yes"), /^Locked/);
    await can(first, "firstsecret");
    assert.match(await cli(`account quota ${ANNA}`), /^anna@example\.test uses \S+ [KM]?B for \d+ mails/);
    await mail.append(first, "Sent");
    assert.equal(await mail.onDisk("bodysecret"), "");
    assert.match(await mail.read(first, "Sent"), /bodysecret of what was sent/);
    await mail.copy(first, "Trash");
    await product.configure("retention.mail", '["Trash 1s"]');
    await until("what is old has gone, without any key", async () => {
      await product.json(["retention", "run", "--yes"]);
      return (await mail.count("Trash")) === 0;
    });

    assert.match(await cli(passwd, second), /Its older mail is locked until you open it/);
    assert.match(await cli("encryption show"), /^Older mail of anna@example\.test is locked, /m);
    await mail.write("secondsecret");
    await can(second, "secondsecret");
    const asRoot = ["doveadm", "-c", product.layout.dovecotConf, "fetch", "-u", ANNA, "body", "all"];
    assert.doesNotMatch((await lab.server.exec(asRoot)).stdout, /bodysecret/);

    makeCheapRepository(product.layout);
    await product.json(["backup", "create"]);
    const restore = `backup restore --account ${ANNA} --message firstsecret@sender.test --into Back`;
    assert.match(await cli(`backup restore --account ${ANNA} --folder INBOX --into All`), /^\d+ mails of/);
    assert.match(await mail.read(second, "All.INBOX"), /bodysecret of secondsecret/);
    assert.match(await cli(restore), /is encrypted with its own keys\./);
    await endedWithKeys(product, `${restore} --recovery-key ${file}`.replace("--into Back", "--into Part").split(" "));
    assert.match(await cli(`${restore} --recovery-key ${file}`), /^1 mail of .* is below the folder “Back”/);
    assert.equal(await mail.onDisk("bodysecret"), "");

    const recover = `encryption recover ${ANNA} --password-stdin --recovery-key ${file}`;
    assert.match(await cli(recover, second), /all its mail/);
    await can(second, "firstsecret", "secondsecret");
    assert.doesNotMatch(await cli(`${passwd} --recovery-key ${file}`, third), /locked/);
    assert.match(await cli("audit list"), /MAIL_KEYS_RECOVERED +anna@/);

    // Each password makes a key, the third to the eighth. Commands would only cost time.
    assert.match(await cli(passwd, `${third} 3`), /older mail is locked/);
    await mail.write(LATER[0]);
    for (const place of [4, 5, 6, 7]) await setPassword(product.layout, ANNA, `${third} ${place}`);
    assert.match(await cli(passwd, `${third} 8`), /older mail is locked/);
    await mail.write(LATER[1]);
    const full =
      /^anna@example\.test has 8 keys, and a password opens at most 8: with another one, its oldest mail could/;
    assert.match(await cli(passwd, third), full, "nothing puts mail out of reach in passing");
    assert.match(await cli(recover, `${third} 8`), /can read all its mail again/);
    await canOfLate("Back.INBOX", `${third} 8`, "firstsecret", "secondsecret", ...LATER);
    assert.match(beside, /bodysecret of firstsecret/);
    await cli(`account remove ${ANNA} --yes`);
    assert.match(await cli(`account add ${ANNA} --password-stdin`, third), /Its oldest key stays locked/);
    await mail.write("ninthsecret");
    assert.match(await cli(recover, third), /can read its newer mail again.* Its oldest key stays locked/);
    const oldest = restore.replace("--into Back", "--into Oldest");
    assert.match(await cli(`${oldest} --recovery-key ${file}`), /^1 mail of .* is below the folder “Oldest”/);

    await product.configure("mailboxes.encryption", "off");
    await mail.write("plainsecret");
    assert.match(await mail.onDisk("plainsecret"), /Maildir/);
    await canOfLate("Oldest.INBOX", third, "secondsecret", ...LATER, "ninthsecret", "plainsecret");
    assert.match(beside, /bodysecret of firstsecret/);
  });

  /** How each account's time differs from the first's. Each sign-in comes from a different network. */
  async function differences(measurement: number, names: readonly string[]): Promise<readonly string[]> {
    const words = new Set<string>();
    const verified = new Map<string, number[]>(names.map((name) => [name, []]));
    const answered = new Map<string, number[]>(names.map((name) => [name, []]));
    const starts = new Map<string, { name: string; startedAt: number }>();
    async function tries(name: string, door: "imap" | "submission", from: string): Promise<void> {
      const open = door === "imap" ? openImap(lab.sender, from) : openSubmission(lab.sender, from, 465);
      const dialog = await open;
      const startedAt = Date.now();
      const began = performance.now();
      const answer = await (door === "imap" ? logIn(dialog, name, "wrong") : authenticate(dialog, name, "wrong"));
      answered.get(name)?.push(performance.now() - began);
      words.add(`${door}: ${JSON.stringify(answer)}`);
      dialog.close();
      starts.set(from, { name, startedAt });
    }
    for (let round = 0; round < 3; round++) {
      const network = (place: number): string => `2001:db8:b${measurement}00:${100 + round * 6 + place}::1`;
      const both = (name: string, i: number) => [
        tries(name, "imap", network(2 * i)),
        tries(name, "submission", network(2 * i + 1)),
      ];
      await Promise.all(names.flatMap(both));
    }
    assert.equal(words.size, 2, [...words].join("\n"));
    // Dovecot reports after verifying and before it delays its answer, so this is the precise measure.
    const reports = await product.sqlite("SELECT ip, at FROM event WHERE type = 'LOGIN_FAILED'");
    for (const [ip = "", at = ""] of reports) {
      const start = starts.get(ip);
      if (start !== undefined) verified.get(start.name)?.push(Number(at) - start.startedAt);
    }
    for (const [name, times] of verified) assert.equal(times.length, 6, `reports of ${name}`);
    const [known = 0, ...others] = names.map((name) => median(verified.get(name) ?? []));
    const [slow = 0, ...rest] = names.map((name) => median(answered.get(name) ?? []));
    const quick = others.filter((ms) => ms <= known / 3);
    // Dovecot answers failures at multiples of half a second, so a difference of one step means nothing.
    const different = rest.filter((ms) => Math.abs(ms - slow) >= 600);
    return [
      ...quick.map((ms) => `verified after ${ms} ms, a known one after ${known} ms`),
      ...different.map((ms) => `answered after ${ms} ms, not ${slow} ms`),
    ];
  }
}
