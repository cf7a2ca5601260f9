import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, ip, NOON, net } from "../../../test/kit/samples.ts";
import { seenIn } from "./seen.ts";

test("usual facts are not recorded", () => {
  assert.equal(seenIn(factsOf(), {}), undefined);
  assert.equal(seenIn(factsOf({ isKnown: true, offences: 3 }), {}), undefined, "other events show that");
});

test("facts that held only at that moment are recorded one by one", () => {
  const network = net("198.51.100.1");
  const recorded = (facts: Parameters<typeof factsOf>[0]): unknown =>
    JSON.parse(JSON.stringify(seenIn(factsOf(facts), {})));
  for (const same of [{ protection: "gateway" }, { recipient: "unknown" }, { accountNetworks: [network] }] as const)
    assert.deepEqual(recorded(same), same);
  assert.deepEqual(recorded({ isWanted: true }), { isWanted: true });
  assert.deepEqual(recorded({ isFirstContact: true }), { firstContact: true });
  assert.deepEqual(recorded({ isSenderHere: true }), { senderHere: true });
  assert.deepEqual(recorded({ isAccountActive: false }), { accountInactive: true });
  assert.deepEqual(recorded({ bounce: { hasOther: false, isExpected: true } }), { bounceExpected: true });
  assert.deepEqual(recorded({ isAnswer: true }), { bounceExpected: true });
});

test("what the guard holds in memory only is recorded", () => {
  const administrators = [{ ip: ip("198.51.100.1"), at: NOON }];
  const asked = { at: NOON, after: 7, nth: 1 };
  for (const remembered of [{ asked }, { administrators }, { restarted: true }] as const)
    assert.deepEqual(JSON.parse(JSON.stringify(seenIn(factsOf(), remembered))), remembered);
});
