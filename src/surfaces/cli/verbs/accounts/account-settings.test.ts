import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { put } from "../../../../../test/kit/files.ts";
import { type Finished, guardOfSuite, json, PASSWORD, TIMED } from "../../../../../test/kit/test-guard.ts";

const ANNA = "anna@example.org";
const ELSEWHERE = "anna@elsewhere.example";
const HASH = `{SHA512-CRYPT}$6$saltsalt$${"a".repeat(86)}`;

describe("settings of an account", TIMED, () => {
  const { layout, run, guard, does, fails } = guardOfSuite();
  const file = join(layout.data, "postfix-accounts.cf");
  const importing = (text: string): Promise<Finished> => {
    writeFileSync(file, text);
    return run(`account import ${file}`);
  };
  before(() => importing(`${ANNA}|{PLAIN}hello\nbert@example.org|{PLAIN}hello|userdb_quota_rule=*:storage=1G\n`));

  test("a file is imported: hashes as they are, clear text hashed, the weak and the foreign named", async () => {
    const text = `# ours\r\nGina@example.org|${HASH}\r\nhans@example.org|{PLAIN}hello|userdb_quota_rule=*:storage=1G|userdb_mail=maildir:~/mail\r\ncarl@elsewhere.test|${HASH}\r\n`;
    const { code, out, err } = await importing(text);
    assert.equal(code, 0, err);
    assert.match(out, /^2 accounts imported\.$/m);
    assert.match(
      out,
      /^Not imported: carl@elsewhere\.test has the domain elsewhere\.test, which is not a mail domain/m,
    );
    assert.match(out, /^Ignored in line 3: userdb_mail of hans@example\.org\.$/m);
    assert.match(out, /^Weak: hans@example\.org: The password is too short/m);
    assert.match(await does("account list"), /^hans@example\.org +active/m);
    assert.partialDeepStrictEqual(json(await run(`account import ${file} --json`)), { added: [] });
  });

  test("a file with an invalid line is not imported at all", async () => {
    const { code, err } = await importing(`dora@example.org|${HASH}\nemil@example.org|${HASH.slice(0, 40)}\n`);
    assert.equal(code, 1);
    assert.match(err, /^- Line 2: the password of emil@example\.org is not a complete hash/m);
    assert.match(err, /Nothing was imported: 1 line of/);
    assert.doesNotMatch(await does("account list"), /dora/);
    assert.match((await importing("# nothing\n")).err, /names no account/);
    await fails("account import /nonexistent", /^\/nonexistent does not exist\.$/m);
    await fails(`account import ${layout.data}`, /is not a file/);
  });

  test("adding an account names the Sieve script that a removed account of that name left", async () => {
    const script = join(layout.mail, "example.org", "info", ".dovecot.sieve");
    put(script, 'redirect "info@elsewhere.example";');
    const says = await does("account add info@example.org --password-stdin", `${PASSWORD}\n`);
    assert.ok(says.includes(` Its mail passes a Sieve script that already exists: ${script}.`), says);
    assert.doesNotMatch(await does("account add office@example.org --password-stdin", `${PASSWORD}\n`), /Sieve/);
    for (const name of ["info", "office"]) await does(`account remove ${name}@example.org --yes`);
  });

  test("the default quota is that of the settings, and an imported account keeps its own", async () => {
    const shown = await run(`account quota ${ANNA}`);
    assert.equal(shown.out, `${ANNA} uses 5.0 MB for 12 mails; its quota is 5GB (mailboxes.quota).\n`);
    const { out } = await run("account list");
    assert.match(out, /^ACCOUNT .* QUOTA +FROM$/m);
    assert.match(out, /^anna@example\.org .* default +anywhere$/m);
    assert.match(out, /^bert@example\.org .* 1GB +anywhere$/m);
  });

  test("an account's quota is set, lifted, or reset to the default", async () => {
    const set = await run(`account quota ${ANNA} 500mb`);
    assert.equal(set.out, `The quota of ${ANNA} is 500MB now.\n`);
    assert.equal(set.err, `Next: ./ghostinbox queue flush --recipient ${ANNA}  # if mail waits for room\n`);
    const use = { usedBytes: 5 * 1024 ** 2, mails: 12 };
    assert.deepEqual(json(await run(`account quota ${ANNA} --json`)), { name: ANNA, quotaBytes: 500 * 1024 ** 2, use });
    assert.match(await does(`account quota ${ANNA} none`), /^The quota of anna@example\.org is unlimited now\.$/m);
    assert.match(await does("account list"), /^anna@example\.org .* none +anywhere$/m);
    assert.match(await does(`account quota ${ANNA} default`), /is 5GB \(mailboxes\.quota\) now/);
  });

  test("a mailbox of many small mails shows how many it may hold", async () => {
    guard().keeperAnswers(({ verb }) =>
      verb === "mailbox_use" ? { ok: true, detail: "", mailbox: { usedBytes: 5 * 1024 ** 2, mails: 327_680 } } : null,
    );
    const shown = await run(`account quota ${ANNA}`);
    assert.match(shown.out, / 5\.0 MB for 327680 mails; its quota is 5GB and 327680 mails \(mailboxes\.quota\)\.$/m);
  });

  test("forwarding is set, shown and ended", async () => {
    assert.match(await does(`account forward ${ANNA}`), /^Mail for anna@example\.org stays in its mailbox\.$/m);
    await run(`account forward ${ANNA} ${ELSEWHERE} --no-keep`);
    const shown = await does(`account forward ${ANNA}`);
    assert.match(shown, /^Mail for anna@example\.org is sent on to anna@elsewhere\.example, and none stays/m);
    assert.match(shown, /^Other servers may refuse .* \(outbound\.relay\) .* Refused mail is lost\.$/m);
    await run(`account forward ${ANNA} ${ELSEWHERE} --keep`);
    const kept = await does(`account forward ${ANNA}`);
    assert.match(kept, /, and a copy stays in its mailbox\.\nOther servers may refuse .* refuse it all\.$/m);
    assert.match(await does(`alias add info@example.org ${ELSEWHERE}`), /^Other servers may refuse /m);
    assert.doesNotMatch(await does(`alias add team@example.org ${ANNA}`), /refuse/);
    const more = await does("alias add team@example.org bert@example.org");
    assert.match(more, /^team@example\.org now passes mail on to anna@example\.org, bert@example\.org\.$/m);
    await does("alias block info@example.org");
    const blocked = await run(`alias add info@example.org ${ANNA}`);
    assert.match(blocked.out, /^info@example\.org is blocked\. Once unblocked, it passes mail on to /);
    assert.equal(blocked.err, "Next: ./ghostinbox alias unblock info@example.org\n");
    const asJson = async (words: string): Promise<unknown> => JSON.parse(await does(`account forward --json ${words}`));
    assert.deepEqual(await asJson(ANNA), await asJson(`${ANNA} ${ELSEWHERE}`), "the same when shown and set");
    assert.match(await does(`account forward ${ANNA} --off`), /stays in its mailbox/);
  });

  test("an app password is shown once, and listed without it", async () => {
    const made = await does(`account app-password add ${ANNA} Annas Laptop`);
    const [password = ""] = made.split("\n");
    const says = /^[a-z2-9]{5}(-[a-z2-9]{5}){3}\nType it into Annas Laptop, with the user name anna@example\.org\./;
    assert.match(made, says);
    const listed = await does(`account app-password list ${ANNA}`);
    assert.match(listed, /^Annas Laptop +never +\d\S+ \S+ UTC +root$/m);
    assert.ok(password !== "" && !listed.includes(password));
    await does(`account app-password remove ${ANNA} Annas Laptop`);
    assert.match(await does(`account app-password list ${ANNA}`), /has no app password/);
    await does(`account app-password add ${ANNA} phone`);
    const changed = (): Promise<string> => does(`account passwd ${ANNA} --password-stdin`, `${PASSWORD}\n`);
    assert.match(
      await changed(),
      /; its open sessions were ended\. Its app passwords are removed: all its mail programs/,
    );
    assert.doesNotMatch(await changed(), /app passwords/);
    assert.equal((await run("account app-password list nobody@example.org")).code, 1);
    assert.equal((await run(`account app-password add ${ANNA}`)).code, 2);
  });

  test("networks of an account are added, listed and removed, and its sessions end", async () => {
    const added = await does(`account networks ${ANNA} add 203.0.113.9/24 2001:db8::7`);
    assert.match(added, /may sign in from 2001:db8::7, 203\.0\.113\.0\/24 only/);
    assert.deepEqual(guard().asked.at(-1), { verb: "kick_account", account: ANNA });
    assert.match(await does("account list"), /^anna@example\.org .* 2001:db8::7, 203\.0\.113\.0\/24$/m);
    assert.match(await does(`account networks ${ANNA} list`), /from 2001:db8::7, 203/);
    await does(`account networks ${ANNA} remove 2001:db8::7`);
    assert.match(await does(`account networks ${ANNA} remove 203.0.113.0/24`), /from anywhere/);
  });

  for (const [line, code, says] of [
    [`account quota ${ANNA} much`, 2, /"much" is not a size\. Write 500MB or 10GB, none or default\./],
    [`account quota ${ANNA} -5`, 2, /^Unknown option -5\./],
    ["account quota nobody@example.org", 1, /There is no account nobody@example\.org\./],
    [`account forward ${ANNA} ${ELSEWHERE} --keep --no-keep`, 2, /^Give one of --keep, --no-keep/],
    [`account forward ${ANNA} --no-keep`, 2, /^There is nothing to set\./],
    [`account networks ${ANNA}`, 2, /needs add\|remove\|list/],
    [`account networks ${ANNA} allow 203.0.113.7`, 2, /Use add, remove or list/],
    [`account networks ${ANNA} add`, 2, /no network to add/],
    [`account networks ${ANNA} add nonsense`, 2, /"nonsense" is not a network/],
    [`account networks ${ANNA} add 0.0.0.0/0`, 2, /not a network that restricts/],
    [`account networks ${ANNA} remove 203.0.113.7`, 1, /is not restricted to 203\.0\.113\.7/],
  ] as const)
    test(`refused: ${line}`, () => fails(line, says, { code }));
});
