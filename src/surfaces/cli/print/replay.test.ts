import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyReport } from "../../../../test/kit/replay-report.ts";
import { MAIL, NOON, STRANGER } from "../../../../test/kit/samples.ts";
import { decision } from "../../../core/decide/decision.ts";
import { recordOf } from "../../../core/events/event.ts";
import { hostPrefix } from "../../../core/net/ip.ts";
import { isoTime } from "../../../core/time.ts";
import { comparison, differenceOf } from "../../../jobs/replay/comparison.ts";
import type { Replayed } from "../../../jobs/replay/replay.ts";
import { Unreached } from "../../../jobs/replay/sequence.ts";
import { leftOut, printReplay } from "./replay.ts";

const REACH = { ...emptyReport().reach, firstEvent: isoTime(NOON), summedUpTo: isoTime(NOON), settingsApplied: 1 };
const REFUSED = decision("refuse", "mail_limit");

function mail(now = REFUSED): Replayed {
  const event = { type: "DATA", recipientCount: 1, ...MAIL, account: "anna@example.org" } as const;
  const record = recordOf(event, decision("pass", "below_limit"), { prefix: hostPrefix(STRANGER), at: NOON });
  assert.ok(record !== null);
  const step = { type: "decided", id: 1, at: NOON, event, record, seen: {}, bans: [], spared: [] } as const;
  return { step, decision: now, bans: [], spared: [] };
}

test("shows differences by address and account, with the period covered", () => {
  const compared = comparison(null, NOON);
  compared.see(mail());
  assert.equal(compared.report().examples[0]?.event, "MAIL", "the public name of DATA");
  const text = printReplay({ ...compared.report(), reach: REACH }, "tight.toml");
  assert.match(text, /^Replayed 1 event from .* under tight\.toml\.\n1 decision differs\.$/m);
  assert.match(text, /refused, but were not \(1\):\n {2}anna@example\.org {2}203\.0\.113\.7/);
  assert.match(text, /mails {2}1 now refused/);
  assert.match(text, /pass \(below_limit\) then, refuse \(mail_limit\) now/);
  assert.match(text, /older ones were aggregated \(events\.max_age/);
  assert.match(text, /Settings were applied 1 time during this period/);
});

test("counts mail that would have been held", () => {
  const compared = comparison(null, NOON);
  compared.see(mail(decision("hold", "account_held")));
  const text = printReplay({ ...compared.report(), reach: REACH }, "tight.toml");
  assert.match(text, /^Would be decided otherwise:\n {2}mails {2}1 now held$/m);
});

test("prints one line if nothing differs or nothing was recorded", () => {
  const same = mail(decision("pass", "below_limit"));
  assert.equal(differenceOf(same), null);
  assert.equal(differenceOf(mail()), "harder");
  const compared = comparison(hostPrefix(STRANGER), NOON);
  compared.see(same);
  assert.match(printReplay({ ...compared.report(), reach: REACH }, "f"), /^Nothing differs\.$/m);
  const empty = comparison(null, NOON).report();
  assert.match(printReplay({ ...empty, reach: REACH }, "f"), /^No event to replay\.$/m);
});

test("skips events that follow a mail which was accepted but would now be refused", () => {
  const unreached = new Unreached();
  const { step } = mail();
  assert.ok(step.type === "decided");
  const event = { type: "END_OF_MESSAGE", ...MAIL, recipientCount: 1, sizeBytes: 1, queueId: "ABC" } as const;
  const message = { ...step, event };
  assert.equal(unreached.has(message), false);
  unreached.update(step, REFUSED);
  assert.equal(unreached.has(message), true);
  assert.equal(unreached.mail("ABC"), true, "nor does it count for its server");
  assert.equal(unreached.has({ ...message, event: { ...event, transaction: "another" } }), false);
});

test("reports skipped events, and that counts started too low", () => {
  assert.equal(leftOut({ cut: false, windowsFilled: true }), "");
  const says = /^Only the newest events were compared\. Counts over long times, .* started too low/;
  assert.match(leftOut({ cut: true, windowsFilled: false }), says);
});
