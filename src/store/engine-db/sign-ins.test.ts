import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { engineFor, eventRow, START } from "../../../test/kit/test-database.ts";
import { instant, isoTime, later } from "../../core/time.ts";
import { migrate } from "../schemas.ts";
import { LastSignIns, newPlaces } from "./account-history.ts";
import { engineMigrations } from "./schema.ts";
import { SqliteStore } from "./store.ts";

test("the latest sign-in from any address, whatever case the login was typed in", () => {
  const db = new DatabaseSync(":memory:");
  migrate(db, engineMigrations, 1);
  db.exec(`INSERT INTO known_address (prefix, account, first_at, last_at) VALUES
    ('203.0.113.7/32', 'Anna@example.org', 0, 1000),
    ('203.0.113.8/32', 'anna@example.org', 0, 3000),
    ('203.0.113.7/32', 'bert@example.org', 0, 2000)`);
  const signIns = new LastSignIns(db);
  assert.deepEqual(signIns.of("ANNA@example.org"), { at: "1970-01-01T00:00:03.000Z", from: "203.0.113.8/32" });
  assert.equal(signIns.of("Bert@example.org")?.at, "1970-01-01T00:00:02.000Z");
  assert.equal(signIns.of("carl@example.org"), null);
});

test("a sign-in from the allow list is remembered by its event", (t) => {
  const db = engineFor(t);
  const store = new SqliteStore(db);
  const signIn = (ip: string, account: string, afterMs: number): void => {
    store.begin();
    store.append(eventRow(ip, later(START, afterMs), { type: "LOGIN_SUCCEEDED", account }));
    store.commit();
  };
  const signIns = new LastSignIns(db);
  assert.equal(signIns.of("anna@example.org"), null);
  signIn("198.51.100.7", "Anna@example.org", 1_000);
  signIn("198.51.100.8", "anna@example.org", 2_000);
  signIn("198.51.100.9", "bert@example.org", 3_000);
  assert.deepEqual(signIns.of("anna@example.org"), { at: isoTime(later(START, 2_000)), from: "198.51.100.8" });
});

test("places that an account has not used before, newest first", () => {
  const db = new DatabaseSync(":memory:");
  migrate(db, engineMigrations, 1);
  db.exec(`INSERT INTO known_address (prefix, account, first_at, last_at) VALUES
    ('203.0.113.7/32', 'Anna@example.org', 1000, 9000),
    ('203.0.113.8/32', 'anna@example.org', 2000, 3000),
    ('203.0.113.9/32', 'anna@example.org', 2500, 4000),
    ('203.0.113.10/32', 'bert@example.org', 2500, 4000)`);
  assert.deepEqual(newPlaces(db, "Anna@example.org", instant(2000)), ["203.0.113.9/32", "203.0.113.8/32"]);
});
