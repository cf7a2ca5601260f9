// Invariant: A network is not banned for a single report, nor if wanted mail comes from it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { guess } from "../../../test/kit/engine-events.ts";
import { engineOnMemory, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { DELIVERED, ip, MAIL, net } from "../../../test/kit/samples.ts";
import { columnOf } from "../../../test/kit/test-database.ts";
import { HONEST_FOR_MS } from "../../core/decide/honest-mail.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";

const POLICY = { ...TEST_POLICY, connections: [{ key: "k", count: 1, windowMs: MINUTE_MS }] };
const NETWORK = net("198.51.100.0/24");
const offenders = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `198.51.100.${i + 1}`);

function scene(policy = POLICY) {
  const made = engineOnMemory(policy);
  const flood = async (from: string): Promise<void> => {
    for (let i = 0; i < 2; i++) await made.engine.ask({ type: "CONNECT", ...MAIL, ip: ip(from) });
  };
  return { ...made, flood };
}

for (const [addresses, network, other] of [
  [offenders(5), NETWORK, "198.51.100.77"],
  [[1, 2, 3, 4, 5].map((i) => `2001:db8:7:${i}::1`), "2001:db8:7::/48", "2001:db8:7:ffff::1"],
] as const)
  test(`the fifth banned neighbour causes the ban of ${network}`, async () => {
    const { engine, sqlite, banLog, clock, flood } = scene();
    const innocent = () => engine.ask({ type: "CONNECT", ...MAIL, ip: ip(other) });
    assert.equal((await innocent()).verdict, "pass");
    for (const from of addresses.slice(0, 4)) await flood(from);
    assert.equal(sqlite.ban(net(network)), null);
    await flood(addresses[4] ?? "");
    assert.equal(sqlite.ban(net(network))?.code, "neighbours_banned");
    assert.equal([...banLog.active(clock.now())].length, 6, "the fifth address is banned too");
    assert.equal((await innocent()).reason, "banned", "an innocent address in it is banned too");
  });

test("thirty guesses from one network, at most two for each address, cause its ban", async () => {
  const { engine, sqlite } = scene();
  for (let i = 1; i <= 30; i++) {
    assert.equal(sqlite.ban(NETWORK), null, `guess ${i}`);
    await engine.ask({ ...guess(`p${i}`, ip(`198.51.100.${i % 20}`)), login: `user${i}@example.test` });
  }
  assert.equal(sqlite.ban(NETWORK)?.code, "network_guesses");
});

for (const how of ["lifted", "over"] as const)
  test(`once the ban of a network is ${how}, one typo or one offence in it does not ban it again`, async () => {
    const { engine, sqlite, flood, clock } = scene();
    for (const from of offenders(5)) await flood(from);
    if (how === "lifted") await engine.ask({ type: "UNBAN_ASKED", prefix: NETWORK, by: "root" });
    else clock.advance(HOUR_MS);
    clock.advance(MINUTE_MS);
    assert.equal((await engine.ask(guess("typo", ip("198.51.100.9")))).reason, "below_limit");
    clock.advance(1);
    await flood("198.51.100.10");
    assert.equal(sqlite.ban(NETWORK), null);
    for (let i = 11; i <= 14; i++) await flood(`198.51.100.${i}`);
    assert.equal(sqlite.ban(NETWORK)?.code, "neighbours_banned", "five more do");
  });

test("guesses of an allowed address are recorded within a network whose ban is only simulated, too", async () => {
  const { engine, sqlite, lost, flood } = scene({ ...POLICY, simulate: true });
  for (const from of offenders(5)) await flood(from);
  assert.equal(sqlite.ban(NETWORK)?.simulated, true);
  const allowed = ip("198.51.100.9");
  await engine.ask({ type: "ALLOW_ASKED", prefix: net(allowed), note: "", durationMs: null, by: "root" });
  for (let i = 1; i <= 5; i++) await engine.ask(guess(`p${i}`, allowed));
  assert.deepEqual(lost, []);
});

test("forgiving a network forgives the addresses in it", async () => {
  const { engine, sqlite, flood, clock } = scene();
  await flood("198.51.100.1");
  clock.advance(HOUR_MS);
  await engine.ask({ type: "BAN_EXPIRED", prefix: net("198.51.100.1") });
  await engine.ask({ type: "BAN_ASKED", prefix: NETWORK, note: "", durationMs: null, by: "root" });
  await engine.ask({ type: "UNBAN_ASKED", prefix: NETWORK, by: "root" });
  await flood("198.51.100.1");
  assert.equal(sqlite.ban(net("198.51.100.1"))?.offences, 1);
});

