import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, commandsOnMemory } from "../../../test/kit/commands-kit.ts";
import { guess } from "../../../test/kit/engine-events.ts";
import { TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { ip, net, STRANGER } from "../../../test/kit/samples.ts";
import { BAN_EXAMPLE } from "../../admin/bans.ts";
import { HOUR_MS, isoTime, later } from "../../core/time.ts";

const kit = commandsOf(import.meta.filename);

function ban(target: string, length: string | null = null): Promise<string> {
  return kit.said({ verb: "ban", target, note: "", for: length });
}

function allow(target: string, length: string | null = null): Promise<string> {
  return kit.said({ verb: "allow_add", target, note: "office", for: length });
}

test("ban: an address, a network, an IPv6 address as its network; for a time, permanently, or the default", async () => {
  const banLine = async (target: string, length: string | null, note = "noise"): Promise<string> => {
    const reply = await kit.result({ verb: "ban", target, note, for: length });
    const { prefix, level, reason, source, createdAt, expiresAt } = reply.ban;
    const hours = expiresAt === null ? "ever" : (Date.parse(expiresAt) - Date.parse(createdAt)) / HOUR_MS;
    return `${prefix} ${level} ${reason} ${source} ${hours}`;
  };
  assert.equal(await banLine("203.0.113.7", null), "203.0.113.7/32 manual noise root 24");
  for (const note of ["", " "])
    assert.equal(await banLine("198.51.100.9/24", "2h", note), "198.51.100.0/24 manual Banned by hand root 2");
  assert.equal(await banLine("2001:db8:1:2::7", "permanent"), "2001:db8:1:2::/64 manual noise root ever");
});

test("ban: only a command with a time shortens a ban in force", async () => {
  const end = async (length: string | null) =>
    (await kit.result({ verb: "ban", target: "203.0.113.7", note: "", for: length })).ban.expiresAt;
  assert.equal(await end("permanent"), null);
  assert.equal(await end(null), null);
  assert.equal(await end("2h"), isoTime(later(kit.clock.now(), 2 * HOUR_MS)));
});

test("the documented example of a ban is what the web gets", async () => {
  const as = { as: "5e".repeat(32), ip: "192.0.2.10" };
  kit.signIn(as);
  const { ip: target, reason: note, createdAt, expiresAt } = BAN_EXAMPLE;
  const { ban: made } = await kit.result({ verb: "ban", target, note, for: "2h" }, "web", as);
  assert.equal(Date.parse(expiresAt) - Date.parse(createdAt), 2 * HOUR_MS);
  assert.deepEqual({ ...made, createdAt, expiresAt }, BAN_EXAMPLE);
});

test("a ban may last a millisecond, and one of a protected address says what protects it", async () => {
  assert.equal(await ban("203.0.113.7", "1ms"), "done");
  assert.match(await ban("203.0.113.1"), /^failed Not banned\. 203\.0\.113\.1\/32: .*gateway.* their real addresses/);
});

test("a refused command names the network, unless the database cannot be written", async () => {
  assert.match(await kit.said({ verb: "unban", target: "203.0.113.7" }), /^failed 203\.0\.113\.7\/32: There is no ban/);
  kit.store.failing = "commit";
  assert.match(await ban("203.0.113.7"), /^failed Not banned\. The database could not be written/);
  kit.clock.advance(2_000);
  assert.match(await kit.said({ verb: "unban", target: "203.0.113.7" }), /^failed The database could not be written/);
  kit.clock.advance(2_000);
  assert.match(await allow("203.0.113.7"), /^failed The database could not be written/);
});

test("unban: an address stands for the prefix that was banned, and the reply names that prefix", async () => {
  assert.equal(await ban("2001:db8:1:2::7"), "done");
  assert.deepEqual(await kit.result({ verb: "unban", target: "2001:db8:1:2::9" }), { prefix: "2001:db8:1:2::/64" });
  assert.equal(await ban("2001:db8:1:2::7/128"), "done");
  const narrow = { prefix: "2001:db8:1:2::7/128" };
  assert.deepEqual(await kit.result({ verb: "unban", target: "2001:db8:1:2::7" }), narrow, "as lists show it");
});

test("unban: the reply says which ban around it, and how many within it, are still in force", async () => {
  const [one, network, wide] = ["198.51.100.7", "198.51.100.0/24", "198.51.0.0/16"];
  for (const target of [one, "198.51.100.8", network, wide]) assert.equal(await ban(target), "done");
  assert.deepEqual(await kit.result({ verb: "unban", target: one }), { prefix: `${one}/32`, around: network });
  assert.equal(await ban(one), "done");
  assert.deepEqual(await kit.result({ verb: "unban", target: network }), { prefix: network, around: wide, within: 2 });
  assert.deepEqual(await kit.result({ verb: "unban", target: wide }), { prefix: wide, within: 2 });
});

test("an allow entry is one network, at widest /8 or /16 for IPv6, with or without an end", async () => {
  assert.equal(await allow("10.0.0.0/8"), "done");
  assert.equal(await allow("2001::/16", "1h"), "done");
  assert.match(await allow("10.0.0.0/7"), /^usage 10\.0\.0\.0\/7 is too wide: /);
  assert.match(await allow("2000::/15"), /^usage 2000::\/15 is too wide: /);
  assert.match(await allow("203.0.113.7", "0s"), /^usage The field "for" is not a time/);
  const at = isoTime(kit.clock.now());
  const entry = { note: "office", by: "root", at, from: "command" };
  const items = [
    { prefix: "10.0.0.0/8", ...entry, expiresAt: null },
    { prefix: "2001::/16", ...entry, expiresAt: isoTime(later(kit.clock.now(), HOUR_MS)) },
  ];
  const listed = await kit.result({ verb: "allow_list", limit: 50, cursor: null });
  assert.deepEqual(listed, { items, next: null, total: 2 });
});

test("an allow entry lifts the bans in its network, and is removed once", async () => {
  assert.equal(await ban("203.0.113.7"), "done");
  const add = { verb: "allow_add", target: "203.0.113.7", note: "office", for: null } as const;
  const result = { prefix: "203.0.113.7/32", lifted: ["203.0.113.7/32"], liftedTotal: 1 };
  assert.deepEqual(await kit.ask(add), { ok: true, result });
  const remove = { verb: "allow_remove", target: "203.0.113.7" } as const;
  assert.deepEqual(await kit.ask(remove), { ok: true, result: { prefix: "203.0.113.7/32" } });
  assert.match(await kit.said(remove), /^failed 203\.0\.113\.7\/32: It is not on the allow list/);
  for (let i = 0; i < 51; i++) assert.equal(await ban(`198.51.100.${i}`), "done");
  const wide = await kit.result({ ...add, target: "198.51.100.0/24" });
  assert.deepEqual([wide.lifted.length, wide.liftedTotal], [50, 51]);
});

test("an allow entry of IPv6 lifts no ban of IPv4, even if its range has room for mapped addresses", async () => {
  assert.equal(await ban("203.0.113.7"), "done");
  const lifted = async (target: string) =>
    (await kit.result({ verb: "allow_add", target, note: "", for: null })).liftedTotal;
  for (const target of ["::1/64", "::fffe:0:0/95"]) assert.equal(await lifted(target), 0, target);
  assert.equal(await lifted("::ffff:203.0.113.0/120"), 1, "an IPv4 network in IPv6 notation");
});

test("an allow entry does not lift a simulated ban", async () => {
  const simulating = commandsOnMemory({ ...TEST_POLICY, simulate: true });
  for (let n = 0; n < 12; n++) await simulating.engine.ask(guess(`guess ${n}`));
  const add = { verb: "allow_add", target: STRANGER, note: "office", for: null } as const;
  assert.equal((await simulating.result(add)).liftedTotal, 0);
});

test("an allow entry that is added again keeps its later end and its note, and the answer says so", async () => {
  const add = async (length: string | null, note = "") => {
    const { keptEnd, keptNote } = await kit.result({ verb: "allow_add", target: "203.0.113.7", note, for: length });
    return [keptEnd, keptNote];
  };
  assert.deepEqual(await add("2h", "the office"), [undefined, undefined]);
  assert.deepEqual(await add("1h"), [isoTime(later(kit.clock.now(), 2 * HOUR_MS)), "the office"]);
  assert.deepEqual(await add("3h", "a visitor"), [undefined, undefined]);
  assert.deepEqual(await add(null), [undefined, "a visitor"]);
  assert.deepEqual(await add("1h", "a visitor"), [null, undefined]);
  assert.equal(await kit.said({ verb: "allow_remove", target: "203.0.113.7" }), "done");
  assert.deepEqual(await add("1h"), [undefined, undefined]);
});

test("entries from the settings are listed as such, and no command removes them", async () => {
  const configured = commandsOnMemory({ ...TEST_POLICY, allow: [net("198.51.100.0/24")] });
  const at = isoTime(configured.engine.startedAt);
  configured.clock.advance(HOUR_MS);
  const { items } = await configured.result({ verb: "allow_list", limit: 50, cursor: null });
  const listed = { prefix: "198.51.100.0/24", note: "allow.networks", by: "settings", at, expiresAt: null };
  assert.deepEqual(items, [{ ...listed, from: "settings" }]);
  const says = "is allowed in the settings. Remove it from allow.networks in ghostinbox.toml.";
  const target = "198.51.100.0/24";
  assert.equal(await configured.said({ verb: "allow_remove", target }), `failed ${target} ${says}`);
});

test("break-glass reports how many bans it lifted, and how many it could not lift because the disk is full", async () => {
  assert.equal(await ban("203.0.113.7"), "done");
  kit.store.failing = "commit";
  const kept = "it still has 1 ban, and no account's guesses were forgotten. `status` shows what is wrong.";
  assert.equal(await kit.said({ verb: "break_glass" }), `failed The database could not be written: ${kept}`);
  kit.store.failing = null;
  kit.clock.advance(2_000);
  assert.deepEqual(await kit.ask({ verb: "break_glass" }), { ok: true, result: { lifted: 1 } });
});

test("protection of an address follows the same rule as bans", async () => {
  const protects = async (target: string) => (await kit.result({ verb: "protection", target })).reason;
  const stranger = "198.51.100.7";
  assert.equal(await protects(stranger), null);
  assert.equal(await protects("203.0.113.1"), "gateway");
  kit.engine.administratorAt(ip(stranger));
  assert.equal(await protects(stranger), "admin_session");
  assert.equal(await protects("198.51.100.0/24"), "admin_session", "and every network around it");
  await allow(stranger);
  assert.equal(await protects(stranger), "allow_listed");
  kit.clock.advance(HOUR_MS);
  await kit.said({ verb: "allow_remove", target: stranger });
  assert.equal(await protects(stranger), null);
});
