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

test("the lists come first, then an administrator at work, then a crowd", () => {
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

test("only an allow entry within the machine's own networks comes before them, and never before loopback", () => {
  const own = [
    { prefix: net("203.0.113.1"), why: "gateway" },
    { prefix: net("203.0.113.99"), why: "own_address" },
    { prefix: net("198.51.100.0/24"), why: "gateway" },
    { prefix: net("127.0.0.0/8"), why: "loopback" },
  ] as const;
  const allow = [net("203.0.113.0/24"), net("198.51.0.0/16"), net("127.0.0.1")];
  const shields = shieldsOf(own, { ...POLICY, allow }, [net("203.0.113.99"), net("198.51.100.7")]);
  for (const [network, why] of [
    ["127.0.0.1", "loopback"],
    ["203.0.113.1", "gateway"],
    ["203.0.113.2", "allow_listed"],
    ["203.0.113.99", "allow_listed"],
    ["198.51.100.7", "allow_listed"],
    ["198.51.100.8", "gateway"],
    ["192.0.2.1", null],
  ] as const)
    assert.equal(protectedBy(shields, net(network)), why, network);
  const printers = shieldsOf(own, { ...POLICY, allow: [net("203.0.113.50")] }, []);
  assert.equal(protectedBy(printers, net("203.0.113.0/24")), "gateway", "for a ban of its whole network");
});
