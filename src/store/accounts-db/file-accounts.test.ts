import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountName, mailAddress } from "../../../test/kit/samples.ts";
import { accountsFor, ann, bob, columnOf, refused, START } from "../../../test/kit/test-database.ts";
import type { Outcome } from "../../guard/ports.ts";
import { sqliteAccountLists } from "./account-lists.ts";
import { sqliteAccounts } from "./accounts.ts";
import { sqliteFileAccounts } from "./file-accounts.ts";

const NOTHING = { added: [], changed: [], suspended: [], resumed: [], quotas: [], skipped: [] };
const [one, two] = ["{BLF-CRYPT}$2y$05$one", "{BLF-CRYPT}$2y$05$two"];

function fresh(t: TestContext) {
  const db = accountsFor(t);
  const listed = () => sqliteAccountLists(db).accounts({ limit: 500, cursor: null }).items;
  return {
    files: sqliteFileAccounts(db),
    accounts: sqliteAccounts(db),
    states: () => Object.fromEntries(listed().map((row) => [row.name, `${row.origin} ${row.suspended}`])),
    quotas: () => Object.fromEntries(listed().map((row) => [row.name, row.quotaBytes])),
    signIn: () => columnOf(db, "SELECT user || ' ' || password FROM passdb ORDER BY user"),
    mailboxes: () => columnOf(db, "SELECT address FROM mailbox").length,
  };
}

const info = accountName("info@example.org");

test("an import adds missing accounts and changes no existing one", (t) => {
  const { files, accounts, states, signIn } = fresh(t);
  accounts.add(ann, one, START);
  accounts.addAlias(mailAddress("info@example.org"), [ann]);
  const entries = [ann, bob, info].map((each) => ({ name: each, hash: two }));
  assert.deepEqual(files.importAll(entries, START), {
    ...NOTHING,
    added: [bob],
    skipped: [
      { name: ann, why: "exists already, so it keeps its password" },
      { name: info, why: "is an alias already" },
    ],
  });
  assert.deepEqual(states(), { [ann]: "command false", [bob]: "imported false" });
  assert.deepEqual(signIn(), [`${ann} ${one}`, `${bob} ${two}`]);
});

test("an imported account takes its quota from its line once, a followed one at each change", (t) => {
  const { files, accounts, quotas } = fresh(t);
  files.importAll([{ name: ann, hash: one, quotaBytes: 1_000 }], START);
  files.importAll([{ name: ann, hash: one, quotaBytes: 2_000 }], START);
  const line = (quotaBytes?: number) => files.follow([{ name: bob, hash: one, quotaBytes }], [], START);
  assert.deepEqual(line(1_000), { ...NOTHING, added: [bob] });
  assert.deepEqual(line(1_000), NOTHING);
  assert.deepEqual(quotas(), { [ann]: 1_000, [bob]: 1_000 });
  assert.deepEqual(line(0), { ...NOTHING, quotas: [bob] });
  assert.deepEqual(quotas(), { [ann]: 1_000, [bob]: 0 });
  assert.deepEqual(line(), { ...NOTHING, quotas: [bob] });
  assert.deepEqual(quotas(), { [ann]: 1_000, [bob]: null });
  const set = accounts.setQuota(bob, 1);
  assert.deepEqual(set, refused("bob@example.org follows the accounts file: set its quota in its line there."));
});

test("a followed account is suspended while its line is missing, keeps its mail, and resumes when the line is back", (t) => {
  const { files, states, signIn, mailboxes } = fresh(t);
  const line = { name: bob, hash: one };
  assert.deepEqual(files.follow([line], [], START), { ...NOTHING, added: [bob] });
  assert.deepEqual(files.follow([line], [], START), NOTHING);
  assert.deepEqual(files.follow([{ name: bob, hash: two }], [], START), { ...NOTHING, changed: [bob] });
  assert.deepEqual(files.follow([], [bob], START), { ...NOTHING, suspended: [bob] });
  assert.deepEqual(files.follow([], [bob], START), NOTHING);
  assert.deepEqual(states(), { [bob]: "unlisted true" });
  assert.deepEqual(signIn(), []);
  assert.equal(mailboxes(), 1);
  assert.deepEqual(files.follow([line], [], START), { ...NOTHING, resumed: [bob] });
  assert.deepEqual(signIn(), [`${bob} ${one}`]);
});

test("accounts added or given a password here are not changed; other imported ones are adopted", (t) => {
  const { files, accounts, states } = fresh(t);
  const carl = accountName("carl@example.org");
  accounts.add(ann, one, START);
  files.importAll(
    [bob, carl].map((each) => ({ name: each, hash: one })),
    START,
  );
  accounts.setPassword(carl, one);
  const lines = [ann, bob, carl].map((each) => ({ name: each, hash: two }));
  const { changed, suspended, skipped } = files.follow(lines, [ann], START);
  const why = "was added or given a password here, so the file does not change it";
  assert.deepEqual([changed, suspended, skipped], [[bob], [], [ann, carl].map((name) => ({ name, why }))]);
  assert.deepEqual(states(), { [ann]: "command false", [bob]: "listed false", [carl]: "command false" });
});

test("the file controls its accounts, but a suspension by command outlasts it", (t) => {
  const { files, accounts, signIn, states } = fresh(t);
  const line = { name: bob, hash: one };
  files.follow([line], [], START);
  assert.match(reason(accounts.setPassword(bob, two)), /change its line there/);
  assert.match(reason(accounts.remove(bob)), /remove its line there first/);
  assert.equal(accounts.setSuspended(bob, true).ok, true);
  files.follow([], [bob], START);
  assert.match(reason(accounts.setSuspended(bob, false)), /put it back there/);
  assert.deepEqual(files.follow([line], [], START), NOTHING, "it may not sign in again");
  assert.deepEqual(signIn(), [], "the owner suspended it");
  assert.equal(accounts.setSuspended(bob, false).ok, true);
  assert.deepEqual(signIn(), [`${bob} ${one}`]);
  files.follow([], [bob], START);
  files.endFollowing();
  assert.deepEqual(states(), { [bob]: "imported true" });
  assert.equal(accounts.setSuspended(bob, false).ok, true);
  assert.equal(accounts.setPassword(bob, two).ok, true);
  assert.deepEqual(states(), { [bob]: "command false" });
});

test("an account whose line was missing when following ended resumes with its line in a followed file", (t) => {
  const { files, accounts, signIn, states } = fresh(t);
  const lines = [ann, bob].map((name) => ({ name, hash: one }));
  files.follow(lines, [], START);
  assert.equal(accounts.setSuspended(ann, true).ok, true);
  files.follow([], [ann, bob], START);
  files.endFollowing();
  files.endFollowing();
  assert.deepEqual(states(), { [ann]: "imported true", [bob]: "imported true" });
  assert.deepEqual(signIn(), []);
  assert.deepEqual(files.follow(lines, [], START), { ...NOTHING, resumed: [bob] });
  assert.deepEqual(signIn(), [`${bob} ${one}`], "the owner suspended the other");
  files.follow([], [bob], START);
  files.endFollowing();
  assert.equal(accounts.setSuspended(bob, true).ok, true);
  assert.deepEqual(files.follow(lines, [], START), NOTHING, "suspended by command since then");
  assert.deepEqual(signIn(), []);
});

function reason(outcome: Outcome): string {
  return outcome.ok ? "it was done" : outcome.reason;
}
