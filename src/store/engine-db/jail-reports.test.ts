import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { ip, JAIL_REPORT, MAIL, UNNAMED } from "../../../test/kit/samples.ts";
import { columnOf } from "../../../test/kit/test-database.ts";
import type { JailReported } from "../../core/events/report.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";

const IP = ip("198.51.100.7");
const SUBJECT = hostPrefix(IP);
const NOTED = { type: "NOTE_REPORT", prefix: SUBJECT, jail: "dovecot", unjudged: [] } as const;
const LOGIN = { ip: IP, service: "imap", login: "anna@example.test" } as const;
const FAILED = { type: "LOGIN_FAILED", ...LOGIN } as const;

function reportAt(lastAt: Millis, jail = "dovecot", lines: JailReported["lines"] = []): JailReported {
  return { ...JAIL_REPORT, ip: IP, jail, lastAt, lines };
}

/** `prior`: the facts when this report is judged. */
function fresh(policy = TEST_POLICY) {
  const kit = engineOnMemory(policy);
  const prior = (report: JailReported, at = kit.clock.now()) => kit.sqlite.priorReports(SUBJECT, report, at);
  return { ...kit, prior };
}

test("judged reports are remembered for each jail, and bans from any source", async () => {
  const { engine, sqlite, clock, prior } = fresh();
  const now = clock.now();
  assert.equal(prior(reportAt(now)).upTo, null);
  sqlite.apply({ ...NOTED, at: later(now, -1_000) }, now);
  assert.equal(prior(reportAt(now)).upTo, later(now, -1_000));
  assert.equal(prior(reportAt(now, "postfix")).upTo, null, "another jail has reported nothing yet");
  sqlite.apply({ ...NOTED, at: later(now, -5_000) }, now);
  assert.equal(prior(reportAt(now)).upTo, later(now, -1_000), "an older report does not undo a newer one");

  await engine.ask({ type: "BAN_ASKED", prefix: SUBJECT, note: "", durationMs: HOUR_MS, by: "root" });
  await engine.ask({ type: "UNBAN_ASKED", prefix: SUBJECT, by: "root" });
  assert.equal(prior(reportAt(now, "postfix")).upTo, now, "a lifted ban was a decision too");
});

test("a report dated after now is from before the clock was set back, and proves nothing", () => {
  const { sqlite, clock, prior } = fresh();
  const now = clock.now();
  sqlite.apply({ ...NOTED, at: now }, now);
  const before = later(now, -HOUR_MS);
  assert.equal(prior(reportAt(before), before).upTo, null);
  sqlite.apply({ ...NOTED, at: before }, before);
  assert.equal(prior(reportAt(before), before).upTo, before);
});

test("each different password of that time counts, a repeated one only once", async () => {
  const { engine, clock, prior } = fresh();
  for (const passwordHash of ["a1", "a1", "a1"]) await engine.ask({ ...FAILED, passwordHash });
  const then = clock.now();
  assert.deepEqual(prior(reportAt(then)).passwords, ["a1"]);
  clock.advance(MINUTE_MS);
  await engine.ask({ ...FAILED, passwordHash: "b2" });
  assert.deepEqual(prior(reportAt(clock.now())).passwords.toSorted(), ["a1", "b2"]);
  assert.deepEqual(prior(reportAt(then)).passwords, ["a1"], "later passwords do not belong to the report");
  assert.deepEqual(prior(reportAt(later(then, HOUR_MS))).passwords, []);
});

test("passwords refused without a check are told apart too; unseen attempts do not count as another password", async () => {
  const logins = { ...TEST_POLICY.logins, networks: [hostPrefix(ip("203.0.113.1"))] };
  const { engine, clock, prior } = fresh({ ...TEST_POLICY, jailSentences: "all", logins });
  const passwords = () => prior(reportAt(clock.now())).passwords;
  for (let i = 0; i < 3; i++) {
    const asked = await engine.ask({ type: "LOGIN_ASKED", ...LOGIN, passwordHash: "right" });
    assert.equal(asked.reason, "outside_networks");
  }
  assert.deepEqual(passwords(), ["right"]);
  assert.equal((await engine.ask(reportAt(clock.now()))).reason, "repeated_password");
  await engine.observe("mail.log", { inode: "1", offset: 1 }, [{ type: "LOGIN_UNSEEN", ...LOGIN, times: 3 }]);
  assert.deepEqual(passwords(), ["right", ""]);
  clock.advance(MINUTE_MS);
  assert.equal((await engine.ask(reportAt(clock.now()))).reason, "repeated_password");
  clock.advance(MINUTE_MS);
  await engine.ask({ type: "LOGIN_ASKED", ...LOGIN, passwordHash: "another" });
  assert.deepEqual(passwords(), ["right", "another"], "the unknown one last");
  assert.equal((await engine.ask(reportAt(clock.now()))).reason, "jail_report");
});

