import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { instant } from "../../../core/time.ts";
import { engineMigrations } from "../engine-db/migrations.ts";
import { migrate } from "../migrate.ts";
import { lastPlace, lastSignIn, newPlaces } from "./sign-ins.ts";

test("the latest sign-in from any address, whatever case the login was typed in", () => {
  const db = new DatabaseSync(":memory:");
  migrate(db, engineMigrations, 1);
  db.exec(`INSERT INTO known_address (prefix, account, first_at, last_at) VALUES
    ('203.0.113.7/32', 'Anna@example.org', 0, 1000),
    ('203.0.113.8/32', 'anna@example.org', 0, 3000),
    ('203.0.113.7/32', 'bert@example.org', 0, 2000)`);
  assert.equal(lastSignIn(db, "anna@example.org"), "1970-01-01T00:00:03.000Z");
  assert.equal(lastSignIn(db, "Bert@example.org"), "1970-01-01T00:00:02.000Z");
  assert.equal(lastSignIn(db, "carl@example.org"), null);
  assert.deepEqual(lastPlace(db, "ANNA@example.org"), { at: "1970-01-01T00:00:03.000Z", from: "203.0.113.8/32" });
  assert.equal(lastPlace(db, "carl@example.org"), null);
});

test("places that an account has not used before, the latest first", () => {
  const db = new DatabaseSync(":memory:");
  migrate(db, engineMigrations, 1);
  db.exec(`INSERT INTO known_address (prefix, account, first_at, last_at) VALUES
    ('203.0.113.7/32', 'Anna@example.org', 1000, 9000),
    ('203.0.113.8/32', 'anna@example.org', 2000, 3000),
    ('203.0.113.9/32', 'anna@example.org', 2500, 4000),
    ('203.0.113.10/32', 'bert@example.org', 2500, 4000)`);
  assert.deepEqual(newPlaces(db, "Anna@example.org", instant(2000)), ["203.0.113.9/32", "203.0.113.8/32"]);
});
