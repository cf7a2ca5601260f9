import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { migrate } from "../schemas.ts";
import { SqliteRecipients } from "./mail-views.ts";
import { accountsMigrations } from "./schema.ts";

test("accounts, suspended ones too, their extensions and aliases are known, in any case; others are not", () => {
  const db = new DatabaseSync(":memory:");
  migrate(db, accountsMigrations, 1);
  db.exec(`
    INSERT INTO account (name, password, suspended, created_at) VALUES
      ('alice@example.org', '{ARGON2ID}x', 0, 0), ('carol@example.org', '{ARGON2ID}x', 1, 0);
    INSERT INTO alias (address, target) VALUES ('info@example.org', 'alice@example.org')`);
  const clock = new HandClock();
  const recipients = new SqliteRecipients(db, clock);
  const known = [
    "alice@example.org",
    "ALICE@Example.org",
    "carol@example.org",
    "alice+shop@example.org",
    "info@example.org",
  ];
  for (const address of known) assert.ok(recipients.exists(address), address);
  for (const address of ["bob@example.org", "alice@other.org", "+alice@example.org", "alice", ""])
    assert.ok(!recipients.exists(address), address);
  db.exec("DELETE FROM account");
  clock.advance(1_000);
  assert.ok(!recipients.exists("alice@example.org"), "a removed account is forgotten within a second");
});
