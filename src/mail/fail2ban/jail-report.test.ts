import assert from "node:assert/strict";
import { test } from "node:test";
import { LOG_EXAMPLES, smtpd } from "../../../test/kit/log-examples.ts";
import { patience } from "../../../test/kit/patience.ts";
import { costOf } from "../../../test/kit/processor-time.ts";
import { ip, JAIL_REPORT } from "../../../test/kit/samples.ts";
import { decision } from "../../core/decide/decision.ts";
import { LIVE_REFUSALS } from "../../core/events/report.ts";
import { instant } from "../../core/time.ts";
import { LONGEST_LINE } from "../logs/log-line.ts";
import { printPolicyAction } from "../postfix/policy-protocol.ts";
import { parseJailReport, readJailLine } from "./jail-report.ts";

const LINE = "Nov 20 10:52:38 mail postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <x>";
const NUMBERS = { failures: 3, limit: 3, windowSeconds: 600, banSeconds: 600, lastAt: 1_795_171_958 };
const REPORT = { jail: "postfix", ip: "198.51.100.7", ...NUMBERS, lines: [LINE] };

test("a report of Fail2ban's action", () => {
  const lines = [{ text: LINE, at: new Date(2026, 10, 20, 10, 52, 38).getTime(), about: "log" }];
  const report = { ...JAIL_REPORT, ip: ip("198.51.100.7"), lastAt: instant(1_795_171_958_000), lines };
  assert.deepEqual(parseJailReport(JSON.stringify(REPORT)), { ok: true, report });
});

for (const [what, fields] of [
  ["no address", { ip: "mail.example.org" }],
  ["a jail of another grammar", { jail: "../etc" }],
  ["half an offence", { failures: 2.5 }],
  ["an endless ban", { banSeconds: 1e12 }],
  ["a time before all logs", { lastAt: -1 }],
  ["a line longer than a line", { lines: ["x".repeat(2_000)] }],
  ["more lines than a report has", { lines: Array.from({ length: 101 }, () => "x") }],
  ["an unknown field", { shell: "rm" }],
] as const)
  test(`${what} is refused`, () => assert.equal(parseJailReport(JSON.stringify({ ...REPORT, ...fields })).ok, false));

for (const text of ["", "{", "[]", "null", "7"])
  test(`${JSON.stringify(text)} is refused`, () => assert.equal(parseJailReport(text).ok, false));

const at = "Nov 20 10:52:38 mail postfix/smtpd[9]: ";
for (const [line, name] of [
  [`${at}NOQUEUE: reject: RCPT from mx.google.com[198.51.100.7]: 550 5.1.1 <x>`, "mx.google.com"],
  [`${at}warning: mx.google.com[198.51.100.7]: SASL PLAIN authentication failed:`, "mx.google.com"],
  [`${at}NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 helo=<mx.google.com[198.51.100.7]>`, null],
  [`${at}NOQUEUE: reject: RCPT from other.test[198.51.100.8]: helo=<mx.google.com[198.51.100.7]>`, null],
  ["Nov 20 10:52:38 imap-login: user=<mx.google.com[198.51.100.7]>", null],
] as const)
  test(`the client's name in ${line}`, () => {
    const read = parseJailReport(JSON.stringify({ ...REPORT, lines: [line] }));
    assert.equal(read.ok ? read.report.clientName : "refused", name);
  });

/** The time of the examples, in the time zone of this machine. */
const AT = instant(new Date(2026, 10, 20, 8, 8, 30).getTime());

const aboutOf = (line: string, jail = "postfix") => readJailLine(line, jail, AT).about;