test("a network counts as a home as long as accounts know it, even beyond the memory of bans", async () => {
  const { engine, sqlite, flood, clock } = scene();
  await engine.ask({ ...guess("right", ip("198.51.100.254")), type: "LOGIN_SUCCEEDED" });
  clock.advance(POLICY.accounts.knownForMs - MINUTE_MS);
  for (const from of offenders(6)) await flood(from);
  assert.equal(sqlite.ban(NETWORK), null);
  clock.advance(2 * MINUTE_MS);
  await flood("198.51.100.7");
  assert.equal(sqlite.ban(NETWORK)?.code, "neighbours_banned");
});

/** A mail through this server that was delivered, as the logs report it. */
async function honestMail({ engine }: ReturnType<typeof scene>, from: string, proven = false): Promise<void> {
  const { queueId } = DELIVERED;
  const about = { recipientCount: 1, sizeBytes: 9, ...MAIL, queueId };
  await engine.ask({ type: "END_OF_MESSAGE", ...about, ip: ip(from) });
  const judged = proven ? [{ type: "MAIL_JUDGED", queueId, found: "dkim" } as const] : [];
  await engine.observe("mail", { inode: "1", offset: 1 }, [...judged, DELIVERED]);
}

test("a network with proven mail on three days is spared, but no longer a month later", async () => {
  const made = scene();
  for (let day = 1; day <= 3; day++) {
    await honestMail(made, "198.51.100.200", true);
    made.clock.advance(DAY_MS);
  }
  const server = { type: "CONNECT", ...MAIL, ip: ip("198.51.100.200") } as const;
  const asked = [await made.engine.ask(server), await made.engine.ask(server)];
  const reasons = asked.map(({ reason }) => reason);
  assert.deepEqual(reasons, ["below_limit", "wanted_busy"], "the server is only deferred");
  for (const from of offenders(30)) await made.flood(from);
  assert.equal(made.sqlite.ban(NETWORK), null);
  assert.deepEqual(columnOf(made.db, "SELECT DISTINCT reason FROM event WHERE type = 'SPARED'"), ["honest_network"]);
  made.clock.advance(HONEST_FOR_MS);
  await made.flood("198.51.100.200");
  assert.equal(made.sqlite.ban(net("198.51.100.200"))?.code, "connection_limit");
  for (const from of offenders(5)) await made.flood(from);
  assert.equal(made.sqlite.ban(NETWORK)?.code, "neighbours_banned");
});

test("one honest mail doubles a network's limit", async () => {
  const made = scene();
  await honestMail(made, "198.51.100.200");
  for (const from of offenders(9)) await made.flood(from);
  assert.equal(made.sqlite.ban(NETWORK), null);
  await made.flood("198.51.100.99");
  assert.match(made.sqlite.ban(NETWORK)?.reason ?? "", /10 within 7d, limit 10/);
});

test("a ban within the time of honest mail cancels that mail's credit, even if the memory of bans is shorter", async () => {
  const made = scene({ ...POLICY, bans: { ...POLICY.bans, memoryMs: DAY_MS } });
  await honestMail(made, "198.51.100.200");
  await made.flood("198.51.100.200");
  made.clock.advance(2 * DAY_MS);
  for (const from of offenders(5)) await made.flood(from);
  assert.equal(made.sqlite.ban(NETWORK)?.code, "neighbours_banned", "five are enough");
});

test("a ban leads to a network's ban only by the number of bans, and a guess only by the number of guesses", async () => {
  const { engine, sqlite, flood } = scene();
  const fail = (i: number) =>
    engine.ask({ ...guess(`p${i}`, ip(`198.51.100.${100 + (i % 20)}`)), login: `user${i}@example.test` });
  for (let i = 1; i <= 10; i++) await fail(i);
  engine.setPolicy({ ...POLICY, networks: { ...POLICY.networks, failures: 1 } });
  await flood("198.51.100.1");
  assert.equal(sqlite.ban(NETWORK), null);
  engine.setPolicy({ ...POLICY, bans: { ...POLICY.bans, neighbours: 1 } });
  await fail(11);
  assert.equal(sqlite.ban(NETWORK), null);
  await flood("198.51.100.2");
  assert.equal(sqlite.ban(NETWORK)?.code, "neighbours_banned");
});
