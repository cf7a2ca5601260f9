// Invariant: A forward that root has not set sends no more mail than its account may; the rest stays in the mailbox.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAIL, NOON, POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import { type Decision, decision, type Evidence } from "../../core/decide/decision.ts";
import type { SentMail } from "../../core/decide/facts.ts";
import type { Policy } from "../../core/decide/policy.ts";
import type { Audit } from "../../core/events/command.ts";
import { HOUR_MS, instant, later } from "../../core/time.ts";
import { watchingForwards } from "./counted-forwards.ts";

const ANN = "ann@example.org";
const TARGETS = ["one@else.example", "two@else.example"];
const HELD: Evidence = { count: 101, limit: 100, windowMs: HOUR_MS, key: "limits.sending.strangers" };
const PASS = decision("pass", "below_limit");

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
  const sent: SentMail[] = [];
  const audits: Audit[] = [];
  const warnings: string[] = [];
  let pausedUntil = 0;
  let paused = "";
  const submit = watchingForwards(({ type }, answer) => answer(type === "DATA" ? atData : decided), {
    countedForwards: {
      reached: (recipient) => {
        if (recipient.startsWith("broken")) throw new Error("disk I/O error");
        return recipient.startsWith("ann") && pausedUntil === 0
          ? TARGETS.slice(recipient.startsWith("ann+x") ? 1 : 0).map((target) => ({ account: ANN, target, isNew }))
          : [];
      },
      sent: () => sent,
      count: (_, mail) => sent.push(mail),
      pause: (_, { until, which }) => {
        pausedUntil = until;
        paused = which;
      },
    },
    sending: {
      sentMails: () => own,
      hasWritten: () => written,
      holdOf: () => ({ evidence: held ?? null, vouchedAt: instant(0) }),
    },
    engine: {
      policy,
      audit: (audit) => {
        if (audit !== null) audits.push(audit);
        return Promise.resolve(true);
      },
    },
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
  return { mail, sent, audits, warnings, paused: () => pausedUntil, which: () => paused, answers: () => answers };
}

const extensions = (many: number): readonly string[] => Array.from({ length: many }, (_, i) => `ann+${i}@example.org`);

test("each recipient of a mail counts once for each target, when the data arrives", () => {
  const { mail, sent, paused } = watched();
  mail([ANN, "Ann@example.org", "ann+x@example.org", "bob@example.org"]);
  mail([ANN], false);
  mail(["bob@example.org"]);
  assert.deepEqual(sent, [{ at: NOON, recipients: 3, written: 0, strangers: 3 }]);
  assert.equal(paused(), 0);
});

test("a mail that is deferred at its data does not count; a held one does", () => {
  for (const [atData, mails] of [
    [decision("defer", "account_mail_limit"), 0],
    [decision("hold", "account_held"), 1],
  ] as const) {
    const { mail, sent } = watched({ atData });
    mail([ANN]);
    assert.equal(sent.length, mails);
  }
});

test("past the limit the forward is paused, starting with the recipient that would exceed it, and that is recorded", () => {
  const { mail, sent, paused, which, audits } = watched();
  mail(extensions(26));
  assert.deepEqual(sent, [{ at: NOON, recipients: 50, written: 0, strangers: 50 }]);
  assert.equal(paused(), later(NOON, HOUR_MS));
  const recorded = audits.map(({ type, by, subject }) => `${type} ${by} ${subject}`);
  assert.deepEqual(recorded, [
    `FORWARDING_CHANGED engine ${ANN} to no address outside that root has not set until 2026-11-20T13:00:00.000Z: 52 within 1m, limit 50`,
  ]);
  assert.equal(which(), "all");
});

test("past the limit on strangers, only new forwards are paused", () => {
  const own = [{ at: later(NOON, 1 - HOUR_MS), recipients: 100, written: 0, strangers: 100 }];
  const { mail, which, audits } = watched({ own });
  mail([ANN]);
  assert.equal(which(), "new");
  assert.match(audits[0]?.subject ?? "", /to no new address outside until/);
});

test("an old forward leads to no stranger, and the hold of its account does not concern it", () => {
  const { mail, sent, paused } = watched({ isNew: false, held: HELD });
  mail([ANN]);
  assert.deepEqual(sent, [{ at: NOON, recipients: 2, written: 2, strangers: 0 }]);
  assert.equal(paused(), 0);
  mail(extensions(75));
  assert.equal(paused(), later(NOON, HOUR_MS), "more than 150 within an hour");
});

test("what the account sends counts too; people it has written to are not strangers", () => {
  const own = [{ at: later(NOON, -1), recipients: 149, written: 149, strangers: 0 }];
  const { mail, sent, paused } = watched({ own, written: true });
  sent.push({ at: later(NOON, -2 * HOUR_MS), recipients: 1, written: 1, strangers: 0 });
  mail([ANN]);
  assert.equal(paused(), later(NOON, HOUR_MS));
  const friends = watched({ written: true });
  friends.mail(extensions(70));
  assert.deepEqual([friends.paused(), friends.sent[0]?.written], [0, 140]);
});

test("a held account forwards nothing new; refused mail does not count, nor does any mail in a simulation", () => {
  const held = watched({ held: HELD });
  held.mail([ANN]);
  assert.deepEqual([held.paused(), held.sent], [later(NOON, HOUR_MS), []]);
  const refused = watched({ decided: decision("defer", "account_mail_limit") });
  refused.mail(extensions(60));
  const simulating = watched({ policy: { ...POLICY, simulate: true } });
  simulating.mail(extensions(60));
  for (const { paused, sent } of [refused, simulating]) assert.deepEqual([paused(), sent], [0, []]);
});

test("while the database cannot be read, mail is accepted", () => {
  const { mail, warnings, answers } = watched();
  mail(["broken@example.org"]);
  assert.deepEqual([answers(), warnings], [2, ["Forwarded mail is not counted."]]);
});
