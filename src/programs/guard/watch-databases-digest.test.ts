import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { damage, lookUntil, watchedDatabases } from "../../../test/kit/watched-databases.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { isDamage } from "../../store/open.ts";
import { digestOf } from "../../store/recovery/database-files.ts";
import { digest } from "../../store/recovery/salvage.ts";

test("a digest is requested soon after the start, then every five minutes", async (t) => {
  const { watch, clock, calls } = watchedDatabases(t);
  await watch.look();
  assert.equal(calls.digests, 0);
  clock.advance(5 * SECOND_MS);
  await lookUntil(t, watch, () => assert.equal(calls.digests, 1));
  clock.advance(5 * MINUTE_MS - 1);
  await watch.look();
  assert.equal(calls.digests, 1);
  clock.advance(1);
  await lookUntil(t, watch, () => assert.equal(calls.digests, 2));
});

test("a digest that finds damage ends the guard; one without space is reported", async (t) => {
  const { watch, clock, engine, engineDb, notices, calls } = watchedDatabases(t);
  mkdirSync(`${digestOf(engineDb)}.new`);
  clock.advance(5 * SECOND_MS);
  await lookUntil(t, watch, () => assert.match(notices.raised.get("engine_undigested") ?? "", /EISDIR|directory/));
  assert.equal(calls.restarts, 0);
  rmdirSync(`${digestOf(engineDb)}.new`);
  clock.advance(MINUTE_MS);
  await lookUntil(t, watch, () => assert.ok(!notices.raised.has("engine_undigested")));
  damage(engine, engineDb, "known_address");
  clock.advance(5 * MINUTE_MS);
  await lookUntil(t, watch, () => assert.equal(calls.restarts, 1));
  assert.ok(existsSync(`${engineDb}.is-damaged`));
});

test("damage of a new digest does not count as damage of the database", (t) => {
  const { engine, engineDb } = watchedDatabases(t);
  engine.exec("INSERT INTO known_address (prefix, account, first_at, last_at) VALUES ('203.0.113.7/32', 'a@b', 1, 1)");
  const path = `${engineDb}.fresh`;
  writeFileSync(path, "a letter ".repeat(9_000));
  assert.throws(
    () => digested(engineDb, path),
    (error) => /not a database/.test(String(error)) && !isDamage(error),
  );
  rmSync(path);
  damage(engine, engineDb, "known_address");
  assert.throws(() => digested(engineDb, path), isDamage);
});

/** Uses a connection that has none of it in memory. */
function digested(from: string, to: string): void {
  const source = new DatabaseSync(from);
  try {
    digest(source, to);
  } finally {
    source.close();
  }
}