for (const reason of LIVE_REFUSALS)
  for (const [stage, subject, words] of [
    ["CONNECT", "unknown[198.51.100.7]", "Client host"],
    ["RCPT", "anna@example.test", "Recipient address"],
    ["RCPT", '"a> b; from=<>"@example.test', "Recipient address"],
    ["DATA", "DATA", "Data command"],
    ["END-OF-MESSAGE", "END-OF-MESSAGE", "End-of-data"],
  ] as const)
    test(`${reason} at ${stage} of ${subject} is a refusal by the guard`, () => {
      const decided = decision("refuse", reason, { fill: { ip: "198.51.100.7", zone: "zen.spamhaus.org" } });
      const action = printPolicyAction(decided, stage === "CONNECT" ? "CONNECT" : "RECIPIENT");
      const [, codes = "", said = ""] = /^action=(\d{3} \d\.\d\.\d) (.*)\n\n$/.exec(action) ?? [];
      const line = `NOQUEUE: reject: ${stage} from unknown[198.51.100.7]: ${codes} <${subject}>: ${words} rejected: ${said}; proto=ESMTP`;
      assert.equal(aboutOf(smtpd(line)), "refusal", line);
    });

// Postfix (to users) and the guard (to strangers) refuse unknown recipients in the same words.
const OTHERS: Readonly<Record<string, string>> = { lost_connection: "login", recipient_unknown: "refusal" };
for (const [name, { example }] of Object.entries(LOG_EXAMPLES))
  test(`${name}: what a line of Postfix or Dovecot is about`, () => {
    assert.equal(aboutOf(example), OTHERS[name] ?? "log");
  });

const AT_RCPT = "NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 454 4.7.1";
const UNKNOWN = "Recipient address rejected: User unknown";
for (const [line, about] of [
  [smtpd("lost connection after AUTH from unknown[198.51.100.7]", "submission/"), "login"],
  [smtpd("too many errors after AUTH from unknown[198.51.100.7]", "submission/"), "login"],
  [smtpd("too many errors after RCPT from unknown[198.51.100.7]"), "refusal"],
  [smtpd("too many errors after UNKNOWN from unknown[198.51.100.7]"), "log"],
  [smtpd("lost connection after UNKNOWN from unknown[198.51.100.7]"), "log"],
  ["Nov 20 08:08:30 imap-login: Info: lost connection after AUTH from unknown[198.51.100.7]", "log"],
  ["nothing known", "log"],
  // What a stranger wrote cannot make a relay's attempt one of the guard's.
  [smtpd(`${AT_RCPT} <"x>: ${UNKNOWN}; "@elsewhere.test>: Relay access denied; from=<> to=<x>`), "log"],
  [smtpd(`${AT_RCPT} <x@elsewhere.test>: Relay access denied; from=<x>: ${UNKNOWN}; from=<> to=<x>`), "log"],
] as const)
  test(`${line} is about: ${about}`, () => assert.equal(aboutOf(line), about));

for (const jail of ["dovecot", "postfix-auth", "ghostinbox-dashboard"])
  test(`each line of the jail ${jail} is a sign-in that failed`, () => assert.equal(aboutOf("any", jail), "login"));

test("a line has the time that it names; without one, or with a later one, it has that of the last line", () => {
  const line = smtpd("lost connection after AUTH from unknown[198.51.100.7]");
  assert.equal(readJailLine(line, "postfix", instant(AT + 5_000)).at, AT);
  assert.equal(readJailLine(line, "postfix", instant(AT - 5_000)).at, AT - 5_000);
  const own = readJailLine("2026-11-20_08:00:00.12345 warn x", "mine", instant(Date.UTC(2026, 10, 20, 9)));
  assert.equal(own.at, Date.UTC(2026, 10, 20, 8, 0, 0, 123));
  assert.equal(readJailLine("nothing known", "postfix", AT).at, AT);
});

test("the longest and worst lines take little time", () => {
  const start = `NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <`;
  const { costMs } = costOf(() => {
    for (const piece of ['"', "<", ">", "\\", "a ", ": ", " rejected: ", "Recipient address rejected: "])
      aboutOf(smtpd(`${start}${piece.repeat(LONGEST_LINE)}`.slice(0, LONGEST_LINE - 60)));
  });
  assert.ok(costMs < patience(200), `${costMs} ms`);
});
