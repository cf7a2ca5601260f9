import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../test/kit/engine-kit.ts";
import { parsePrefix } from "../core/ip.ts";
import { ip, MAIL } from "../core/samples.ts";
import { HOUR_MS, MINUTE_MS } from "../core/time.ts";

const POLICY = { ...TEST_POLICY, connections: [{ key: "k", count: 1, windowMs: MINUTE_MS }] };
const prefix = (text: string) => parsePrefix(text) ?? assert.fail(text);

function scene(own: Parameters<typeof engineOnMemory>[1] = []) {
  const made = engineOnMemory(POLICY, own);
  const flood = async (from: string): Promise<void> => {
    for (let i = 0; i < 2; i++) await made.engine.ask({ type: "CONNECT", ...MAIL, ip: ip(from) });
  };
  return { ...made, flood };
}

for (const [addresses, network, other] of [
  [[1, 2, 3, 4, 5].map((i) => `198.51.100.${i}`), "198.51.100.0/24", "198.51.100.77"],
  [[1, 2, 3, 4, 5].map((i) => `2001:db8:7:${i}::1`), "2001:db8:7::/48", "2001:db8:7:ffff::1"],
] as const)
  test(`the fifth banned neighbour brings the ban of ${network}`, async () => {
    const { engine, sqlite, flood } = scene();
    for (const from of addresses.slice(0, 4)) await flood(from);
    assert.equal(sqlite.ban(prefix(network)), null);
    await flood(addresses[4] ?? "");
    assert.equal(sqlite.ban(prefix(network))?.code, "neighbours_banned");
    const neighbour = await engine.ask({ type: "CONNECT", ...MAIL, ip: ip(other) });
    assert.equal(neighbour.reason, "banned", "who has done nothing yet is in it");
  });

for (const [why, own, known] of [
  ["gateway", [{ prefix: prefix("198.51.100.254"), why: "gateway" }], null],
  ["known_network", [], "198.51.100.254"],
] as const)
  test(`${why}: a network is spared for the sake of one within it, which is an event`, async () => {
    const { engine, sqlite, db, flood } = scene(own);
    const login = { service: "imap", login: "anna@example.test", passwordHash: "right" } as const;
    if (known !== null) await engine.ask({ type: "LOGIN_SUCCEEDED", ip: ip(known), ...login });
    for (let i = 1; i <= 9; i++) await flood(`198.51.100.${i}`);
    assert.equal(sqlite.ban(prefix("198.51.100.0/24")), null);
    assert.equal(sqlite.ban(prefix("198.51.100.9"))?.code, "connection_limit");
    const rows = db.prepare("SELECT reason FROM event WHERE type = 'SPARED'").all();
    assert.deepEqual(
      rows.map((row) => row["reason"]),
      [why],
    );
  });

test("thirty guesses out of one network, two an address at most, bring its ban", async () => {
  const { engine, sqlite } = scene();
  for (let i = 1; i <= 30; i++) {
    assert.equal(sqlite.ban(prefix("198.51.100.0/24")), null, `guess ${i}`);
    const login = { service: "imap", login: `user${i}@example.test`, passwordHash: `p${i}` } as const;
    await engine.ask({ type: "LOGIN_FAILED", ip: ip(`198.51.100.${i % 20}`), ...login });
  }
  assert.equal(sqlite.ban(prefix("198.51.100.0/24"))?.code, "network_guesses");
});

for (const [how, after] of [
  ["lifted", "unban"],
  ["over", "wait"],
] as const)
  test(`once the ban of a network is ${how}, one typo or one offence in it does not bring it back`, async () => {
    const { engine, sqlite, flood, clock } = scene();
    const network = prefix("198.51.100.0/24");
    for (let i = 1; i <= 5; i++) await flood(`198.51.100.${i}`);
    if (after === "unban") await engine.ask({ type: "UNBAN_ASKED", prefix: network, by: "root" });
    else clock.advance(HOUR_MS);
    clock.advance(MINUTE_MS);
    const typo = { service: "imap", login: "anna@example.test", passwordHash: "typo" } as const;
    const failed = await engine.ask({ type: "LOGIN_FAILED", ip: ip("198.51.100.9"), ...typo });
    assert.equal(failed.reason, "below_limit");
    clock.advance(1);
    await flood("198.51.100.10");
    assert.equal(sqlite.ban(network), null);
    for (let i = 11; i <= 14; i++) await flood(`198.51.100.${i}`);
    assert.equal(sqlite.ban(network)?.code, "neighbours_banned", "five more do");
  });

test("a typo does not ban a network for what its neighbours did", async () => {
  const { engine, sqlite, flood } = scene();
  for (let i = 1; i <= 4; i++) await flood(`198.51.101.${i}`);
  engine.setPolicy({ ...POLICY, bans: { ...POLICY.bans, neighbours: 4 } });
  const typo = { service: "imap", login: "anna@example.test", passwordHash: "typo" } as const;
  await engine.ask({ type: "LOGIN_FAILED", ip: ip("198.51.101.9"), ...typo });
  assert.equal(sqlite.ban(prefix("198.51.101.0/24")), null);
  await flood("198.51.101.10");
  assert.equal(sqlite.ban(prefix("198.51.101.0/24"))?.code, "neighbours_banned");
});

test("who forgives a network forgives what lies in it", async () => {
  const { engine, sqlite, flood, clock } = scene();
  await flood("198.51.100.1");
  clock.advance(HOUR_MS);
  await engine.ask({ type: "BAN_EXPIRED", prefix: prefix("198.51.100.1") });
  const network = prefix("198.51.100.0/24");
  await engine.ask({ type: "BAN_ASKED", prefix: network, note: "", durationMs: null, by: "root" });
  await engine.ask({ type: "UNBAN_ASKED", prefix: network, by: "root" });
  await flood("198.51.100.1");
  assert.equal(sqlite.ban(prefix("198.51.100.1"))?.offences, 1);
});

test("a network is somebody's home as long as accounts know it, not only within the memory of bans", async () => {
  const { engine, sqlite, flood, clock } = scene();
  const login = { service: "imap", login: "anna@example.test", passwordHash: "right" } as const;
  await engine.ask({ type: "LOGIN_SUCCEEDED", ip: ip("198.51.100.254"), ...login });
  clock.advance(POLICY.accounts.knownForMs - MINUTE_MS);
  for (let i = 1; i <= 6; i++) await flood(`198.51.100.${i}`);
  assert.equal(sqlite.ban(prefix("198.51.100.0/24")), null);
  clock.advance(2 * MINUTE_MS);
  await flood("198.51.100.7");
  assert.equal(sqlite.ban(prefix("198.51.100.0/24"))?.code, "neighbours_banned");
});
