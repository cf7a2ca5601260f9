import assert from "node:assert/strict";
import { test } from "node:test";
import { MAIL, MESSAGE, NOON, POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import { decision } from "../../core/decide/decision.ts";
import type { SentMail } from "../../core/decide/facts.ts";
import type { DataCommand, EndOfMessage, Recipient } from "../../core/events/mail.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { DAY_MS, instant, later, type Millis } from "../../core/time.ts";
import type { ForwardReach } from "../mailbox-ports.ts";
import type { SendingHistory } from "../storage-ports.ts";
import { AccountSending, SentMails } from "./sending.ts";
import { NamedRecipients } from "./smtp-sessions.ts";

const ANN = "ann@example.org";
const ASKED: Recipient & { account: string } = { ...RECIPIENT, account: ANN };
const SENT: DataCommand & { account: string } = { type: "DATA", recipientCount: 3, ...MAIL, account: ANN };

function onFakes(present: readonly SentMail[] = [], onward: readonly string[] = []) {
  const asked: string[] = [];
  const noting = <T>(what: string, answer: T): T => {
    asked.push(what);
    return answer;
  };
  const history: SendingHistory = {
    sentMails: (account, { since, until }) =>
      noting(
        `mails of ${account} since ${NOON - since}`,
        present.filter(({ at }) => at <= until),
      ),
    hasWritten: (_, address) => noting(address, address.startsWith("friend")),
    knowsPlace: (_, place, { firstBy, decidedAfter }) =>
      noting(`place first by ${NOON - firstBy}, decided after ${NOON - decidedAfter}`, place === hostPrefix(MAIL.ip)),
    holdOf: () => noting("hold", { evidence: null, vouchedAt: instant(7), mails: 0 }),
    refusals: (account, { since, until }) =>
      noting(`refusals of ${account} since ${NOON - since}, until ${NOON - until}`, 3),
  };
  const [sent, named] = [new SentMails(history), new NamedRecipients()];
  const forwardReach: ForwardReach = {
    reachedBy: (account, recipient) => {
      assert.equal(account, ANN);
      if (recipient.startsWith("unread")) throw new Error("disk I/O error");
      return recipient.startsWith("ann") ? [ANN, ...onward] : [];
    },
  };
  const parts = { policy: POLICY, ports: { sending: history, forwardReach }, sent, named };
  const of = (event: (Recipient | DataCommand | EndOfMessage) & { account: string }): AccountSending =>
    new AccountSending(parts, event, hostPrefix(MAIL.ip), NOON);
  return { asked, sent, named, of };
}

test("mail of an account to itself is mail to strangers if its forward leads to them", () => {
  const kind = (recipient: string, ...onward: string[]) => onFakes([], onward).of({ ...ASKED, recipient }).recipient;
  assert.equal(kind(ANN, "eve@example.net"), "stranger");
  assert.equal(kind("Ann+x@example.org", "bob@example.org", "eve@example.net"), "stranger");
  assert.equal(kind(ANN, "friend@example.net", "bob@example.org"), "local", "it has written to them");
  assert.equal(kind("bob@example.org", "eve@example.net"), "local", "the forward is another account's");
  assert.equal(kind("unread@example.org", "eve@example.net"), "local");
});

test("a recipient is local, known or a stranger; looked up once, and not at all if local", () => {
  const { asked, of } = onFakes();
  const kinds = ["Owner@Example.org", "Friend@example.net", "eve@example.net"].map((recipient) => {
    const facts = of({ ...ASKED, recipient });
    return [facts.recipient, facts.recipient][0];
  });
  assert.deepEqual(kinds, ["local", "written", "stranger"]);
  assert.deepEqual(asked, ["friend@example.net", "eve@example.net"]);
  assert.equal(of(SENT).recipient, "written", "at DATA none is named");
});

test("at RCPT the recipients so far, at DATA all that Postfix counts, and whether the mail is held", () => {
  const { named, of } = onFakes();
  named.add(MAIL, "friend@example.net", "written");
  assert.deepEqual(of(ASKED).mail, { recipients: 1, written: 1, strangers: 0 });
  assert.deepEqual(of(SENT).mail, { recipients: 3, written: 1, strangers: 2 });
  for (const verdict of ["pass", "hold"] as const) {
    named.update(SENT, decision(verdict, "below_limit"), of(SENT));
    assert.equal(of(SENT).isMailHeld, verdict === "hold");
  }
});

test("a mail that is retried after its upload broke off counts no stranger a second time", () => {
  const { named, of } = onFakes();
  const again = (id: Partial<typeof ASKED>) => {
    const event = { ...ASKED, ...id, recipient: "eve@example.net" };
    named.update(event, decision("pass", "below_limit", { counted: false }), of(event));
    return of(event).mail.strangers;
  };
  const data = (counted: boolean) => named.update(SENT, decision("defer", "below_limit", { counted }), of(SENT));
  const retry = { session: "203.0.113.7 40009", transaction: "b2.1" };
  assert.equal(again({}), 1);
  data(false);
  assert.equal(again(retry), 1, "it was not counted");
  data(true);
  const next = { ...retry, transaction: "b2.2" };
  assert.equal(again(next), 0);
  assert.equal(of({ ...SENT, ...next, recipientCount: 1 }).mail.strangers, 0);
  const end = { ...MESSAGE, ...next, recipient: null, account: ANN };
  assert.equal(of(end).mail.strangers, 1, "a recipient who refuses it counts as usual");
  assert.equal(again({ ...next, transaction: "b2.3", account: "bob@example.org" }), 1, "another account");
  named.update({ ...end, ...MAIL }, decision("pass", "below_limit"), of(SENT));
  assert.equal(again({ ...next, transaction: "b2.4" }), 1, "the first mail has ended");
});

test("mails of a day are read once, and later counted mails are added", () => {
  const mail = (at: Millis): SentMail => ({ at, recipients: 1, written: 0, strangers: 1 });
  const [old, last, ahead] = [mail(later(NOON, -5)), mail(NOON), mail(later(NOON, 5))];
  const { asked, sent, of } = onFakes([old, last, ahead]);
  assert.deepEqual(of(SENT).mails, [old, last], "future entries are from before the clock was set back");
  sent.count(POLICY, ANN, mail(NOON));
  assert.deepEqual(of(SENT).mails, [old, last, mail(NOON)]);
  assert.deepEqual(asked, [`mails of ${ANN} since ${DAY_MS}`]);
  sent.forget();
  assert.deepEqual(of(SENT).mails, [old, last]);
  for (let i = 0; i < 5_000; i++) sent.count(POLICY, ANN, mail(NOON));
  const kept = of(SENT).mails.length;
  assert.ok(kept >= 501 && kept <= 2 * 501, `${kept} are as many as the limits need`);
  const long = { key: "k", count: 9, windowMs: 2 * DAY_MS };
  for (const one of [{ mail: [long] }, { sending: { ...POLICY.sending, strangers: [long] } }]) {
    sent.forget();
    sent.of({ ...POLICY, ...one }, ANN, NOON);
    assert.equal(asked.pop(), `mails of ${ANN} since ${2 * DAY_MS}`);
  }
});

test("a hold is looked up when it is read, and a place where the account signed in is not new", () => {
  const { asked, of } = onFakes();
  const facts = of(SENT);
  assert.deepEqual(asked, []);
  assert.deepEqual([facts.holdEvidence, facts.vouchedAt], [null, 7]);
  assert.deepEqual(asked, ["hold"]);
  assert.equal(facts.isNewPlace(later(NOON, -DAY_MS)), false);
  assert.equal(asked.at(-1), `place first by ${DAY_MS}, decided after ${POLICY.accounts.knownForMs}`);
  assert.equal(facts.refused(later(NOON, -5)), 3);
  assert.equal(asked.at(-1), `refusals of ${ANN} since 5, until 0`);
});

test("the mails of the latest 256 accounts are read once", () => {
  const { asked, sent } = onFakes();
  for (let i = 0; i <= 256; i++) sent.of(POLICY, `${i}`, NOON);
  for (const again of ["1", "256", "0"]) sent.of(POLICY, again, NOON);
  assert.equal(asked.length, 258, "the first a second time");
});
