import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS, parsedCommandOf } from "../../../../test/kit/commands.ts";
import { refusalOf } from "../../../../test/kit/commands-kit.ts";
import { accountName, ip } from "../../../../test/kit/samples.ts";
import { BY, webGateOf } from "../../../../test/kit/web-gate-kit.ts";
import type { Command, Reply, Verb } from "../../../admin/declare/control.ts";
import { rightsOf } from "../../../admin/declare/rights.ts";
import { PROOF_MS } from "../../../core/access/session.ts";
import { HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import { digestOf } from "../../access/secrets.ts";
import { BAN_RUNS } from "../bans.ts";
import { WEB_LIMITS } from "./web-bounds.ts";

const kit = webGateOf(import.meta.filename);

const refusal = async (verb: Verb) => (await kit.ask(COMMANDS[verb]))?.message ?? "";

/** Asserts that exactly this many of these commands, in turn, are admitted. */
async function admits(most: number, ...verbs: readonly [Verb, ...Verb[]]): Promise<void> {
  for (let i = 0; i < most; i++) assert.equal(await kit.ask(COMMANDS[verbs[i % verbs.length] ?? verbs[0]]), null);
  for (const verb of verbs) assert.match(await refusal(verb), /reached their limit/, verb);
}

test("every verb that the web may not use is refused, recorded by name and actor, and reported", async () => {
  const foreign = Object.values(COMMANDS).filter(({ verb }) => !rightsOf(verb).from.includes("web"));
  assert.ok(foreign.length > 10);
  for (const command of foreign)
    assert.match((await kit.ask(command))?.message ?? "", /is not allowed from here/, command.verb);
  const refused = foreign.map(({ verb }) => `${verb} by web:unnamed`);
  assert.deepEqual(kit.refused(), refused);
});

test("a verb that its caller may not use is recorded once a minute, and raises no alert", async () => {
  kit.clock.advance(PROOF_MS);
  for (let i = 0; i < 200; i++) assert.equal((await kit.ask(COMMANDS.token_create))?.ok, false);
  assert.deepEqual(kit.denied(), [`token_create by ${BY}`]);
  assert.deepEqual(kit.refused(), []);
  kit.clock.advance(MINUTE_MS);
  await kit.ask(COMMANDS.token_create);
  kit.signInAs("ab".repeat(32), accountName("anna@example.test"));
  kit.admit(COMMANDS.token_create, { as: "ab".repeat(32), ip: "203.0.113.40" });
  await kit.ask(COMMANDS.token_create);
  assert.equal(kit.denied().length, 3, "once for each caller");
});

test("a flood of refused verbs does not fill the record", async () => {
  for (let i = 0; i < 200; i++) await kit.ask(COMMANDS.admin_set_hash);
  await kit.ask(COMMANDS.break_glass);
  assert.equal(kit.refused().length, 2);
  kit.clock.advance(MINUTE_MS);
  await kit.ask(COMMANDS.admin_set_hash);
  assert.equal(kit.refused().length, 3);
});

test("wide networks are neither banned nor allowed; that is a mistake, not a break-in", async () => {
  for (const target of ["0.0.0.0/1", "198.51.0.0/15", "203.0.112.0/23", "2001:db8::/32", "2001:db8:1::/47"])
    for (const verb of ["ban", "allow_add"] as const)
      assert.equal((await kit.ask({ verb, target, note: "", for: null }))?.kind, "usage", `${verb} ${target}`);
  assert.equal(await kit.ask({ verb: "ban", target: "203.0.113.0/24", note: "", for: null }), null);
  assert.equal(await kit.ask({ verb: "allow_add", target: "2001:db8:2::/48", note: "", for: null }), null);
  assert.deepEqual(kit.refused(), []);
});

test("bounds the web's share of the allow list, without counting root's entries", async () => {
  const add = async (i: number, by: string): Promise<Reply> => {
    const command = { verb: "allow_add", target: ip(`198.51.100.${i}`), note: "", for: null } as const;
    const refused = by === "root" ? null : await kit.ask(command);
    return refused ?? BAN_RUNS.allow_add(kit, command, by);
  };
  for (let i = 0; i < 60; i++) assert.ok((await add(200 - i, "root")).ok);
  for (let i = 0; i < WEB_LIMITS.allowEntries; i++) assert.ok((await add(i, BY)).ok);
  assert.match(refusalOf(await add(WEB_LIMITS.allowEntries, BY)), /50 entries/);
  assert.ok((await add(0, BY)).ok, "an existing entry may be changed");
  assert.deepEqual(kit.refused(), []);
});

test("tokens and sessions are changed at most 50 times an hour; beyond that there is an alert", async () => {
  const verbs = ["token_create", "token_revoke", "session_end", "session_end_all"] as const;
  await admits(WEB_LIMITS.access, ...verbs);
  const refused = verbs.map((verb) => `${verb} by ${BY}`);
  assert.deepEqual(kit.refused(), refused);
  assert.equal(await kit.ask({ verb: "session_list", limit: 50, cursor: null }), null);
  assert.equal(await kit.ask({ verb: "unban", target: "203.0.113.7" }), null, "bans have a separate limit");
  kit.clock.advance(HOUR_MS);
  kit.sessions.prove(digestOf("5e".repeat(32)), kit.clock.now());
  assert.equal(await kit.ask(COMMANDS.token_create), null);
});

test("accounts are changed at most 500 times an hour, each account of a file counts, and users are locked out at most 50 times", async () => {
  const entries = Array.from({ length: 50 }, (_, i) => ({ name: `a${i}@example.org`, hash: "{SSHA}x" }));
  const importing = { verb: "accounts_import", entries } as const;
  for (let i = 0; i < WEB_LIMITS.accounts / 50 - 1; i++) assert.equal(await kit.ask(importing), null);
  for (let i = 0; i < 49; i++) assert.equal(await kit.ask(COMMANDS.account_resume), null);
  assert.match((await kit.ask(importing))?.message ?? "", /reached their limit/);
  assert.equal(await kit.ask(COMMANDS.alias_add), null);
  for (const verb of ["account_create", "account_resume", "alias_add", "vacation_set"] as const)
    assert.match(await refusal(verb), /reached their limit/, verb);
  const shut = ["account_remove", "account_set_password", "account_suspend", "quota_set"] as const;
  const own = ["networks_add", "networks_remove", "app_password_add", "app_password_remove", "forward_set"] as const;
  await admits(WEB_LIMITS.lockout, ...shut, ...own, "alias_remove", "alias_block");
  assert.equal(await kit.ask(COMMANDS.account_list), null);
  assert.ok(kit.refused().includes(`account_remove by ${BY}`), "the owner gets an alert");
});

test("settings are changed at most twenty times within any hour; beyond that there is an alert", async () => {
  await admits(WEB_LIMITS.settings, "settings_apply", "settings_undo");
  assert.deepEqual(kit.refused(), [`settings_apply by ${BY}`, `settings_undo by ${BY}`]);
  assert.equal(await kit.ask(COMMANDS.settings_preview), null, "it changes nothing");
});

test("limits deleted mail within any hour, and never deletes all at once; reaching the limit raises no alert", async () => {
  const all = { ...COMMANDS.queue_delete, sender: null, isAll: true };
  for (const verb of ["queue_delete", "queue_return"] as const) {
    const reply = await kit.ask({ ...all, verb });
    assert.match(`${reply?.kind} ${reply?.message}`, /^usage .*all mail at once/);
  }
  assert.equal(await kit.ask(COMMANDS.queue_delete), null);
  assert.equal(kit.gate.bounds.deletes(WEB_LIMITS.deleted - 1), WEB_LIMITS.deleted - 1);
  assert.equal(await kit.ask(COMMANDS.held_drop), null);
  assert.equal(kit.gate.bounds.deletes(7), 1);
  const verbs = ["queue_delete", "queue_return", "held_drop"] as const;
  for (const verb of verbs) assert.match(await refusal(verb), /1000 mails within an hour/, verb);
  assert.deepEqual(kit.refused(), [], "an owner who empties a long queue raises no alert");
  assert.equal(await kit.ask(COMMANDS.queue_hold), null, "commands that can be undone still work");
  kit.clock.advance(HOUR_MS);
  assert.equal(kit.gate.bounds.deletes(7), 7);
});

test("commands on mail count together, and separately from bans", async () => {
  const onQueue = ["queue_hold", "queue_release", "queue_flush", "held_release"] as const;
  const others = ["greylist_pause", "greylist_resume", "spam_allow_add", "spam_allow_remove"] as const;
  await admits(WEB_LIMITS.mail, ...onQueue, ...others);
  for (const verb of ["queue_delete", "held_drop"] as const)
    assert.match(await refusal(verb), /reached their limit/, verb);
  for (const verb of ["queue_list", "held_list", "greylist_list", "spam_allow_list", "unban"] as const)
    assert.equal(await kit.ask(COMMANDS[verb]), null, verb);
});

test("the alert channels are tested at most 10 times an hour, and more tries raise no alert", async () => {
  for (let i = 0; i < WEB_LIMITS.alertTests; i++) assert.equal(await kit.ask(COMMANDS.alerts_test), null);
  assert.match(await refusal("alerts_test"), /10 times within an hour/);
  assert.deepEqual(kit.refused(), []);
  kit.clock.advance(HOUR_MS);
  assert.equal(await kit.ask(COMMANDS.alerts_test), null);
});

test("root has none of these limits, and no session or passkey", async () => {
  const root = (command: Command) =>
    "error" in kit.gate.admit({ command: parsedCommandOf(command), by: "root" }, "root");
  const ofBrowsers = /^(sign_(in|out)|prove|caller$|passkey_(?!list)|totp_|recovery_renew|my_)/;
  for (const command of Object.values(COMMANDS))
    assert.equal(root(command), ofBrowsers.test(command.verb), command.verb);
  assert.ok(!root({ ...COMMANDS.allow_add, target: "10.0.0.0/8" }));
  await new Promise((resolve) => setImmediate(resolve));
});

test("the limits leave room for people and their scripts, such as 500 bans an hour", () => {
  const networks = { widest: { v4: 24, v6: 48 }, bans: 500, allowEntries: 50 };
  const changes = { access: 50, accounts: 500, lockout: 50, settings: 20, alertTests: 10, dryRuns: 500 };
  const ofMail = { mail: 500, deleted: 1_000, released: 500 };
  const signIns = { bannedSignIns: 100, signInsEach: 300, administrators: 32 };
  assert.deepEqual(WEB_LIMITS, { ...networks, ...changes, ...ofMail, ...signIns });
});

test("bans, unbans and changes of the allow list count together, leave the hour one by one, and raise an alert past the limit", async () => {
  const verbs = ["unban", "allow_remove"] as const;
  for (let i = 0; i < 500; i++) {
    assert.equal(await kit.ask({ verb: verbs[i % 2] ?? "unban", target: "203.0.113.7" }), null);
    if (i === 0) kit.clock.advance(MINUTE_MS);
  }
  const ban: Command = { verb: "ban", target: "203.0.113.7", note: "", for: null };
  kit.clock.advance(59 * MINUTE_MS - 1);
  assert.equal((await kit.ask(ban))?.ok, false);
  assert.equal((await kit.ask({ ...ban, verb: "allow_add" }))?.ok, false);
  assert.deepEqual(kit.refused(), [`ban by ${BY}`, `allow_add by ${BY}`]);
  assert.equal(await kit.ask({ verb: "allow_list", limit: 50, cursor: null }), null);
  kit.clock.advance(1);
  assert.equal(await kit.ask(ban), null);
  assert.equal((await kit.ask(ban))?.ok, false);
});

test("a hundred refusals of one caller are recorded within a day", async () => {
  kit.clock.advance(PROOF_MS);
  for (let i = 0; i < 120; i++) {
    await kit.ask(COMMANDS.token_create);
    kit.clock.advance(MINUTE_MS);
  }
  assert.equal(kit.denied().length, 100);
});
