import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, HASH } from "../../../../test/kit/commands-kit.ts";
import { rowsOf } from "../../../../test/kit/test-database.ts";

const OTHER = HASH.replace("aGFzaA", "b3RoZXI");

const kit = commandsOf(import.meta.filename);

function follow(entries: Readonly<Record<string, string>>, ...gone: readonly string[]) {
  const named = Object.entries(entries).map(([name, hash]) => ({ name, hash }));
  return kit.ask({ verb: "accounts_follow", entries: named, gone });
}

test("an invalid line of a file is skipped with the reason, and the others are applied", async () => {
  const entries = [
    { name: "a b@example.test", hash: HASH },
    { name: "bea@example.test", hash: "in the clear" },
    { name: "cleo@elsewhere.test", hash: HASH },
    { name: "dora@example.test", hash: HASH },
  ];
  const { added, skipped: refused, ...others } = await kit.result({ verb: "accounts_import_hashed", entries });
  assert.deepEqual(refused, [
    { name: "a b@example.test", why: "cannot be an account" },
    { name: "bea@example.test", why: "has a password that is not hashed" },
    { name: "cleo@elsewhere.test", why: "has the domain elsewhere.test, which is not a mail domain of this server" },
  ]);
  assert.deepEqual(added, ["dora@example.test"]);
  assert.deepEqual(others, { changed: [], suspended: [], resumed: [], quotas: [] });
  const again = await kit.result({ verb: "accounts_import_hashed", entries: entries.slice(3) });
  const skipped = again.skipped.map(({ name }) => name);
  assert.deepEqual(skipped, ["dora@example.test"], "lines that the accounts' database skips are reported too");
});

test("a followed file adds, changes, suspends and resumes; each change is recorded, and sessions end when rights are lost", async () => {
  const [anna, bea] = ["anna@example.test", "bea@example.test"];
  await follow({ [anna]: HASH, [bea]: HASH });
  assert.equal(kit.asked.length, 0);
  const { ask } = kit.keeper;
  const states: string[] = [];
  kit.keeper.ask = (order) => {
    states.push(kit.state());
    return ask(order);
  };
  await follow({ [anna]: OTHER }, bea, "nonsense");
  assert.equal(new Set(states).size, 2, "the keeper knows them before the change");
  const kicked = kit.asked.flatMap((asked) => (asked.verb === "kick_account" ? [asked.account] : []));
  assert.deepEqual(kicked, [bea, anna, bea, anna], "before the change and after it");
  await follow({ [bea]: HASH });
  assert.equal(kit.kept().filter((verb) => verb === "kick_account").length, 4);
  assert.deepEqual(kit.recorded(/./).slice(2), [
    `PASSWORD_CHANGED ${anna} by root`,
    `ACCOUNT_SUSPENDED ${bea} by root`,
    `ACCOUNT_RESUMED ${bea} by root`,
  ]);
});

test("a keeper that does not answer delays the change only once, however many sessions there are", async () => {
  const names = ["anna", "bea", "cleo"].map((name) => `${name}@example.test`);
  await follow(Object.fromEntries(names.map((name) => [name, HASH])));
  const states: string[] = [];
  kit.keeper.ask = ({ verb }) => {
    if (verb === "kick_account") states.push(kit.state());
    kit.clock.advance(20_000);
    return Promise.resolve({ ok: false, reason: "did not answer" });
  };
  await follow({}, ...names);
  const areFirst = states.map((state) => state === states[0]);
  assert.deepEqual(areFirst, [true, false, false, false]);
});

test("queued mail of a suspended account is held", async () => {
  const bea = "bea@example.test";
  const queued = { id: "BEA1", isHeld: false, at: 0, recipients: 3 };
  kit.given.queue = ({ senders, onHold }) => {
    const isHeld = kit.asked.some((asked) => asked.verb === "hold_mail" && asked.ids.includes(queued.id));
    return senders.some((sender) => sender === bea) && isHeld === onHold ? [{ ...queued, isHeld }] : [];
  };
  await follow({ "anna@example.test": HASH, [bea]: HASH });
  await follow({}, bea);
  await kit.upkeep.round();
  for (let turn = 0; turn < 50 && kit.heldMail.held(null).length === 0; turn++) await new Promise(setImmediate);
  assert.deepEqual(rowsOf(kit.db, "SELECT queue_id, account, recipient_count FROM held_mail"), [["BEA1", bea, 3]]);
});

test("a password given in clear text looks right before its first use; one given as a hash does not", async () => {
  const [anna, bea] = ["anna@example.test", "bea@example.test"];
  const passwordHashes = () => rowsOf(kit.db, "SELECT account, proof FROM account_password ORDER BY account");
  const row = (account: string, passwordHash: string) => [account, passwordHash];
  const listed = (hash: string, passwordHash: string) =>
    kit.ask({ verb: "accounts_follow", entries: [{ name: "Anna@example.test", hash, passwordHash }], gone: [] });
  await kit.ask({ verb: "accounts_import_hashed", entries: [{ name: bea, hash: HASH, passwordHash: "0b0b" }] });
  await listed(HASH, "0a0a");
  assert.deepEqual(passwordHashes(), [row(anna, "0a0a"), row(bea, "0b0b")]);
  await follow({}, anna);
  await follow({ [anna]: HASH });
  assert.deepEqual(passwordHashes(), [row(anna, "0a0a"), row(bea, "0b0b")], "it resumes with the password that it had");
  await listed(OTHER, "0c0c");
  assert.deepEqual(passwordHashes()[0], row(anna, "0c0c"));
  await listed(HASH, "");
  assert.deepEqual(passwordHashes()[0], row(anna, ""), "the old password no longer looks right");
});
