import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Finished, guardOfSuite, json, TIMED } from "../../../../../test/kit/test-guard.ts";

const HASH = `{SHA512-CRYPT}$6$saltsalt$${"a".repeat(86)}`;

describe("accounts of a file", TIMED, () => {
  const { layout, run, does } = guardOfSuite();
  const file = join(layout.data, "postfix-accounts.cf");
  const importing = (text: string): Promise<Finished> => {
    writeFileSync(file, text);
    return run(`account import ${file}`);
  };

  test("a file is imported: hashes as they are, clear text hashed, the weak and the foreign named", async () => {
    const text = `# ours\r\nAnna@example.org|${HASH}\r\nbert@example.org|{PLAIN}hello|userdb_quota_rule=*:storage=1G|userdb_mail=maildir:~/mail\r\ncarl@elsewhere.test|${HASH}\r\n`;
    const { code, out, err } = await importing(text);
    assert.equal(code, 0, err);
    assert.match(out, /^2 accounts imported\.$/m);
    assert.match(
      out,
      /^Not imported: carl@elsewhere\.test has the domain elsewhere\.test, which is not a mail domain/m,
    );
    assert.match(out, /^Ignored in line 3: userdb_mail of bert@example\.org\.$/m);
    assert.match(out, /^Weak: bert@example\.org: The password is too short/m);
    assert.match(await does("account list"), /^bert@example\.org +active/m);
    const again = json(await run(`account import ${file} --json`));
    assert.ok(typeof again === "object" && again !== null && "added" in again);
    assert.deepEqual(again.added, []);
  });

  test("a file with an invalid line is not imported at all", async () => {
    const { code, err } = await importing(`dora@example.org|${HASH}\nemil@example.org|${HASH.slice(0, 40)}\n`);
    assert.equal(code, 1);
    assert.match(err, /^- Line 2: the password of emil@example\.org is not a complete hash/m);
    assert.match(err, /Nothing was imported: 1 line of/);
    assert.doesNotMatch(await does("account list"), /dora/);
    assert.match((await importing("# nothing\n")).err, /names no account/);
    assert.match((await run("account import /nonexistent")).err, /^\/nonexistent does not exist\.$/m);
    assert.match((await run(`account import ${layout.data}`)).err, /is not a file/);
  });
});