test("old reports are forgotten", () => {
  const { sqlite, db, clock } = fresh();
  sqlite.apply({ ...NOTED, at: clock.now() }, clock.now());
  clock.advance(8 * DAY_MS);
  sqlite.apply({ ...NOTED, jail: "postfix", at: clock.now() }, clock.now());
  assert.deepEqual(columnOf(db, "SELECT jail FROM jail_report"), ["postfix"]);
});

test("lines that the guard decided on are told apart from lines that it did not see, for each kind by its own events", async () => {
  const { engine, clock, prior } = fresh();
  const now = clock.now();
  const line = (about: "login" | "refusal" | "log", at: Millis) => ({ text: "", at, about });
  const unjudged = (...lines: JailReported["lines"]) =>
    prior(reportAt(later(now, MINUTE_MS), "postfix", lines)).unjudged;
  assert.deepEqual(unjudged(line("login", now), line("refusal", now)), [now, now]);

  await engine.ask({ ...FAILED, passwordHash: "a1" });
  assert.deepEqual(unjudged(line("login", now), line("refusal", now), line("log", now)), [now, now]);
  assert.deepEqual(unjudged(line("login", later(now, 239_000))), [], "Dovecot writes when the client hangs up");
  assert.deepEqual(unjudged(line("login", later(now, 241_000))), [later(now, 241_000)]);
  assert.deepEqual(unjudged(line("login", later(now, -5_000))), [], "the guard may receive it after it was logged");
  assert.deepEqual(unjudged(line("login", later(now, -6_000))), [later(now, -6_000)]);

  const recipient = { ...MAIL, ip: IP, recipient: "nobody@example.test", blockListing: null, senderExists: null };
  await engine.ask({ type: "RECIPIENT", ...recipient });
  assert.deepEqual(unjudged(line("refusal", now), line("log", now)), [now]);
  assert.deepEqual(unjudged(line("refusal", later(now, 14_000))), []);
  assert.deepEqual(unjudged(line("refusal", later(now, 15_000))), [later(now, 15_000)]);
});

test("a sign-in that the guard judged excuses its own two lines, not guesses made while the guard was down", async () => {
  const { engine, clock, prior } = fresh();
  const start = clock.now();
  await engine.ask({ ...FAILED, passwordHash: "a1" });
  // The guard is down during eight guesses and up again for a ninth.
  clock.advance(100_000);
  await engine.ask({ ...FAILED, passwordHash: "b2" });
  const end = clock.now();
  const times = [0, 1, 10, 20, 30, 40, 50, 60, 70, 80, 100, 101].map((second) => later(start, second * 1_000));
  const lines = times.map((at) => ({ text: "", at, about: "login" }) as const);
  const { unjudged } = prior(reportAt(later(end, 1_000), "dovecot", lines.toReversed()));
  assert.deepEqual(unjudged, times.slice(2, 10));
  assert.equal((await engine.ask(reportAt(later(end, 1_000), "dovecot", lines))).reason, "jail_report");
});

test("lines from a time when the guard was down were not judged", async () => {
  const { engine, clock, prior } = fresh();
  const now = clock.now();
  await engine.observe("mail.log", { inode: "1", offset: 1 }, [
    { type: "LOGIN_UNSEEN", ...LOGIN, times: 3 },
    { type: "CLIENT_FAULT", ip: IP, service: "smtp", reason: "relay_refused", detail: "", times: 1, ...UNNAMED },
  ]);
  const lines = (["login", "refusal"] as const).map((about) => ({ text: "", at: now, about }));
  assert.deepEqual(prior(reportAt(now, "dovecot", lines)).unjudged, [now, now]);
});

test("lines that did not cause a ban count for as long as the jail looks back, or until a ban", async () => {
  const { engine, sqlite, clock, prior } = fresh();
  const now = clock.now();
  const unjudged = [later(now, -1_000), now];
  sqlite.apply({ ...NOTED, jail: "postfix", at: now, unjudged }, now);
  const carried = (lastAt: Millis, jail = "postfix") => prior(reportAt(lastAt, jail)).unjudged;
  assert.deepEqual(carried(later(now, 1_000)), unjudged);
  assert.deepEqual(carried(later(now, 1_000), "dovecot"), []);
  assert.deepEqual(carried(later(now, 10 * MINUTE_MS - 1_000)), [now]);
  assert.deepEqual(carried(later(now, 10 * MINUTE_MS)), []);
  await engine.ask({ type: "BAN_ASKED", prefix: SUBJECT, note: "", durationMs: HOUR_MS, by: "root" });
  await engine.ask({ type: "UNBAN_ASKED", prefix: SUBJECT, by: "root" });
  assert.deepEqual(carried(later(now, 1_000)), []);
});
