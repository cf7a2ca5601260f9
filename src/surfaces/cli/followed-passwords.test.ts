import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { judgeFollowed, weakLines } from "./passwords.ts";

const skip = lacking({ root: true });

test("judges clear text in the followed file, with the reason, but not hashes and other accounts", {
  skip,
}, async () => {
  const path = join(temporaryDirectory(), "postfix-accounts.cf");
  const hash = `{SHA512-CRYPT}$6$saltsalt$${"a".repeat(86)}`;
  writeFileSync(
    path,
    `anna@example.org|{PLAIN}anna1234\nbert@example.org|{PLAIN}seven quiet llamas rowing\ncara@example.org|${hash}\ndora@example.org|{PLAIN}x\n`,
  );
  const accounts = ["anna", "bert", "cara"].map((name) => ({ name: `${name}@example.org`, origin: "listed" }) as const);
  const found = await judgeFollowed(path, [...accounts, { name: "dora@example.org", origin: "command" }]);
  assert.deepEqual([...found.judged], ["anna@example.org", "bert@example.org"]);
  assert.deepEqual([...found.weak.keys()], ["anna@example.org"]);
  assert.match(weakLines(found).join("\n"), /anna@example\.org: The password is too short/);
  assert.deepEqual(weakLines(await judgeFollowed("", accounts)), []);
  assert.equal((await judgeFollowed(join(path, "none"), accounts)).judged.size, 0);
});
