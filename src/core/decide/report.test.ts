import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "../../../test/kit/mail-examples.ts";
import { BAN, factsOf, ip, JAIL_REPORT, NOON, POLICY } from "../../../test/kit/samples.ts";
import type { JailReported } from "../events/report.ts";
import { later, MINUTE_MS, SECOND_MS } from "../time.ts";
import type { Decision } from "./decision.ts";
import { type Facts, NO_PRIOR_REPORTS } from "./facts.ts";
import { wouldReport } from "./jails.ts";
import { decideReport } from "./report.ts";
import { banIn } from "./sparing.ts";

const REPORT: JailReported = { ...JAIL_REPORT, lastAt: later(NOON, -SECOND_MS) };

const DOVECOT = { jail: "dovecot" };
const prior = (known: Partial<Facts["priorReports"]>) => ({ priorReports: { ...NO_PRIOR_REPORTS, ...known } });

function decide(known: Partial<Facts>, report: Partial<JailReported> = {}): Decision {
  return decideReport({ ...POLICY, jailSentences: "all" }, factsOf(known), { ...REPORT, ...report }, NOON);
}

test("a first ban is as long as the jail says, and names it; the next one climbs the ladder", () => {
  const decided = decide({});
  assert.equal(outcomeOf(decided), "refuse jail_report, NOTE_REPORT, banned, uncounted");
  const ban = banIn(decided);
  const named = { source: "fail2ban", code: "jail_report", level: "light" };
  assert.partialDeepStrictEqual(ban, { ...named, expiresAt: later(NOON, 10 * MINUTE_MS), offences: 1 });
  assert.match(ban?.reason ?? "", /\(jail postfix\): 3 within 10m, limit 3$/);
  assert.equal(banIn(decide({ offences: 1 }))?.level, "medium");
});

for (const [what, known, report, reason] of [
  ["a protected address is spared", { protection: "gateway" }, {}, "gateway"],
  ["a report without a line after those already judged is", prior({ upTo: REPORT.lastAt }), {}, "report_seen"],
  ["a report that waited until its ban would be over is", {}, { lastAt: later(NOON, -21 * MINUTE_MS) }, "report_late"],
  ["a large provider is spared", {}, { clientName: "mail.google.com" }, "provider_busy"],
  ["a server whose mail is wanted is spared", { isWanted: true }, { jail: "postfix-spam" }, "wanted_busy"],
  ["a server from which someone guesses is too", { isWanted: true }, { jail: "postfix-auth" }, "honest_network"],
  [
    "a device that kept failing while the guard was down is",
    prior({ passwords: ["a1", ""] }),
    DOVECOT,
    "repeated_password",
  ],
] as const)
  test(`${what}, never escalates, and is remembered`, () =>
    assert.equal(outcomeOf(decide(known, report)), `pass ${reason}, NOTE_REPORT, uncounted`));

for (const [what, known, report] of [
  ["a line after those already judged", prior({ upTo: later(REPORT.lastAt, -1) }), {}],
  ["a report that waited less", {}, { lastAt: later(NOON, -20 * MINUTE_MS) }],
  ["a server whose mail is wanted, after an offence", { isWanted: true, offences: 1 }, {}],
  ["two passwords", prior({ passwords: ["a1", "b2"] }), DOVECOT],
  ["passwords without a hash", prior({ passwords: [""] }), DOVECOT],
  ["failures that the guard did not see", { priorReports: NO_PRIOR_REPORTS }, { jail: "postfix-auth" }],
  ["one password where the jail is about something else", prior({ passwords: ["a1"] }), {}],
] as const)
  test(`${what}: a ban`, () => assert.notEqual(banIn(decide(known, report)), null));

const unjudged = (count: number): Partial<Facts> => ({
  priorReports: { upTo: null, passwords: [], unjudged: Array.from({ length: count }, () => REPORT.lastAt) },
});

test("offences that the guard judged live are evidence; the others keep counting", () => {
  const decided = decideReport(POLICY, factsOf(unjudged(2)), { ...REPORT, failures: 100 }, NOON);
  const at = REPORT.lastAt;
  assert.equal(outcomeOf(decided), "pass judged_live, NOTE_REPORT, uncounted");
  assert.deepEqual(decided.evidence, { count: 2, limit: 3, windowMs: 10 * MINUTE_MS, key: null });
  const note = { type: "NOTE_REPORT", prefix: BAN.prefix, jail: "postfix", at, unjudged: [at, at] };
  assert.deepEqual(decided.changes, [note]);
});

