import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, ip, MAIL, NOON, STRANGER } from "../../../test/kit/samples.ts";
import type { Event } from "../events/event.ts";
import { decision } from "./decision.ts";
import { banIn, isPrivate, spared } from "./sparing.ts";

const DUE = decision("refuse", "mail_limit", { changes: [{ type: "BAN", ban: BAN }] });
const LOGIN = { ip: STRANGER, service: "imap", login: "a", passwordHash: "" } as const;
const events: readonly (readonly [Event, string])[] = [
  [{ type: "MAIL", recipientCount: 1, ...MAIL }, "pass admin_session"],
  [{ type: "CONNECT", ...MAIL }, "pass admin_session"],
  [{ type: "LOGIN_FAILED", ...LOGIN }, "pass admin_session"],
  [{ type: "LOGIN_ASKED", ...LOGIN }, "refuse account_guarded"],
  [{ type: "RECIPIENT", listed: null, senderExists: null, ...MAIL }, "refuse recipient_unknown"],
];
for (const [event, answer] of events)
  test(`a spared ${event.type}: ${answer}`, () => {
    const { verdict, reason, changes } = spared(DUE, event, "admin_session", true);
    assert.equal(`${verdict} ${reason}`, answer);
    const { prefix, code } = BAN;
    assert.deepEqual(changes, [{ type: "SPARE", prefix, ip: STRANGER, why: "admin_session", code }]);
    assert.deepEqual(spared(DUE, event, "admin_session", false).changes, []);
  });

test("a spared report of Fail2ban says so by itself", () => {
  const numbers = { failures: 3, limit: 3, windowMs: 600_000, banMs: 600_000, lastAt: NOON };
  const report = {
    type: "JAIL_REPORTED",
    ip: STRANGER,
    jail: "postfix",
    ...numbers,
    clientName: null,
    lines: [],
  } as const;
  const { verdict, reason, changes } = spared(DUE, report, "admin_session", true);
  assert.equal(`${verdict} ${reason}`, "pass admin_session");
  assert.deepEqual(changes, []);
});

test("the ban of a decision", () => {
  assert.equal(banIn(DUE), BAN);
  assert.equal(banIn(decision("pass", "below_limit")), null);
});

for (const [text, expected] of [
  ["10.0.0.1", true],
  ["172.16.0.1", true],
  ["172.31.255.255", true],
  ["172.32.0.1", false],
  ["172.15.0.1", false],
  ["192.168.7.7", true],
  ["192.169.0.1", false],
  ["100.64.0.1", true],
  ["100.127.0.1", true],
  ["100.128.0.1", false],
  ["169.254.1.1", true],
  ["110.0.0.1", false],
  ["203.0.113.7", false],
  ["fd00::1", true],
  ["fe80::1", true],
  ["febf::1", true],
  ["fec0::1", false],
  ["2001:db8::1", false],
] as const)
  test(`${text} is ${expected ? "" : "not "}private`, () => assert.equal(isPrivate(ip(text)), expected));
