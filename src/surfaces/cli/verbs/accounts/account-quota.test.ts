import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { guardOfSuite, json, oneLineOfError, TIMED } from "../../../../../test/kit/test-guard.ts";

const ANNA = "anna@example.org";

describe("quotas of mailboxes", TIMED, () => {
  const { layout, run, guard } = guardOfSuite();
  before(async () => {
    const file = join(layout.data, "postfix-accounts.cf");
    writeFileSync(file, `${ANNA}|{PLAIN}hello\nbert@example.org|{PLAIN}hello|userdb_quota_rule=*:storage=1G\n`);
    await run(`account import ${file}`);
  });

  test("the default is that of the settings, and an imported account keeps its own", async () => {
    const shown = await run(`account quota ${ANNA}`);
    assert.equal(shown.out, `${ANNA} uses 5.0 MB for 12 mails; its quota is 5GB (mailboxes.quota).\n`);
    const { out } = await run("account list");
    assert.match(out, /^ACCOUNT .* QUOTA +FROM$/m);
    assert.match(out, /^anna@example\.org .* default +anywhere$/m);
    assert.match(out, /^bert@example\.org .* 1GB +anywhere$/m);
  });

  test("an account gets its own quota, no limit, or the default again", async () => {
    const set = await run(`account quota ${ANNA} 500mb`);
    assert.equal(set.out, `The quota of ${ANNA} is 500MB now.\n`);
    assert.equal(set.err, `Next: ./ghostinbox queue flush --recipient ${ANNA}  # if mail waits for room\n`);
    const use = { usedBytes: 5 * 1024 ** 2, mails: 12 };
    assert.deepEqual(json(await run(`account quota ${ANNA} --json`)), { name: ANNA, quotaBytes: 500 * 1024 ** 2, use });
    assert.match((await run(`account quota ${ANNA} none`)).out, /is no limit now/);
    assert.match((await run("account list")).out, /^anna@example\.org .* none +anywhere$/m);
    assert.match((await run(`account quota ${ANNA} default`)).out, /is 5GB \(mailboxes\.quota\) now/);
  });

  test("a mailbox that small mails fill shows how many it may hold", async () => {
    guard().keeperAnswers(({ verb }) =>
      verb === "mailbox_use" ? { ok: true, detail: "", mailbox: { usedBytes: 5 * 1024 ** 2, mails: 327_680 } } : null,
    );
    const shown = await run(`account quota ${ANNA}`);
    assert.match(shown.out, / 5\.0 MB for 327680 mails; its quota is 5GB and 327680 mails \(mailboxes\.quota\)\.$/m);
  });

  const wrong: readonly [line: string, code: number, says: RegExp][] = [
    [`account quota ${ANNA} much`, 2, /"much" is not a size\. Write 500MB or 10GB, none or default\./],
    [`account quota ${ANNA} -5`, 2, /./],
    ["account quota nobody@example.org", 1, /There is no account nobody@example\.org\./],
  ];
  for (const [line, code, says] of wrong)
    test(line, async () => {
      assert.match(oneLineOfError(await run(line), code), says);
    });
});
