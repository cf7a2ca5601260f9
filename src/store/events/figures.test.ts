import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { banOf, engineDatabase, eventRow, eventRows, record, START, seeded } from "../../../test/kit/test-database.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import { eventsBetween } from "../../guard/explain/stats.ts";
import { sqliteEventTally } from "./event-tally.ts";
import { sqliteFigures } from "./figures.ts";

/** More events than are counted one by one. */
const FLOOD = 12_000;

function fresh(t: TestContext) {
  const { db, store, reader, committed } = engineDatabase(t);
  const tally = sqliteEventTally(db);
  const tallied = (): void => {
    while (tally.step());
  };
  const flood = (at: Millis) => record(store, ...eventRows(FLOOD, "203.0.113.8", at));
  const figures = sqliteFigures(reader);
  const counts = (since: Millis) => eventsBetween(figures.totals(since), figures.totals(null));
  return { store, committed, tallied, flood, figures, counts };
}

test("the ranking counts an address's events since the requested time", (t) => {
  const { store, tallied, flood, figures } = fresh(t);
  const refused = { type: "EMAIL_BLOCKED", rest: { event: "CONTENT_REFUSED", reply: "5.7.1 no" } } as const;
  record(
    store,
    eventRow("203.0.113.9", START),
    ...eventRows(3, "203.0.113.7", later(START, HOUR_MS)),
    eventRow("203.0.113.7", later(START, HOUR_MS), { type: "EMAIL_BLOCKED", counts: "mail" }),
    eventRow("203.0.113.8", later(START, HOUR_MS), { type: "EMAIL", counts: "mail" }),
    eventRow("203.0.113.8", later(START, HOUR_MS), refused),
    eventRow("203.0.113.8", later(START, HOUR_MS), { type: "BAN" }),
  );
  const top = [
    { ip: "203.0.113.7", mails: 1, connections: 3, rejected: 1 },
    { ip: "203.0.113.8", mails: 1, connections: 0, rejected: 1 },
  ];
  assert.deepEqual(figures.topIps(later(START, 1), 9), top);
  assert.deepEqual(figures.topIps(later(START, 1), 1), top.slice(0, 1));
  assert.deepEqual(figures.topIps(START, 9).length, 3);
  assert.deepEqual(figures.topIps(later(START, DAY_MS), 9), []);
  const mails = figures.top("mails", START, 9);
  assert.deepEqual(mails, [
    { ip: "203.0.113.7", count: 1 },
    { ip: "203.0.113.8", count: 1 },
  ]);
  assert.deepEqual(figures.top("refusals", START, 9), mails);
  assert.deepEqual(figures.top("failures", START, 9), []);
  tallied();
  flood(later(START, HOUR_MS));
  assert.deepEqual(figures.top("mails", START, 9), mails, "the same in the tally");
});

test("the address with most mail comes first, however busy others are and however early in the window", (t) => {
  const { store, tallied, flood, figures } = fresh(t);
  record(store, ...eventRows(3, "203.0.113.7", START, { type: "EMAIL", counts: "mail" }));
  flood(later(START, 1));
  tallied();
  assert.deepEqual(figures.topIps(START, 9), [
    { ip: "203.0.113.7", mails: 3, connections: 0, rejected: 0 },
    { ip: "203.0.113.8", mails: 0, connections: FLOOD, rejected: 0 },
  ]);
});

test("in a flood the figures are exact to the span, whether the events are tallied yet or not", (t) => {
  const { store, tallied, flood, figures, counts } = fresh(t);
  const types = ["CONNECT", "EMAIL", "EMAIL_BLOCKED", "LOGIN_FAILED", "LOGIN_SUCCEEDED", "CONNECT_REFUSED"] as const;
  const random = seeded(9);
  const some = Array.from({ length: 3_000 }, (_, i) => {
    const type = types[Math.floor(random() * types.length)] ?? "CONNECT";
    return eventRow(`203.0.113.${Math.floor(random() * 20)}`, later(START, i * 20_000), { type });
  });
  record(store, ...some);
  const since = later(START, 8 * HOUR_MS);
  const others = () => figures.topIps(since, 30).filter(({ ip }) => ip !== "203.0.113.8");
  const exact = { others: others(), counts: counts(since) };
  tallied();
  flood(later(START, 3_000 * 20_000));
  const withFlood = { ...exact.counts, CONNECT: (exact.counts["CONNECT"] ?? 0) + FLOOD };
  const check = (): void => {
    assert.deepEqual(counts(since), withFlood);
    assert.deepEqual(counts(later(since, MINUTE_MS - 1)), withFlood, "from the start of its minute");
    assert.deepEqual(others(), exact.others);
    const top = figures.topIps(since, 30);
    assert.deepEqual(figures.topIps(later(since, 59 * MINUTE_MS), 30), top, "from the start of its hour");
  };
  tallied();
  check();
  record(store, eventRow("203.0.113.99", later(START, DAY_MS)));
  assert.deepEqual(counts(since)["CONNECT"], withFlood.CONNECT + 1, "an event that is not tallied yet");
});

test("a span shows the counts at each of its steps, even before and after all events", (t) => {
  const { store, figures } = fresh(t);
  const minute = (n: number): Millis => later(START, n * MINUTE_MS);
  for (const n of [0, 1, 1, 5, 5, 5, 9]) record(store, eventRow("203.0.113.7", minute(n)));
  const of = (from: Millis, to: Millis, steps: number): readonly number[] =>
    figures.totalsAt({ from, to, stepMs: steps * MINUTE_MS }).map((totals) => totals["CONNECT"] ?? 0);
  assert.deepEqual(of(START, minute(10), 1), [0, 1, 3, 3, 3, 3, 6, 6, 6, 6, 7]);
  assert.deepEqual(of(START, minute(12), 3), [0, 3, 6, 6, 7]);
  assert.deepEqual(of(minute(1), minute(6), 5), [1, 6]);
  assert.deepEqual(of(minute(-4), minute(0), 2), [0, 0, 0]);
  assert.deepEqual(of(minute(20), minute(24), 2), [7, 7, 7]);
});

test("bans in force are counted by their origin", (t) => {
  const { store, committed, figures } = fresh(t);
  for (const [i, source] of ["engine", "engine", "fail2ban", "root", "admin via 192.0.2.1"].entries())
    committed(() => store.apply({ type: "BAN", ban: banOf(`203.0.113.${i}`, START, { source }) }, START));
  const lifted = { type: "LIFT", prefix: net("203.0.113.1"), cause: "UNBAN", forgiven: true, by: "root" } as const;
  committed(() => store.apply(lifted, START));
  assert.deepEqual(figures.banCounts(START), { engine: 1, fail2ban: 1, manual: 2 });
  assert.deepEqual(figures.banCounts(later(START, HOUR_MS)), { engine: 0, fail2ban: 0, manual: 0 });
});
