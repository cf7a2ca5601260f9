// Invariant: A forward that root has not set sends no more mail than its account may; the rest stays in the mailbox.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAIL, NOON, POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import { type Decision, decision, type Evidence } from "../../core/decide/decision.ts";
import type { SentMail } from "../../core/decide/facts.ts";
import type { Policy } from "../../core/decide/policy.ts";
import type { Audit } from "../../core/events/command.ts";
import { DAY_MS, HOUR_MS, instant, later } from "../../core/time.ts";
import { watchingForwards } from "./counted-forwards.ts";

const ANN = "ann@example.org";
const TARGETS = ["one@else.example", "two@else.example"];
const HELD: Evidence = { count: 101, limit: 100, windowMs: HOUR_MS, key: "limits.sending.strangers" };
const PASS = decision("pass", "below_limit");
const DEFERRED = decision("defer", "account_mail_limit");

type Asked = {
  policy?: Policy;
  decided?: Decision;
  atData?: Decision;
  written?: boolean;
  held?: Evidence;
  own?: readonly SentMail[];
  isNew?: boolean;
};

/** Mail for Ann leaves to two addresses, for `ann+x` to one. `broken`: the database cannot be read. */
function watched(asked: Asked = {}) {
  const { policy = POLICY, decided = PASS, atData = decided, written = false, held, own = [], isNew = true } = asked;
  const hold = { evidence: held ?? null, vouchedAt: instant(0), mails: 0 };
  const sent: SentMail[] = [];
  const audits: Audit[] = [];
  const warnings: string[] = [];
  const pauses: unknown[] = [];
  const submit = watchingForwards(({ type }, answer) => answer(type === "DATA" ? atData : decided), {
    countedForwards: {
      reached: (recipient) => {
        if (recipient.startsWith("broken")) throw new Error("disk I/O error");
        return recipient.startsWith("ann") && pauses.length === 0
          ? TARGETS.slice(recipient.startsWith("ann+x") ? 1 : 0).map((target) => ({ account: ANN, target, isNew }))
          : [];
      },
      sent: (_, { until }) => sent.filter(({ at }) => at <= until),
      count: (_, mail) => sent.push(mail),
      pause: (_, { until, which }) => pauses.push({ until, which }),
    },
    sending: {
      sentMails: (_, { until, most }) => own.filter(({ at }) => at <= until).slice(-most),
      hasWritten: () => written,
      holdOf: () => hold,
    },
    engine: { policy, audit: async (audit) => audits.push(audit ?? assert.fail()) > 0 },
    clock: { now: () => NOON },
    log: { info: assert.fail, warn: (message) => warnings.push(message), error: assert.fail },
  });
  let transaction = 0;
  let answers = 0;
  /** A mail with these recipients, with or without its data. */
  const mail = (recipients: readonly string[], hasData = true): void => {
    const one = { ...MAIL, transaction: String(++transaction) };
    const answer = (): void => void answers++;
    for (const recipient of recipients) submit({ ...RECIPIENT, ...one, recipient }, answer);
    if (hasData) submit({ type: "DATA", recipientCount: recipients.length, ...one }, answer);
  };
  return { mail, sent, audits, warnings, pauses, answers: () => answers };
}

const PAUSED = { until: later(NOON, HOUR_MS), which: "all" };

const extensions = (many: number): readonly string[] => Array.from({ length: many }, (_, i) => `ann+${i}@example.org`);

test("each recipient of a mail counts once for each target, when the data arrives", () => {
  const { mail, sent, pauses } = watched();
  mail([ANN, "Ann@example.org", "ann+x@example.org", "bob@example.org"]);
  mail([ANN], false);
  mail(["bob@example.org"]);
  assert.deepEqual(sent, [{ at: NOON, recipients: 3, written: 0, strangers: 3 }]);
  assert.deepEqual(pauses, []);
});

