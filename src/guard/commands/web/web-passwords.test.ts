import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, HASH, hashOf, OWNER } from "../../../../test/kit/commands-kit.ts";
import { beforeEachOf } from "../../../../test/kit/hooks.ts";
import { accountName, mailAddress } from "../../../../test/kit/samples.ts";
import type { Command } from "../../../admin/declare/control.ts";

const ANNA = "anna@example.test";
const WORDS = "seven purple boats";
const KEY = { id: "a", publicKey: "b", locked: "c", recoverable: "d" };
const WITH_KEY = { verb: "account_set_hash", name: ANNA, hash: HASH, passwordHash: "", keys: [KEY] } as const;

const kit = commandsOf(import.meta.filename);
beforeEachOf(import.meta.filename, () => kit.signIn(OWNER));

const said = (command: Command): Promise<string> => kit.said(command);
const saidToWeb = (command: Command): Promise<string> => kit.said(command, "web", OWNER);

test("an account is created with a hash made by the guard, and recorded; a new password ends its sessions", async () => {
  assert.equal(await said({ verb: "account_create", name: "Anna@Example.test", password: WORDS }), "done");
  assert.equal(kit.accountLists.password(ANNA), hashOf(WORDS));
  assert.equal(await said({ verb: "account_set_password", name: ANNA, password: `${WORDS}!` }), "done");
  assert.equal(kit.accountLists.password(ANNA), hashOf(`${WORDS}!`));
  assert.deepEqual(kit.types(), ["ACCOUNT_ADDED", "PASSWORD_CHANGED"]);
  assert.deepEqual(kit.kept(), ["kick_account"]);
  assert.ok(!JSON.stringify(kit.details()).includes(WORDS), "no event contains a password");
  assert.deepEqual(kit.passwordHashesOf(ANNA), ["0abc"]);
});

test("an invalid password or account name is refused, and nothing is changed", async () => {
  const create = (name: string, password = WORDS) => said({ verb: "account_create", name, password });
  assert.match(await create(ANNA, "short"), /^usage The password is too short/);
  assert.match(await create(ANNA, "my-anna-password"), /^usage .* name of the acc/);
  assert.match(await create("anna@else.test"), /^failed else\.test is not a mail/);
  const missing = await said({ verb: "account_set_password", name: ANNA, password: WORDS });
  assert.match(missing, /^failed There is no account/);
  assert.equal(await create(ANNA), "done");
  assert.match(await create(ANNA, `${WORDS}!`), /^failed .* exists already/);
  assert.equal(kit.accountLists.password(ANNA), hashOf(WORDS));
  assert.deepEqual(kit.types(), ["ACCOUNT_ADDED"]);
});

test("if each account has a key for its mail, passwords are set on the server, which creates the key", async () => {
  kit.given.keyOfEach = true;
  const onServer = /^failed .* is set only on the server.*account add/;
  for (const verb of ["account_create", "account_set_password"] as const)
    assert.match(await said({ verb, name: ANNA, password: WORDS }), onServer);
  assert.deepEqual(kit.types(), []);
  const entries = [
    { name: ANNA, password: WORDS },
    { name: "cleo@example.test", hash: HASH },
  ];
  const reply = await kit.result({ verb: "accounts_import", entries });
  assert.deepEqual(reply.added, ["cleo@example.test"]);
  const why = "needs a key for its mail, which `account add` on the server makes";
  assert.deepEqual(reply.skipped, [{ name: ANNA, why }]);
});

test("the password of an account with keys is set only on the server, even after mailboxes.encryption has changed", async () => {
  assert.equal(await said({ verb: "account_create", name: ANNA, password: WORDS }), "done");
  assert.equal(await said(WITH_KEY), "done");
  const set = await saidToWeb({ verb: "account_set_password", name: ANNA, password: WORDS });
  assert.match(set, /^failed .* is set only on the server/);
  assert.equal(kit.accountLists.password(ANNA), HASH);
  assert.equal(await said({ verb: "account_remove", name: ANNA }), "done");
  assert.match(await saidToWeb({ verb: "account_create", name: ANNA, password: WORDS }), /is set only on the server/);
  const { added } = await kit.result({ verb: "accounts_import", entries: [{ name: ANNA, password: WORDS }] });
  assert.deepEqual(added, []);
});

test("a key that root makes while the web's password is hashed keeps the password on the server", async () => {
  assert.equal(await said({ verb: "account_create", name: ANNA, password: WORDS }), "done");
  kit.given.whileHashing = () => said(WITH_KEY);
  const set = await saidToWeb({ verb: "account_set_password", name: ANNA, password: WORDS });
  assert.match(set, /^failed .* is set only on the server/);
  assert.equal(kit.accountLists.password(ANNA), HASH);
  assert.equal(kit.types().at(-1), "MAIL_KEY_MADE");
});

test("a session that ends while its passwords are hashed changes and adds no account", async () => {
  assert.equal(await said({ verb: "account_create", name: ANNA, password: WORDS }), "done");
  const BEA = "bea@example.test";
  for (const command of [
    { verb: "account_set_password", name: ANNA, password: `${WORDS}!` },
    { verb: "account_create", name: BEA, password: WORDS },
    { verb: "accounts_import", entries: [{ name: BEA, password: WORDS }] },
  ] as const) {
    kit.given.whileHashing = () => Promise.resolve(kit.sessions.end("everybody"));
    assert.match(await saidToWeb(command), /^failed A valid session or token is needed/);
    kit.signIn(OWNER);
  }
  assert.equal(kit.accountLists.password(ANNA), hashOf(WORDS));
  assert.equal(kit.accountLists.password(BEA), null);
  assert.deepEqual(kit.types(), ["ACCOUNT_ADDED"], "nothing more is on record");
});

