import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { commandsOnMemory, HASH } from "../../../test/kit/commands-kit.ts";

const OTHER = HASH.replace("aGFzaA", "b3RoZXI");

let kit: ReturnType<typeof commandsOnMemory>;
beforeEach(() => {
  kit = commandsOnMemory();
});

function follow(entries: Readonly<Record<string, string>>, ...gone: readonly string[]) {
  const named = Object.entries(entries).map(([name, hash]) => ({ name, hash }));
  return kit.ask({ verb: "accounts_follow", entries: named, gone });
}

test("a line of a file that cannot be an account is skipped with the reason, and the others are taken", async () => {
  const entries = [
    { name: "a b@example.test", hash: HASH },
    { name: "bea@example.test", hash: "in the clear" },
    { name: "cleo@elsewhere.test", hash: HASH },
    { name: "dora@example.test", hash: HASH },
  ];
  assert.deepEqual(await kit.ask({ verb: "accounts_import", entries }), {
    ok: true,
    result: {
      added: ["dora@example.test"],
      changed: [],
      suspended: [],
      resumed: [],
      skipped: [
        { name: "a b@example.test", why: "cannot be an account" },
        { name: "bea@example.test", why: "has a password that came unhashed" },
        { name: "cleo@elsewhere.test", why: "is of elsewhere.test, which is not a mail domain of this server" },
      ],
    },
  });
  const again = await kit.ask({ verb: "accounts_import", entries: entries.slice(3) });
  assert.ok(again.ok && "skipped" in again.result);
  assert.deepEqual(
    again.result.skipped.map(({ name }) => name),
    ["dora@example.test"],
    "what the accounts' database skips is told too",
  );
});

test("a followed file adds, changes, suspends and resumes; each is on record, and sessions end where rights shrink", async () => {
  const [anna, bea] = ["anna@example.test", "bea@example.test"];
  await follow({ [anna]: HASH, [bea]: HASH });
  assert.deepEqual(kit.asked, []);
  await follow({ [anna]: OTHER }, bea, "nonsense");
  assert.deepEqual(kit.asked, [
    { verb: "kick_account", account: anna },
    { verb: "kick_account", account: bea },
  ]);
  await follow({ [bea]: HASH });
  assert.equal(kit.asked.length, 2);
  assert.deepEqual(kit.types(), [
    "ACCOUNT_ADDED",
    "ACCOUNT_ADDED",
    "PASSWORD_CHANGED",
    "ACCOUNT_SUSPENDED",
    "ACCOUNT_RESUMED",
  ]);
  assert.deepEqual(kit.details().slice(2), [`${anna} by root`, `${bea} by root`, `${bea} by root`]);
});

test("sessions of changed accounts end even where the record could not be kept", async () => {
  await follow({ "anna@example.test": HASH, "bea@example.test": HASH });
  kit.fillDisk();
  const reply = await follow({ "anna@example.test": OTHER });
  assert.ok(!reply.ok && /no record of it was kept/.test(reply.message));
  assert.deepEqual(kit.kept(), ["kick_account"]);
});
