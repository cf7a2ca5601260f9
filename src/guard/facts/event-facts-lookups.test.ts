import assert from "node:assert/strict";
import { test } from "node:test";
import { ASKED, factsOnFakes, HOME, SENT } from "../../../test/kit/facts-kit.ts";
import { BAN, MAIL, NOON, POLICY, times } from "../../../test/kit/samples.ts";
import { decide } from "../../core/decide/decide.ts";
import type { ClientEvent } from "../../core/events/event.ts";
import { DAY_MS, later } from "../../core/time.ts";
import type { AddressHistory } from "../storage-ports.ts";

test("mail from a server is wanted if evidence within thirty days speaks for it", () => {
  const { state, of } = factsOnFakes();
  const connect = { type: "CONNECT", ...MAIL } as const;
  const server = { prefix: HOME, accepted: 1, proven: 0, wanted: 1, written: 0, provenDays: 0 };
  for (const [spoken, expected] of [
    [server, true],
    [{ ...server, wanted: 0 }, false],
    [null, false],
  ] as const) {
    state.server = spoken;
    assert.equal(of(connect).isWanted, expected);
  }
  assert.equal(state.since, later(NOON, -30 * DAY_MS));
});

test("a decision reads only the facts that it uses", () => {
  const { state, of } = factsOnFakes();
  const connect = { type: "CONNECT", ...MAIL } as const;
  state.server = { prefix: HOME, accepted: 1, proven: 0, wanted: 1, written: 0, provenDays: 0 };
  const asked = (event: ClientEvent, known: Partial<AddressHistory>): string => {
    state.asked = 0;
    return `${decide(POLICY, of(event, known), event, NOON).reason}, asked ${state.asked} times`;
  };
  assert.equal(asked(connect, { connections: times(19) }), "below_limit, asked 0 times");
  assert.equal(asked(SENT, { mails: times(9) }), "below_limit, asked 0 times");
  assert.equal(asked(connect, { connections: times(20) }), "wanted_busy, asked 1 times");
  assert.equal(asked(SENT, { mails: times(10) }), "wanted_busy, asked 1 times");
  assert.equal(asked(SENT, { mails: times(10), offencesAt: [NOON] }), "mail_limit, asked 0 times");
});

test("a sign-in and an offence are remembered for a week, to the millisecond", () => {
  const { of } = factsOnFakes();
  const connect = { type: "CONNECT", ...MAIL } as const;
  for (const [agoMs, counts] of [
    [7 * DAY_MS - 1, true],
    [7 * DAY_MS, false],
  ] as const) {
    const at = later(NOON, -agoMs);
    const facts = of(connect, { knownAt: at, offencesAt: [at, later(NOON, -1)], ban: BAN });
    assert.deepEqual([facts.known, facts.offences, facts.ban], [counts, counts ? 2 : 1, BAN]);
  }
  const stranger = of(connect);
  assert.deepEqual([stranger.known, stranger.offences, stranger.accountMails], [false, 0, []]);
  assert.deepEqual(of({ ...SENT, account: "anna@example.org" }).accountMails, [NOON]);
});

test("expensive facts are recorded only if the decision read them", () => {
  const { state, of } = factsOnFakes();
  const connect = { type: "CONNECT", ...MAIL } as const;
  state.server = { prefix: HOME, accepted: 1, proven: 0, wanted: 1, written: 0, provenDays: 0 };
  const below = of(connect);
  decide(POLICY, below, connect, NOON);
  assert.deepEqual([below.seen({}), state.asked], [undefined, 0]);
  const over = of(connect, { connections: times(20) });
  decide(POLICY, over, connect, NOON);
  assert.equal(over.seen({})?.isWanted, true);
  assert.equal(of({ ...ASKED, recipient: "nobody@example.org" }).seen({})?.recipient, "unknown");
});
