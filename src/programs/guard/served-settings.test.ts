import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { SECOND_MS } from "../../core/time.ts";
import { ServedSettings } from "./settings.ts";

function settingsOf(toml: string) {
  return loadValid(toml).settings;
}

test("settings that the accounts' database cannot store are reported, and retried until it stores the newest", () => {
  const [clock, notices] = [new HandClock(), new NoticeBoard()];
  const served: string[] = [];
  let [isLocked, tries, ended] = [true, 0, 0];
  const settings = new ServedSettings({
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
  settings.serve(settingsOf('domains = ["example.org"]'));
  settings.serve(settingsOf('domains = ["example.net"]'));
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
  const settings = new ServedSettings({
    networks: { serve: () => undefined },
    files: { endFollowing: () => undefined },
    sessions: { end: (which) => ended.push(which) },
    notices: new NoticeBoard(),
    clock: new HandClock(),
  });
  settings.serve(settingsOf('domains = ["example.org"]'));
  assert.deepEqual(ended, []);
  settings.serve(settingsOf('domains = ["example.org"]\nhttp.mailboxes = false'));
  assert.deepEqual(ended, ["mailboxes"]);
});
