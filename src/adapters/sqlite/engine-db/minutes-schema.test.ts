import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { restoreOld } from "../../../../test/kit/old-data.ts";
import { scratch } from "../../../../test/kit/test-database.ts";
import { auditRecord } from "../../../core/events/record.ts";
import { DAY_MS, HOUR_MS, instant, later, type Millis } from "../../../core/time.ts";
import { eventsBetween, pointBetween } from "../../../engine/explain/series.ts";
import { openEngine } from "../open.ts";
import { SqliteFigures } from "../read/figures.ts";
import { engineMigrations } from "./migrations.ts";
import { minutes } from "./minutes-schema.ts";
import { SqliteStore } from "./store.ts";

/** A moment after the fixture's last event. */
const THEN = instant(Date.UTC(2026, 9, 1, 10, 3));

test("figures go on where they were, from every schema that had them", (t) => {
  for (let schema = 11; schema <= engineMigrations.indexOf(minutes); schema++) {
    const path = restoreOld("engine", join(scratch(t), "engine.db"), schema);
    const db = openEngine(path);
    const before = db.prepare("SELECT type, count(*) AS n FROM event GROUP BY type ORDER BY type").all();
    const totals = (at: Millis | null) => new SqliteFigures(db).totals(at);
    assert.deepEqual(eventsBetween({}, totals(null)), Object.fromEntries(before.map(({ type, n }) => [type, n])));
    const store = new SqliteStore(db);
    store.begin();
    store.append(auditRecord({ type: "TOKEN_CREATED", subject: "nightly", by: "root" }, THEN));
    store.commit();
    assert.deepEqual(eventsBetween(totals(THEN), totals(null)), { TOKEN_CREATED: 1 }, `schema ${schema}`);
    db.close();
  }
});

test("mails that accounts sent before the upgrade are not taken for mails that came in", (t) => {
  for (let schema = 11; schema <= engineMigrations.indexOf(minutes); schema++) {
    const path = restoreOld("engine", join(scratch(t), "engine.db"), schema);
    const old = new DatabaseSync(path);
    const { id, at } = old.prepare("SELECT id, at FROM event WHERE type = 'EMAIL_ACCEPTED'").get() ?? {};
    old.prepare("UPDATE event SET account = 'anna@example.test' WHERE id = ?").run(Number(id));
    const { n } = old.prepare("SELECT count(*) AS n FROM event WHERE type = 'EMAIL_ACCEPTED'").get() ?? {};
    old.close();
    const db = openEngine(path);
    const figures = new SqliteFigures(db);
    const since = figures.totals(later(instant(Number(at)), -HOUR_MS));
    const { mails_in: cameIn, mails_out: sent } = pointBetween(since, figures.totals(null));
    assert.deepEqual([cameIn, sent], [Number(n) - 1, 1], `schema ${schema}`);
    assert.equal(
      figures.totals(later(THEN, -2 * DAY_MS))["sent"],
      undefined,
      "of what there was before it is not known",
    );
    db.close();
  }
});
