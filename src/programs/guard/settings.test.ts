import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { put } from "../../../test/kit/files.ts";
import { loadValid, settingsWith } from "../../../test/kit/loaded-settings.ts";
import { databaseOnMemory } from "../../../test/kit/memory-database.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { SECOND_MS } from "../../core/time.ts";
import { accountsMigrations } from "../../store/accounts-db/schema.ts";
import { changedKeys, createDomainWatch, createServedSettings, readInForce, readSettings } from "./settings.ts";

function read(toml: string | null) {
  const layout = temporaryLayout();
  if (toml !== null) writeFileSync(layout.settings, toml);
  return readSettings(layout);
}

test("a settings file is read, or its mistakes are reported", () => {
  const good = read('domains = ["example.org"]\n');
  assert.ok(good.ok && good.settings.hostname === "mail.example.org");
  assert.match(reasonOf(read(null)), /ghostinbox\.toml does not exist\.$/);
  const wrong = read('domain = ["example.org"]\n[limits.mail]\nper_minute = 0\n');
  assert.match(reasonOf(wrong), /^domain is not a setting; the nearest is domains\. .*limits\.mail\.per_minute/);
});

test("a program that restarts keeps the settings in force, whatever was edited since; without a usable record it takes the file", () => {
  const layout = temporaryLayout();
  const inForce = (): string => {
    const found = readInForce(layout);
    return found.ok ? found.settings.hostname : found.reason;
  };
  writeFileSync(layout.settings, 'domains = ["example.org"]\nhostname = "edited.example.org"\n');
  assert.equal(inForce(), "edited.example.org");
  put(layout.settingsInForce, 'domains = ["example.org"]\n');
  assert.equal(inForce(), "mail.example.org");
  writeFileSync(layout.settings, "domain = 1\n");
  assert.equal(inForce(), "mail.example.org");
  writeFileSync(layout.settingsInForce, "of_another_version = 1\n");
  assert.match(inForce(), /^domain is not a setting/);
});

test("names the keys that differ, and compares lists by their contents", () => {
  const before = settingsWith('allow.networks = ["192.0.2.0/24"]\n');
  const after = settingsWith('allow.networks = ["192.0.2.0/25"]\nbans.permanent = true\n');
  assert.deepEqual(changedKeys(before, settingsWith('allow.networks = ["192.0.2.0/24"]\n')), []);
  assert.deepEqual([...changedKeys(before, after)].toSorted(), ["allow.networks", "bans.permanent"]);
});

test("accounts and aliases at a domain that left the settings are named", () => {
  const [db, notices] = [databaseOnMemory(accountsMigrations), new NoticeBoard()];
  let changes = 0;
  const watch = createDomainWatch(db, () => changes, notices);
  const look = (): string | undefined => {
    watch();
    return notices.raised.get("domain_missing");
  };
  db.exec(`
    INSERT INTO account (name, password, suspended, created_at) VALUES ('alice@example.org', '{ARGON2ID}x', 0, 0);
    INSERT INTO alias (address, target) VALUES ('info@Example.com', 'alice@example.org');
    INSERT INTO served (domain) VALUES ('example.org')`);
  assert.equal(look(), "info@Example.com");
  db.exec("INSERT INTO served (domain) VALUES ('example.com')");
  assert.equal(look(), "info@Example.com", "not read without a change");
  changes += 1;
  assert.equal(look(), undefined);
});

test("settings that the accounts' database cannot store are reported, and retried until it stores the newest", () => {
  const [clock, notices] = [new HandClock(), new NoticeBoard()];
  const served: string[] = [];
  let [isLocked, tries, ended] = [true, 0, 0];
  const settings = createServedSettings({
    networks: {
      serve: ({ domains }) => {
        tries += 1;
        if (isLocked) throw new Error("database is locked");
        served.push(domains.join());
      },
    },
    files: { endFollowing: () => (ended += 1) },
    sessions: { end: () => assert.fail("users may sign in") },
    notices,
    clock,
  });
  settings.serve(settingsWith());
  settings.serve(loadValid('domains = ["example.net"]').settings);
  assert.equal(notices.raised.get("accounts_unwritable"), "database is locked");
  settings.look();
  assert.equal(tries, 2, "each try may wait for a lock");
  clock.advance(5 * SECOND_MS);
  settings.look();
  assert.deepEqual([tries, ended], [3, 0]);
  isLocked = false;
  clock.advance(5 * SECOND_MS);
  settings.look();
  assert.deepEqual(served, ["example.net"]);
  assert.equal(ended, 1);
  assert.equal(notices.raised.has("accounts_unwritable"), false);
  clock.advance(5 * SECOND_MS);
  settings.look();
  assert.equal(tries, 4, "nothing waits any more");
});

test("if mailbox users may no longer use the dashboard, their sessions end for good", () => {
  const ended: unknown[] = [];
  const settings = createServedSettings({
    networks: { serve: () => undefined },
    files: { endFollowing: () => undefined },
    sessions: { end: (which) => ended.push(which) },
    notices: new NoticeBoard(),
    clock: new HandClock(),
  });
  settings.serve(settingsWith());
  assert.deepEqual(ended, []);
  settings.serve(settingsWith("http.mailboxes = false"));
  assert.deepEqual(ended, ["mailboxes"]);
});
