import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, type TestContext, test } from "node:test";
import { patience } from "../../../test/kit/patience.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import {
  ban,
  banOf,
  engineDatabase,
  eventRow,
  reachSince,
  rowsOf,
  START,
  scalarOf,
  seeded,
  unban,
} from "../../../test/kit/test-database.ts";
import type { SlidingWindow } from "../../core/events/columns.ts";
import type { EventRecord } from "../../core/events/event.ts";
import { DAY_MS, HOUR_MS, instant, later, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { HistoryReach } from "../../guard/storage-ports.ts";
import { sqliteBanLog } from "./ban-log.ts";

const REACH = reachSince(instant(0), 100);

function fresh(t: TestContext) {
  const { db, store, committed } = engineDatabase(t);
  return { db, store, log: sqliteBanLog(db), committed };
}

describe("bans", () => {
  test("an address is banned by its own ban or its network's, even if another one is simulated", (t) => {
    const { store, committed } = fresh(t);
    const isBanned = (now = START) =>
      ["203.0.113.7", "203.0.113.8", "2001:db8::1"].map((text) => store.isBanned(ip(text), now));
    committed(() => {
      ban(store, "203.0.113.7");
      for (const network of ["2001:db8::/64", "203.0.113.8"]) ban(store, network, START, { simulated: true });
    });
    assert.deepEqual(isBanned(), [true, false, false]);
    committed(() => ban(store, "203.0.113.0/24"));
    assert.deepEqual(isBanned(), [true, true, false]);
    committed(() => ban(store, "2001:db8::/48"));
    assert.deepEqual(isBanned(), [true, true, true], "around the simulated one");
    committed(() => ban(store, "198.51.100.7", START, { expiresAt: later(START, 5) }));
    const isStill = (ms: number) => store.isBanned(ip("198.51.100.7"), later(START, ms));
    assert.deepEqual([isStill(4), isStill(5)], [true, false], "even if its end is not recorded");
  });

  test("of the bans on and around an address, decisions see the real one that lasts longest", (t) => {
    const { store, committed } = fresh(t);
    const seen = () => store.address(net("203.0.113.7"), REACH).ban?.prefix;
    const simulated = { simulated: true, expiresAt: null } as const;
    committed(() => {
      for (const network of ["203.0.113.0/24", "203.0.112.0/20"]) ban(store, network, START, simulated);
    });
    assert.equal(seen(), "203.0.113.0/24", "the narrowest");
    committed(() => ban(store, "203.0.0.0/16", START, { expiresAt: later(START, HOUR_MS) }));
    assert.equal(seen(), "203.0.0.0/16");
    committed(() => ban(store, "203.0.113.7"));
    assert.equal(seen(), "203.0.0.0/16", "it still counts if the end of the other cannot be recorded");
    committed(() => ban(store, "203.0.113.7", START, { expiresAt: null }));
    assert.equal(seen(), "203.0.113.7/32");
  });

  test("a simulated ban counts as an offence and as time banned until the simulation ends", (t) => {
    const { store, committed } = fresh(t);
    const offences = () => store.address(net("203.0.113.7"), REACH).offencesAt.map((at) => (at - START) / MINUTE_MS);
    committed(() => {
      ban(store, "203.0.113.7");
      ban(store, "203.0.113.7", later(START, HOUR_MS), { simulated: true });
    });
    assert.deepEqual(offences(), [60, 90]);
    committed(() => store.apply({ type: "END_SIMULATION" }, later(START, DAY_MS)));
    assert.deepEqual(offences(), [30]);
  });

  test("a second ban replaces the first; a lifted one stays in the history", (t) => {
    const { db, store, log, committed } = fresh(t);
    const second = banOf("203.0.113.7", later(START, SECOND_MS), { level: "medium", offences: 2, expiresAt: null });
    committed(() => {
      ban(store, "203.0.113.7");
      store.apply({ type: "BAN", ban: second }, second.createdAt);
    });
    assert.deepEqual(store.ban(second.prefix), second);
    assert.deepEqual(store.address(second.prefix, REACH).offencesAt, [8.64e15, 8.64e15]);
    committed(() => unban(store, "203.0.113.7", later(START, 5_000)));
    assert.equal(store.ban(second.prefix), null);
    const { offencesAt } = store.address(second.prefix, REACH);
    assert.deepEqual(offencesAt, [START + 5_000], "forgiven ones don't count, but its time is added");
    assert.deepEqual(rowsOf(db, "SELECT ended, ended_by, ended_at, forgiven FROM ban ORDER BY id"), [
      ["REPLACED", "engine", START + SECOND_MS, 0],
      ["UNBAN", "root", START + 5_000, 1],
    ]);
    assert.deepEqual(log.after(0, 10), [
      { id: 1, type: "add", prefix: second.prefix, expiresAt: START + 30 * MINUTE_MS },
      { id: 2, type: "add", prefix: second.prefix, expiresAt: null },
      { id: 3, type: "delete", prefix: second.prefix },
    ]);
    assert.deepEqual([log.after(1, 1).map(({ id }) => id), log.last()], [[2], 3]);
  });

  test("lifting a ban that does not exist adds no step", (t) => {
    const { store, log, committed } = fresh(t);
    committed(() => unban(store, "203.0.113.7"));
    assert.equal(log.last(), 0);
  });

  test("only bans within a network are found", (t) => {
    const { store, committed } = fresh(t);
    committed(() => {
      for (const network of ["203.0.113.7", "203.0.112.0/24", "203.0.112.0/20"]) ban(store, network);
      for (const network of ["2001:db8:0:1::/64", "2001:db8:1::/48", "2001:db9::/64"]) ban(store, network);
    });
    const within = (network: string): readonly string[] => store.bansWithin(net(network)).map(({ prefix }) => prefix);
    assert.deepEqual(within("203.0.113.0/24"), ["203.0.113.7/32"]);
    assert.deepEqual(within("203.0.112.0/20").toSorted(), ["203.0.112.0/20", "203.0.112.0/24", "203.0.113.7/32"]);
    assert.deepEqual(within("2001:db8::/32"), ["2001:db8:0:1::/64", "2001:db8:1::/48"]);
    assert.deepEqual(within("203.0.112.0/24"), ["203.0.112.0/24"], "not the wider one with the same first address");
    assert.deepEqual(within("0.0.0.0/0").length, 3);
    assert.deepEqual(within("::/48"), [], "its range includes mapped IPv4 addresses, which are not in the network");
    assert.equal(store.address(net("203.0.112.7"), REACH).ban?.prefix, "203.0.112.0/24", "the narrowest around it");
    assert.equal(store.ban(net("203.0.112.7")), null, "no ban on the address itself");
  });

  test("forgiving a network's ban forgives no ban within it that is still in force", (t) => {
    const { db, store, committed } = fresh(t);
    committed(() => {
      for (const network of ["203.0.113.7", "203.0.113.0/24"]) ban(store, network);
      unban(store, "203.0.113.0/24");
    });
    assert.deepEqual(rowsOf(db, "SELECT prefix FROM ban WHERE forgiven = 0"), [["203.0.113.7/32"]]);
  });

  test("forgiving a network's ban forgives no ban of the other family", (t) => {
    const { db, store, committed } = fresh(t);
    committed(() => {
      ban(store, "203.0.113.7");
      store.apply(
        { type: "LIFT", prefix: net("203.0.113.7"), cause: "BAN_EXPIRED", forgiven: false, by: "engine" },
        START,
      );
      ban(store, "::/48");
      unban(store, "::/48");
    });
    assert.deepEqual(rowsOf(db, "SELECT prefix FROM ban WHERE forgiven = 0"), [["203.0.113.7/32"]]);
  });

  test("the log says which bans are in force and which have ended", (t) => {
    const { store, log, committed } = fresh(t);
    committed(() => {
      ban(store, "203.0.113.1", START, { expiresAt: later(START, 10) });
      ban(store, "203.0.113.2", START, { expiresAt: later(START, 5) });
      ban(store, "203.0.113.3", START, { expiresAt: null });
      ban(store, "203.0.113.4", START, { expiresAt: null, simulated: true });
    });
    assert.deepEqual(log.expired(later(START, 4), 9), []);
    assert.deepEqual(log.expired(later(START, 10), 9), ["203.0.113.2/32", "203.0.113.1/32"]);
    assert.deepEqual(log.expired(later(START, 10), 1), ["203.0.113.2/32"]);
    const active = [...log.active(later(START, 5))].map(({ prefix }) => prefix);
    assert.deepEqual(active.toSorted(), ["203.0.113.1/32", "203.0.113.3/32"], "simulated ones are not enforced");
  });
});

test("an address is known from its latest sign-in; allow entries come and go", (t) => {
  const { store, committed } = fresh(t);
  const prefix = net("203.0.113.7");
  committed(() => {
    store.apply({ type: "KNOW", prefix, account: "a@example.org", passwordHash: "" }, START);
    store.apply({ type: "KNOW", prefix, account: "a@example.org", passwordHash: "" }, later(START, 9));
    store.apply({ type: "KNOW", prefix, account: "b@example.org", passwordHash: "" }, later(START, 3));
    store.apply({ type: "ALLOW", prefix, note: "the office", by: "root", expiresAt: null }, START);
  });
  assert.equal(store.address(prefix, REACH).knownAt, START + 9);
  assert.deepEqual(store.allowEntries(), [{ prefix, note: "the office", by: "root", at: START, expiresAt: null }]);
  committed(() => store.apply({ type: "DISALLOW", prefix, cause: "ALLOW_REMOVED", by: "root" }, START));
  assert.deepEqual(store.allowEntries(), []);
});

test("events that were indexed in a lost transaction are still found", (t) => {
  const { store, committed } = fresh(t);
  const seven = net("203.0.113.7");
  committed(() => store.append(eventRow("203.0.113.7", START)));
  store.begin();
  assert.equal(store.address(seven, REACH).connections.length, 1, "the query indexes them");
  store.rollback();
  assert.equal(store.address(seven, REACH).connections.length, 1, "while nothing can be written");
  committed(() => assert.equal(store.address(seven, REACH).connections.length, 1));
  assert.equal(store.address(seven, REACH).connections.length, 1);
});

test("an address includes events of the open transaction; a rollback removes them, and a second one does no harm", (t) => {
  const { db, store } = fresh(t);
  store.begin();
  store.append(eventRow("203.0.113.7", START));
  assert.deepEqual(store.address(net("203.0.113.7"), REACH).connections, [START]);
  store.rollback();
  store.rollback();
  store.begin();
  store.append(eventRow("203.0.113.8", START));
  store.begin();
  store.commit();
  assert.equal(scalarOf(db, "SELECT count(*) FROM event"), 0, "an abandoned turn is not committed");
});

test("on a full disk a turn is rolled back, earlier turns stay readable, and turns continue once there is room", (t) => {
  const { db, store } = fresh(t);
  const all = reachSince(instant(0), 1_000_000);
  const read = () => store.address(net("203.0.113.7"), all).connections.length;
  let kept = 0;
  const turn = (): void => {
    store.begin();
    try {
      for (let i = 0; i < 100; i++) store.append(eventRow("203.0.113.7", START));
      store.commit();
      kept += 100;
    } catch (error) {
      store.rollback();
      throw error;
    }
  };
  const untilFull = (): void => {
    for (let i = 0; i < 1_000; i++) turn();
  };
  db.exec(`PRAGMA max_page_count = ${Number(scalarOf(db, "PRAGMA page_count")) + 40}`);
  assert.throws(untilFull, /full/);
  assert.throws(untilFull, /full/, "it stays full");
  assert.ok(kept > 0);
  assert.equal(read(), kept);
  db.exec("PRAGMA max_page_count = 4294967294");
  for (let i = 0; i < 5; i++) turn();
  assert.deepEqual([read(), scalarOf(db, "SELECT count(*) FROM event")], [kept, kept]);
  assert.equal(scalarOf(db, "PRAGMA integrity_check"), "ok");
});

test("while another program holds the lock, only the first attempt waits; once it is free, statements wait again", (t) => {
  const { db, store, committed } = fresh(t);
  using other = new DatabaseSync(db.location() ?? "", { timeout: 0 });
  const busyTimeout = (): unknown => scalarOf(db, "PRAGMA busy_timeout");
  other.exec("BEGIN EXCLUSIVE");
  assert.throws(() => store.begin(), /database is locked/);
  const from = performance.now();
  for (let i = 0; i < 20; i++) assert.throws(() => store.begin(), /database is locked/);
  assert.ok(performance.now() - from < patience(1_000), "twenty waits would take five seconds");
  assert.equal(busyTimeout(), 0);
  store.rollback();
  assert.deepEqual(store.address(net("203.0.113.7"), REACH).connections, [], "reading continues");
  other.exec("ROLLBACK");
  committed(() => store.append(eventRow("203.0.113.7", START)));
  assert.equal(busyTimeout(), 250);
});

/** `countedUntil`: how many rows existed when the ban started or ended. */
type BanSpan = { network: string; createdAt: Millis; endedAt: Millis | null; forgiven: boolean; countedUntil: number };

const endOf = ({ createdAt, endedAt }: BanSpan): number =>
  Math.min(endedAt ?? Number.POSITIVE_INFINITY, createdAt + 30 * MINUTE_MS);

/** The oracle: recounts everything from zero each time. Slow and obvious. */
class NaiveHistory {
  readonly rows: EventRecord[] = [];
  readonly bans: BanSpan[] = [];

  address(network: string, reach: HistoryReach) {
    const bans = this.bans.filter((ban) => ban.network === network);
    const newest = bans.at(-1);
    const answered = newest?.countedUntil ?? 0;
    const forgiven = Math.max(0, ...bans.map((ban) => (ban.forgiven ? ban.countedUntil : 0)));
    const rows = (counts: SlidingWindow, since: Millis, after = answered, most = reach.most): EventRecord[] =>
      this.rows
        .slice(after)
        .filter((row) => row.prefix === net(network) && row.counts === counts && row.at > since)
        .slice(-most);
    return {
      banned: newest !== undefined && newest.endedAt === null,
      offencesAt: bans.flatMap((ban, i) => {
        const lengths = bans.slice(i + 1).map((one) => endOf(one) - one.createdAt);
        return ban.forgiven ? [] : [lengths.reduce((sum, ms) => sum + ms, endOf(ban))];
      }),
      connections: rows("connection", reach.sinceConnections).map(({ at }) => at),
      mails: rows("mail", reach.sinceMails).map(({ at }) => at),
      probes: rows("probe", reach.sinceProbes).map(({ at }) => at),
      bounces: rows("bounce", reach.sinceProbes).map(({ at }) => at),
      // A ban uses up its events; only forgiven events are gone.
      failures: rows("login", reach.sinceFailures, forgiven, reach.mostFailures).map((row) => ({
        at: row.at,
        passwordHash: row.proof ?? "",
        account: "",
        ...(this.rows.indexOf(row) < answered ? { spent: true } : {}),
      })),
    };
  }
}

const NETWORKS = ["203.0.113.1", "203.0.113.2", "2001:db8:0:1::/64"];
const WINDOWS: readonly (SlidingWindow | null)[] = [
  "connection",
  "mail",
  "account_mail",
  "login",
  "probe",
  "bounce",
  null,
];

for (const seed of [1, 2, 3, 4, 5]) {
  test(`history equals a naive recount, seed ${seed}`, (t) => {
    const { store } = engineDatabase(t);
    const naive = new NaiveHistory();
    const random = seeded(seed);
    const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
    let now = START;
    for (let turn = 0; turn < 300; turn++) {
      const network = pick(NETWORKS) ?? "203.0.113.1";
      const standing = naive.bans.findLast((ban) => ban.network === network && ban.endedAt === null);
      // Half of the events share a millisecond with the one before.
      now = later(now, random() < 0.5 ? 0 : Math.floor(random() * 2 * MINUTE_MS));
      const kept = random() < 0.9;
      store.begin();
      const dice = random();
      if (dice < 0.05) {
        store.apply({ type: "BAN", ban: banOf(network, now) }, now);
        if (kept && standing !== undefined) Object.assign(standing, { endedAt: now, countedUntil: naive.rows.length });
        if (kept)
          naive.bans.push({ network, createdAt: now, endedAt: null, forgiven: false, countedUntil: naive.rows.length });
      } else if (dice < 0.1) {
        const forgiven = random() < 0.5;
        store.apply({ type: "LIFT", prefix: net(network), cause: "UNBAN", forgiven, by: "root" }, now);
        if (kept && standing !== undefined)
          Object.assign(standing, { endedAt: now, forgiven, countedUntil: naive.rows.length });
      } else {
        const counts = pick(WINDOWS) ?? null;
        const proof = counts === "login" ? String(Math.floor(random() * 4)) : null;
        const row = { ...eventRow("203.0.113.1", now, { counts, proof }), prefix: net(network) };
        store.append(row);
        if (kept) naive.rows.push(row);
      }
      if (kept) store.commit();
      else store.rollback();
      const reach = {
        sinceConnections: later(now, -HOUR_MS),
        sinceMails: later(now, -2 * HOUR_MS),
        sinceFailures: later(now, -10 * MINUTE_MS),
        sinceProbes: later(now, -20 * MINUTE_MS),
        most: 1 + Math.floor(random() * 20),
        mostFailures: 1 + Math.floor(random() * 20),
      };
      const { ban, knownAt, ...rest } = store.address(net(network), reach);
      assert.equal(knownAt, null);
      assert.deepEqual({ banned: ban !== null, ...rest }, naive.address(network, reach), `turn ${turn}`);
    }
  });
}