test("the limit that decided is a setting of the jail or of the owner's filters; a detector has several", () => {
  const keys = ["postfix-auth", "sshd", "ids:psad"].map((jail) => decide({ isKnown: true }, { jail }).evidence?.key);
  assert.deepEqual(keys, ["fail2ban.jails.postfix-auth.maxretry", "fail2ban.own_filters.maxretry", null]);
  assert.equal(decide({ protection: "gateway" }).evidence?.key, null);
});

test("the count of a repeated report is not lost", () => {
  const priorReports = { upTo: REPORT.lastAt, passwords: [], unjudged: [REPORT.lastAt] };
  const [change] = decideReport(POLICY, factsOf({ priorReports }), REPORT, NOON).changes;
  assert.deepEqual(change?.type === "NOTE_REPORT" ? change.unjudged : null, [REPORT.lastAt]);
});

test("a jail's limit of offences unseen by the guard causes a ban that says so, and settles them", () => {
  const decided = decideReport(POLICY, factsOf(unjudged(3)), { ...REPORT, failures: 100 }, NOON);
  assert.match(banIn(decided)?.reason ?? "", /\(jail postfix\): 3 within 10m, limit 3$/);
  const [change] = decided.changes;
  assert.deepEqual(change?.type === "NOTE_REPORT" ? change.unjudged : null, []);
});

test("a detector's alerts count one by one, whatever the sentences are, and the ban is the guard's", () => {
  const alert = { ...REPORT, jail: "ids:suricata", failures: 100 };
  for (const jailSentences of ["unjudged", "all"] as const) {
    const below = decideReport({ ...POLICY, jailSentences }, factsOf(unjudged(2)), alert, NOON);
    assert.deepEqual([below.verdict, below.reason], ["pass", "below_limit"]);
    const [change] = below.changes;
    assert.equal(change?.type === "NOTE_REPORT" ? change.unjudged.length : null, 2);
    const ban = banIn(decideReport({ ...POLICY, jailSentences }, factsOf(unjudged(3)), alert, NOON));
    assert.deepEqual([ban?.code, ban?.source], ["intrusion_report", "engine"]);
    assert.match(ban?.reason ?? "", /\(ids:suricata\): 3 within 10m, limit 3$/);
  }
});

test("a port scan bans only if the owner accepts that its address may be forged", () => {
  const scan = { ...REPORT, jail: "ids:psad" };
  const decided = decideReport(POLICY, factsOf(unjudged(3)), scan, NOON);
  assert.deepEqual([decided.verdict, decided.reason, banIn(decided)], ["pass", "forgeable", null]);
  const ban = banIn(decideReport({ ...POLICY, scansBan: true }, factsOf(unjudged(3)), scan, NOON));
  assert.equal(ban?.code, "intrusion_report");
});

test("the owner's own filter always bans", () =>
  assert.notEqual(banIn(decideReport(POLICY, factsOf(), { ...REPORT, jail: "mine" }, NOON)), null));

const RULE = { limit: 3, windowMs: 10 * MINUTE_MS };
const at = (text: string, ...minutes: readonly number[]) =>
  minutes.map((minute) => ({ ip: ip(text), at: later(NOON, minute * MINUTE_MS) }));

test("three within the window are reported, in any order; three over a longer time, or fewer, are not", () => {
  const early = [...at("203.0.113.7", 9, 0, 5), ...at("203.0.113.8", 0, 5, 10)];
  const offences = [...early, ...at("203.0.113.9", 1, 40, 45, 49), ...at("203.0.113.10", 1, 1)];
  assert.deepEqual(wouldReport(offences, RULE), [
    { ip: "203.0.113.9", offences: 4, reported: true },
    { ip: "203.0.113.7", offences: 3, reported: true },
    { ip: "203.0.113.8", offences: 3, reported: false },
    { ip: "203.0.113.10", offences: 2, reported: false },
  ]);
});
