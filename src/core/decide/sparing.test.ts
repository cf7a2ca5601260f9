import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, LOGIN, MAIL, NOON, net, POLICY, RECIPIENT, UNSPARED } from "../../../test/kit/samples.ts";
import type { ClientEvent } from "../events/event.ts";
import { later, MINUTE_MS } from "../time.ts";
import { decision } from "./decision.ts";
import { isAllClients, protectedBy, protectionOf, shieldsOf, withoutForbiddenBan } from "./sparing.ts";

const DUE = decision("refuse", "mail_limit", { changes: [{ type: "BAN", ban: BAN }] });
const AT_WORK = { sparing: () => ({ ...UNSPARED, administratorsAt: [NOON] }) };
const JUST_RECORDED = { sparing: () => ({ ...AT_WORK.sparing(), sparedAt: later(NOON, 1 - 10 * MINUTE_MS) }) };
const events: readonly (readonly [ClientEvent, string])[] = [
  [{ type: "DATA", recipientCount: 1, ...MAIL }, "pass admin_session"],
  [{ type: "CONNECT", ...MAIL }, "pass admin_session"],
  [{ type: "LOGIN_FAILED", ...LOGIN }, "pass admin_session"],
  [{ type: "LOGIN_ASKED", ...LOGIN }, `refuse ${DUE.reason}`],
  [RECIPIENT, "refuse recipient_unknown"],
  [{ type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 1, ...MAIL }, `refuse ${DUE.reason}`],
];
for (const [event, answer] of events)
  test(`a spared ${event.type}: ${answer}`, () => {
    const { verdict, reason, changes } = withoutForbiddenBan(AT_WORK, DUE, event, NOON);
    assert.equal(`${verdict} ${reason}`, answer);
    const { prefix, ip, code } = BAN;
    assert.deepEqual(changes, [{ type: "SPARE", prefix, ip, why: "admin_session", code }]);
    assert.deepEqual(withoutForbiddenBan(JUST_RECORDED, DUE, event, NOON).changes, [], "recorded a moment ago");
  });

test("a spared ban that recurs is recorded again after ten minutes", () => {
  const reported = { sparing: () => ({ ...AT_WORK.sparing(), sparedAt: later(NOON, -10 * MINUTE_MS) }) };
  assert.equal(withoutForbiddenBan(reported, DUE, { type: "CONNECT", ...MAIL }, NOON).changes.length, 1);
});

test("the lists come first, then an active administrator, then an address that hides all clients", () => {
  const all = { administratorsAt: [NOON], clients: [{ events: 10, total: 11, names: 3 }], sparedAt: null };
  assert.equal(protectionOf({ ...all, protection: "gateway" }, NOON), "gateway");
  assert.equal(protectionOf({ ...all, protection: null }, NOON), "admin_session");
  assert.equal(protectionOf({ ...all, protection: null, administratorsAt: [] }, NOON), "all_clients");
  assert.equal(protectionOf(UNSPARED, NOON), null);
});

for (const [agoMs, reason] of [
  [30 * MINUTE_MS - 1, "admin_session"],
  [30 * MINUTE_MS, null],
  [1 - 30 * MINUTE_MS, "admin_session"],
  [-30 * MINUTE_MS, null],
] as const)
  test(`an administrator who was seen ${agoMs} ms ago: ${reason}`, () =>
    assert.equal(protectionOf({ ...UNSPARED, administratorsAt: [later(NOON, -agoMs)] }, NOON), reason));

for (const [share, expected] of [
  [{ events: 10, total: 11, names: 3 }, true],
  [{ events: 9, total: 9, names: 3 }, false],
  [{ events: 90, total: 100, names: 3 }, true],
  [{ events: 89, total: 100, names: 3 }, false],
  [{ events: 10, total: 10, names: 2 }, false],
] as const)
  test(`${JSON.stringify(share)} is ${expected ? "" : "not "}all clients`, () =>
    assert.equal(isAllClients(share), expected));

test("an address on several lists has the first of them as its reason", () => {
  const own = [{ prefix: net("203.0.113.1"), why: "gateway" }] as const;
  const shields = shieldsOf(own, { ...POLICY, allow: [net("203.0.113.0/28")] }, [net("198.51.100.7")]);
  const why = (text: string) => protectedBy(shields, net(text));
  assert.deepEqual(
    ["203.0.113.1", "203.0.113.2", "203.0.113.0/24", "198.51.100.7", "198.51.100.0/24", "198.51.100.8"].map(why),
    ["gateway", "allow_listed", "gateway", "allow_listed", "allow_listed", null],
  );
});
