import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { banOf, engineDatabase, eventRow, START, seeded } from "../../../test/kit/test-database.ts";
import type { Counts } from "../../core/events/columns.ts";
import type { EventRecord } from "../../core/events/event.ts";
import { HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Reach } from "../../guard/storage-ports.ts";

/** `countedUntil`: how many rows existed when the ban started or ended. */
type BanSpan = { network: string; createdAt: Millis; endedAt: Millis | null; forgiven: boolean; countedUntil: number };

/** The oracle: recounts everything from zero each time. Slow and obvious. */
class NaiveHistory {
  readonly rows: EventRecord[] = [];
  readonly bans: BanSpan[] = [];

  address(network: string, reach: Reach) {
    const bans = this.bans.filter((ban) => ban.network === network);
    const newest = bans.at(-1);
    const answered = newest?.countedUntil ?? 0;
    const forgiven = Math.max(0, ...bans.map((ban) => (ban.forgiven ? ban.countedUntil : 0)));
    const rows = (counts: Counts, since: Millis, after = answered, most = reach.most): EventRecord[] =>
      this.rows
        .slice(after)
        .filter((row) => row.prefix === net(network) && row.counts === counts && row.at > since)
        .slice(-most);
    return {
      banned: newest !== undefined && newest.endedAt === null,
      offencesAt: bans.filter((ban) => !ban.forgiven).map((ban) => ban.createdAt),
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
const WINDOWS: readonly (Counts | null)[] = ["connection", "mail", "account_mail", "login", "probe", "bounce", null];

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
