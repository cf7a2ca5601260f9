import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ip, net } from "../../../../../test/kit/samples.ts";
import { guardOfSuite, json, TIMED } from "../../../../../test/kit/test-guard.ts";

const ANNA = "anna@example.org";

describe("why --account", TIMED, () => {
  const { run, guard, does } = guardOfSuite({ accounts: [ANNA] });
  const why = async (name = ANNA): Promise<string> => does(`why --account ${name}`);

  test("starts with the state of the account, then shows what happened", async () => {
    const reported = await why();
    const state = [
      /^anna@example\.org: active, since .* UTC\.$/,
      /^ {2}mailbox +5\.0 MB for 12 mails; quota 5GB \(mailboxes\.quota\)$/,
      /^ {2}sign-ins from +any network that logins\.networks allows$/,
      /^ {2}guarded +no$/,
      /^ {2}mail held +no$/,
      /^ {2}known addresses +none$/,
      /^$/,
      /^anna@example\.org: 1 event\.$/,
    ];
    for (const [i, pattern] of state.entries()) assert.match(reported.split("\n")[i] ?? "", pattern);
    assert.match(reported, /ACCOUNT_ADDED/);
  });

  test("a guarded, held and suspended account with its own networks says so", async () => {
    await does(`account networks ${ANNA} add 203.0.113.0/24`);
    await does(`account quota ${ANNA} none`);
    await does(`account suspend ${ANNA}`);
    const evidence = { count: 101, limit: 100, windowMs: 3_600_000, key: "limits.sending.strangers" };
    const guess = { type: "GUESS", account: ANNA, isStale: false } as const;
    const know = { type: "KNOW", account: ANNA, passwordHash: "right" } as const;
    guard().write(
      ...Array.from({ length: 20 }, (_, i) => ({ ...guess, network: net(`198.51.${i}.0/24`), passwordHash: `${i}` })),
      { type: "HOLD_ACCOUNT", account: ANNA, prefix: net("203.0.113.66"), ip: ip("203.0.113.66"), evidence },
      ...Array.from({ length: 10 }, (_, i) => ({ ...know, prefix: net(`203.0.113.${i}`) })),
    );
    const reported = await why("Anna@Example.org");
    assert.match(reported, /^anna@example\.org: suspended, since /);
    assert.match(reported, /^ {2}sign-ins only from +203\.0\.113\.0\/24$/m);
    assert.match(reported, /; quota unlimited$/m);
    assert.match(reported, /^ {2}guarded +yes: 20 wrong passwords or more within 1h, from new places$/m);
    assert.match(reported, /^ {2}mail held +since .*: it wrote to 101 people within 1h to whom it had never written$/m);
    assert.match(reported, /^ {2}known addresses +203\.0\.113\.\d, .* and 2 more \(--json\)$/m);
    const answer = json(await run(`why --account ${ANNA} --json`));
    assert.partialDeepStrictEqual(answer, { account: ANNA, state: { suspended: true, guarded: { guesses: 20 } } });
  });

  test("`why ACCOUNT` and `find ACCOUNT` show the same", async () => {
    const named = await run(`why --account ${ANNA}`);
    for (const words of ["why", "find"]) assert.deepEqual(await run(`${words} ${ANNA}`), named, words);
  });

  test("a missing account says so", async () => {
    assert.match(await why("nobody@example.org"), /^nobody@example\.org is not an account here\.\n\nNothing is known/);
    assert.match(await why("admin"), /^admin is not an account here\./);
    assert.match((await run("why --account a;b")).err, /^Next: \.\/ghostinbox logs --account 'a;b'$/m);
  });
});