test("a password that root sets while the web's is hashed stays, even for a suspended account", async () => {
  assert.equal(await said({ verb: "account_create", name: ANNA, password: WORDS }), "done");
  for (const hash of [HASH, hashOf("what root gave")]) {
    kit.given.whileHashing = () => said({ verb: "account_set_hash", name: ANNA, hash });
    const set = await saidToWeb({ verb: "account_set_password", name: ANNA, password: `${WORDS}!` });
    assert.match(set, /^failed Not set: a different password was set while/);
    assert.equal(kit.accountLists.password(ANNA), hash);
    assert.equal(await said({ verb: "account_suspend", name: ANNA }), "done");
  }
});

test("accounts in a file must be new, with a hash that servers can afford, or a password that is hashed here", async () => {
  assert.equal(await said({ verb: "account_create", name: ANNA, password: WORDS }), "done");
  const reply = await kit.result({
    verb: "accounts_import",
    entries: [
      { name: ANNA, hash: HASH },
      { name: "bea@example.test", password: "in the clear", quotaBytes: 1_000 },
      { name: "cleo@example.test", hash: HASH },
      { name: "dora@example.test", hash: "{SHA512-CRYPT}$6$rounds=999999999$salt$hash" },
      { name: "emil@example.test" },
      { name: "a b", hash: HASH },
      { name: "fay@example.test", hash: "{PLAIN}" },
      { name: "gus@example.test", hash: "{CRYPT}$sha1$4000000000$salt$hash" },
      { name: "hal@example.test", hash: "{PLAIN}in the clear" },
    ],
  });
  assert.deepEqual(reply.added, ["cleo@example.test", "bea@example.test"]);
  const skipped = reply.skipped.map(({ name, why }) => `${name} ${why}`);
  assert.deepEqual(skipped, [
    "dora@example.test has a hash that would take too long to check at each sign-in",
    "emil@example.test has no password",
    "a b cannot be an account",
    "fay@example.test has a password that is not hashed",
    "gus@example.test has a type of hash that can be imported only on the server",
    "hal@example.test has a type of hash that can be imported only on the server",
    "anna@example.test exists already, so it keeps its password",
  ]);
  assert.equal(kit.accountLists.password(ANNA), hashOf(WORDS));
  assert.equal(kit.accountLists.password("bea@example.test"), hashOf("in the clear"));
  assert.equal(kit.accountLists.password("cleo@example.test"), HASH);
});

test("no account replaces postmaster@, which receives the alerts", async () => {
  const name = "Postmaster@example.test";
  assert.match(
    await said({ verb: "account_create", name, password: WORDS }),
    /^failed postmaster@example\.test gets the/,
  );
  const reply = await kit.result({ verb: "accounts_import", entries: [{ name, hash: HASH }] });
  assert.equal(reply.skipped.length, 1);
});

test("no account takes over mail for postmaster@ because accounts.administrator names it", async () => {
  const serve = (administrator: string | null) => {
    const named = administrator === null ? null : mailAddress(administrator);
    kit.networks.serve({ domains: ["example.test"], administrator: named, refused: [], networks: [] });
  };
  const add = (name: string) => said({ verb: "account_create", name, password: WORDS });
  serve("first+role@example.test");
  assert.equal(await add("first@example.test"), "done", "no one gets that mail yet");
  serve("Named+role@example.test");
  const name = "named@example.test";
  assert.match(await add(name), /^failed named@example\.test gets the/);
  const reply = await kit.result({ verb: "accounts_import", entries: [{ name, hash: HASH }] });
  assert.equal(reply.skipped.length, 1);
  const alias = { verb: "alias_add", address: "named+role@example.test", targets: ["first@example.test"] } as const;
  assert.match(await saidToWeb(alias), /gets the alerts/);
  assert.equal(await add("other@example.test"), "done");
  serve(null);
  assert.equal(await add(name), "done");
  serve("missing@example.test");
  for (const role of ["postmaster", "abuse"]) {
    assert.match(await add("missing@example.test"), /^failed missing@example\.test gets the/);
    kit.accounts.add(accountName(`${role}@example.test`), HASH, kit.clock.now());
  }
  assert.equal(await add("missing@example.test"), "done", "both have their own accounts");
});

test("no account replaces an abuse@ that receives the alerts without being one", async () => {
  kit.networks.serve({ domains: ["example.test"], administrator: null, refused: [], networks: [] });
  const [name, owner] = ["abuse@example.test", "owner@example.test"];
  kit.given.alertsTo = [name, owner];
  assert.equal(await said({ verb: "account_create", name: ANNA, password: WORDS }), "done");
  assert.match(await said({ verb: "account_create", name, password: WORDS }), /^failed abuse@example\.test gets the/);
  const reply = await kit.result({ verb: "accounts_import", entries: [{ name, hash: HASH }] });
  assert.equal(reply.skipped.length, 1);
  assert.equal(
    await said({ verb: "account_create", name: owner, password: WORDS }),
    "done",
    "no one gets its mail yet",
  );
  kit.given.alertsTo = [];
  assert.equal(await said({ verb: "account_create", name, password: WORDS }), "done");
});
