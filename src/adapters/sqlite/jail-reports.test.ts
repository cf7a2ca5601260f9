import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import type { JailReported } from "../../core/event.ts";
import { hostPrefix } from "../../core/ip.ts";
import { ip } from "../../core/samples.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";

const IP = ip("198.51.100.7");
const SUBJECT = hostPrefix(IP);

function reportAt(lastAt: Millis, jail = "dovecot"): JailReported {
  const numbers = { failures: 3, limit: 3, windowMs: 10 * MINUTE_MS, banMs: 10 * MINUTE_MS };
  return { type: "JAIL_REPORTED", ip: IP, jail, ...numbers, lastAt, clientName: null, lines: [] };
}

test("what was judged is remembered by jail, and bans by whatever source", async () => {
  const { engine, sqlite, clock } = engineOnMemory();
  const now = clock.now();
  assert.equal(sqlite.heard(SUBJECT, reportAt(now), now).upTo, null);
  const heard = { type: "HEAR_JAIL", prefix: SUBJECT, jail: "dovecot", at: later(now, -1_000) } as const;
  sqlite.apply(heard, now);
  assert.equal(sqlite.heard(SUBJECT, reportAt(now), now).upTo, later(now, -1_000));
  assert.equal(sqlite.heard(SUBJECT, reportAt(now, "postfix"), now).upTo, null, "another jail has said nothing yet");
  sqlite.apply({ ...heard, at: later(now, -5_000) }, now);
  assert.equal(
    sqlite.heard(SUBJECT, reportAt(now), now).upTo,
    later(now, -1_000),
    "an older report takes nothing back",
  );

  await engine.ask({ type: "BAN_ASKED", prefix: SUBJECT, note: "", durationMs: HOUR_MS, by: "root" });
  await engine.ask({ type: "UNBAN_ASKED", prefix: SUBJECT, by: "root" });
  assert.equal(sqlite.heard(SUBJECT, reportAt(now, "postfix"), now).upTo, now, "a lifted ban was a judgement too");
});

test("what lies after now is from before the clock was set back, and proves nothing", () => {
  const { sqlite, clock } = engineOnMemory();
  const now = clock.now();
  const heard = { type: "HEAR_JAIL", prefix: SUBJECT, jail: "dovecot" } as const;
  sqlite.apply({ ...heard, at: now }, now);
  const before = later(now, -HOUR_MS);
  assert.equal(sqlite.heard(SUBJECT, reportAt(before), before).upTo, null);
  sqlite.apply({ ...heard, at: before }, before);
  assert.equal(sqlite.heard(SUBJECT, reportAt(before), before).upTo, before);
});

test("different passwords of that time are told apart, repeated ones counted once", async () => {
  const { engine, sqlite, clock } = engineOnMemory();
  const fail = (passwordHash: string) =>
    engine.ask({ type: "LOGIN_FAILED", ip: IP, service: "imap", login: "anna@example.test", passwordHash });
  for (const hash of ["a1", "a1", "a1"]) await fail(hash);
  const then = clock.now();
  assert.deepEqual(sqlite.heard(SUBJECT, reportAt(then), then).passwords, ["a1"]);
  clock.advance(MINUTE_MS);
  await fail("b2");
  assert.deepEqual(sqlite.heard(SUBJECT, reportAt(clock.now()), clock.now()).passwords.toSorted(), ["a1", "b2"]);
  assert.deepEqual(sqlite.heard(SUBJECT, reportAt(then), clock.now()).passwords, ["a1"], "later ones are not its own");
  assert.deepEqual(sqlite.heard(SUBJECT, reportAt(later(then, HOUR_MS)), clock.now()).passwords, []);
});

test("what the guard refused unheard is told apart too; what it did not see is no other password", async () => {
  const { engine, sqlite, clock } = engineOnMemory({
    ...TEST_POLICY,
    logins: { ...TEST_POLICY.logins, networks: [hostPrefix(ip("203.0.113.1"))] },
  });
  const login = { ip: IP, service: "imap", login: "anna@example.test" } as const;
  const passwords = () => sqlite.heard(SUBJECT, reportAt(clock.now()), clock.now()).passwords;
  for (let i = 0; i < 3; i++) {
    const asked = await engine.ask({ type: "LOGIN_ASKED", ...login, passwordHash: "right" });
    assert.equal(asked.reason, "outside_networks");
  }
  assert.deepEqual(passwords(), ["right"]);
  assert.equal((await engine.ask(reportAt(clock.now()))).reason, "repeated_password");
  await engine.observe("mail.log", { inode: "1", offset: 1 }, [{ type: "LOGIN_UNSEEN", ...login, times: 3 }]);
  assert.deepEqual(passwords(), ["right", ""]);
  clock.advance(MINUTE_MS);
  assert.equal((await engine.ask(reportAt(clock.now()))).reason, "repeated_password");
  clock.advance(MINUTE_MS);
  await engine.ask({ type: "LOGIN_ASKED", ...login, passwordHash: "another" });
  assert.deepEqual(passwords(), ["right", "another"], "the unknown one last");
  assert.equal((await engine.ask(reportAt(clock.now()))).reason, "jail_report");
});

test("old reports are forgotten", () => {
  const { sqlite, db, clock } = engineOnMemory();
  const heard = { type: "HEAR_JAIL", prefix: SUBJECT, jail: "dovecot" } as const;
  sqlite.apply({ ...heard, at: clock.now() }, clock.now());
  clock.advance(8 * DAY_MS);
  sqlite.apply({ ...heard, jail: "postfix", at: clock.now() }, clock.now());
  assert.deepEqual(
    db
      .prepare("SELECT jail FROM jail_report")
      .all()
      .map((row) => row["jail"]),
    ["postfix"],
  );
});