test("a mail that is deferred at its data does not count; a held one does", () => {
  const [deferred, held] = [DEFERRED, decision("hold", "account_held")].map((atData) => watched({ atData }));
  for (const one of [deferred, held]) one?.mail([ANN]);
  assert.deepEqual([deferred?.sent.length, held?.sent.length], [0, 1]);
});

test("past the limit the forward is paused, starting with the recipient that would exceed it, and the pause is recorded", () => {
  const { mail, sent, pauses, audits } = watched();
  mail(extensions(26));
  assert.deepEqual(sent, [{ at: NOON, recipients: 50, written: 0, strangers: 50 }]);
  assert.deepEqual(pauses, [PAUSED]);
  const recorded = audits.map(({ type, by, subject }) => `${type} ${by} ${subject}`);
  assert.deepEqual(recorded, [
    `FORWARDING_CHANGED engine ${ANN} (paused until 2026-11-20T13:00:00.000Z: forwards to outside addresses that root has not set, 52 within 1m, limit 50)`,
  ]);
});

test("past the limit on strangers, only new forwards are paused", () => {
  const own = [{ at: later(NOON, 1 - HOUR_MS), recipients: 100, written: 0, strangers: 100 }];
  const { mail, pauses, audits } = watched({ own });
  mail([ANN]);
  assert.deepEqual(pauses, [{ ...PAUSED, which: "new" }]);
  assert.match(audits[0]?.subject ?? "", /paused until \S+: forwards to new outside addresses,/);
});

test("targets of an old forward are not strangers, and a hold of its account does not affect it", () => {
  const { mail, sent, pauses } = watched({ isNew: false, held: HELD });
  mail([ANN]);
  assert.deepEqual(sent, [{ at: NOON, recipients: 2, written: 2, strangers: 0 }]);
  sent.push({ at: later(NOON, DAY_MS), recipients: 149, written: 149, strangers: 0 });
  mail(extensions(1));
  assert.deepEqual(pauses, [], "later mail is from before the clock was set back");
  mail(extensions(75));
  assert.deepEqual(pauses, [PAUSED], "more than 150 within an hour");
});

test("what the account sends counts too; people it has written to are not strangers", () => {
  const own = [{ at: later(NOON, -1), recipients: 149, written: 149, strangers: 0 }];
  const { mail, sent, pauses } = watched({ own, written: true });
  sent.push({ at: later(NOON, -2 * HOUR_MS), recipients: 1, written: 1, strangers: 0 });
  mail([ANN]);
  assert.deepEqual(pauses, [PAUSED]);
  const recipients = [{ key: "limits.sending.recipients_per_day", count: 20_000, windowMs: DAY_MS }] as const;
  const policy = { ...POLICY, sending: { ...POLICY.sending, recipients } };
  const one = { at: later(NOON, -HOUR_MS), recipients: 1, written: 1, strangers: 0 };
  const many = watched({ policy, own: Array.from({ length: 19_999 }, () => one), written: true });
  many.mail([ANN]);
  assert.deepEqual(many.pauses, [{ ...PAUSED, until: later(NOON, DAY_MS) }]);
  const friends = watched({ written: true });
  friends.mail(extensions(70));
  assert.deepEqual([friends.pauses, friends.sent[0]?.written], [[], 140]);
});

test("a held account forwards nothing new; refused mail does not count, nor does any mail in a simulation", () => {
  const held = watched({ held: HELD });
  held.mail([ANN]);
  assert.deepEqual([held.pauses, held.sent], [[{ ...PAUSED, which: "new" }], []]);
  const refused = watched({ decided: DEFERRED });
  refused.mail(extensions(60));
  const simulating = watched({ policy: { ...POLICY, simulate: true } });
  simulating.mail(extensions(60));
  for (const { pauses, sent } of [refused, simulating]) assert.deepEqual([pauses, sent], [[], []]);
});

test("while the database cannot be read, mail is accepted", () => {
  const { mail, warnings, answers } = watched();
  mail(["broken@example.org"]);
  assert.deepEqual([answers(), warnings], [2, ["Forwarded mail is not counted."]]);
});
