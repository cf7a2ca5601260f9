import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { decision, type Verdict } from "../../core/decide/decision.ts";
import { type LoginProblem, parseLoginRequest, passwordHashOf, policyNonce, printLoginAnswer } from "./login-policy.ts";

/** As Dovecot 2.3.19 sends them. */
const session = { device_id: "", session_id: "9cFqYp8z", tls: "TLS" };
const sent = { login: "alice@example.org", protocol: "imap", pwhash: "0a3f", remote: "203.0.113.7", ...session };
const facts = { ip: "203.0.113.7", service: "imap", login: "alice@example.org", passwordHash: "0a3f" };
type Changes = Readonly<Record<string, unknown>>;
type Sent = readonly [name: string, command: "allow" | "report", changes: Changes];

const NOT_OURS: readonly Sent[] = [
  ["our own refusal", "report", { success: false, policy_reject: true }],
  ["lmtp", "allow", { protocol: "lmtp" }],
  ["doveadm", "report", { protocol: "doveadm" }],
  ["the sign-in of `check`", "report", { remote: "127.71.9.25", login: "probe@invalid" }],
  ["no remote address", "allow", { remote: "" }],
  ["a socket for a remote address", "report", { remote: "/run/x" }],
];
/** Without another `type`, `allow` is read as LOGIN_ASKED and `report` as LOGIN_FAILED. */
const OURS: readonly (readonly [...Sent, value?: Changes])[] = [
  ["before the password", "allow", {}],
  ["a right password", "report", { success: true, policy_reject: false }, { type: "LOGIN_SUCCEEDED" }],
  ["an app password", "report", { success: true, app: "ph\tone" }, { type: "LOGIN_SUCCEEDED", appPassword: "phone" }],
  ["no app password", "report", { success: true, app: "" }, { type: "LOGIN_SUCCEEDED" }],
  ["an app password of an unknown account", "report", { app: "phone" }],
  ["a wrong password", "report", { success: false, policy_reject: false }],
  ["a report without success", "report", {}],
  ["SMTP AUTH of Postfix", "allow", { protocol: "smtp", session_id: "", tls: false }, { service: "submission" }],
  ["directly", "allow", { peer: "203.0.113.7" }],
  ["through a proxy", "allow", { peer: "10.0.0.5" }, { proxied: true }],
  ["submission", "allow", { protocol: "submission" }, { service: "submission" }],
  ["sieve", "allow", { protocol: "sieve" }, { service: "sieve" }],
  ["the address of `check` with another name", "report", { remote: "127.71.9.25" }, { ip: "127.71.9.25" }],
  ["its name from another address", "report", { login: "probe@invalid" }, { login: "probe@invalid" }],
  ["IPv6", "allow", { remote: "2001:DB8::0007" }, { ip: "2001:db8::7" }],
  ["no hash", "report", { pwhash: undefined }, { passwordHash: "" }],
  ["no login", "report", { login: null }, { login: "" }],
  ["control characters", "report", { login: "al\r\nice\x1b[0m\u0000" }, { login: "alice[0m" }],
  ["an endless login", "report", { login: "a".repeat(5000) }, { login: "a".repeat(320) }],
];
const parsed = (command: string, changes: Changes) =>
  parseLoginRequest(command, JSON.stringify({ ...sent, ...changes }));

for (const [name, command, changes, value] of OURS)
  test(`login policy: ${name}`, () => {
    const type = command === "allow" ? "LOGIN_ASKED" : "LOGIN_FAILED";
    assert.deepEqual(parsed(command, changes), { ok: true, value: { type, ...facts, ...value } });
  });
for (const [name, command, changes] of NOT_OURS)
  test(`login policy, not judged: ${name}`, () =>
    assert.deepEqual(parsed(command, changes), { ok: true, value: { type: "NOT_OURS" } }));

const broken: readonly (readonly [string, string | null, string, LoginProblem])[] = [
  ["no command", null, JSON.stringify(sent), "unknown_command"],
  ["another command", "ping", JSON.stringify(sent), "unknown_command"],
  ["empty", "allow", "", "not_json"],
  ["cut short", "allow", JSON.stringify(sent).slice(0, -1), "not_json"],
  ["a list", "allow", "[]", "not_an_object"],
  ["null", "allow", "null", "not_an_object"],
  ["a number for a login", "allow", JSON.stringify({ ...sent, login: 7 }), "bad_field"],
  ["a list for an address", "allow", JSON.stringify({ ...sent, remote: ["203.0.113.7"] }), "bad_field"],
  ["a word for success", "report", JSON.stringify({ ...sent, success: "true" }), "bad_field"],
  ["a number for an app password", "report", JSON.stringify({ ...sent, app: 1 }), "bad_field"],
  ["a number for policy_reject", "report", JSON.stringify({ ...sent, policy_reject: 1 }), "bad_field"],
  ["an endless hash", "report", JSON.stringify({ ...sent, pwhash: "0".repeat(129) }), "bad_field"],
];
for (const [name, command, body, reason] of broken)
  test(`login policy refused: ${name}`, () =>
    assert.deepEqual(parseLoginRequest(command, body), { ok: false, reason }));

test("an inherited property is not a field", () => {
  const body = '{"__proto__":{"login":"eve"},"protocol":"imap","remote":"203.0.113.7"}';
  const value = { type: "LOGIN_ASKED", ...facts, login: "", passwordHash: "" };
  assert.deepEqual(parseLoginRequest("allow", body), { ok: true, value });
});

test("no input throws, and accepted names are bounded and without control characters", () => {
  const any = fc.string({ unit: ANY_CHARACTER });
  const anything = fc.oneof(any, fc.string({ minLength: 300, maxLength: 400 }), fc.jsonValue());
  const body = fc.oneof(
    any,
    fc.json(),
    fc
      .tuple(fc.constantFrom(...Object.keys(sent), "success", "policy_reject"), anything)
      .map(([key, value]) => JSON.stringify({ ...sent, [key]: value })),
    fc
      .tuple(fc.nat(200), fc.string({ maxLength: 3 }))
      .map(([at, put]) => JSON.stringify(sent).slice(0, at) + put + JSON.stringify(sent).slice(at)),
  );
  fc.assert(
    fc.property(fc.constantFrom("allow", "report"), body, (command, text) => {
      const taken = parseLoginRequest(command, text);
      if (!taken.ok || taken.value.type === "NOT_OURS") return;
      assert.ok(taken.value.login.length <= 320);
      assert.doesNotMatch(taken.value.login, /[\p{Cc}\p{Cs}]/u);
    }),
    { seed: 5, numRuns: 3000 },
  );
});

test("a pass is 0, a delay its seconds, and every other answer -1", () => {
  const answer = (verdict: Verdict): unknown => JSON.parse(printLoginAnswer(decision(verdict, "banned")));
  assert.deepEqual(answer("pass"), { status: 0, msg: "" });
  assert.deepEqual(answer("delay"), { status: 5, msg: "" });
  for (const verdict of ["defer", "refuse"] as const) assert.deepEqual(answer(verdict), { status: -1, msg: "" });
});

const SECRET = "5".repeat(64);

test("a password's short hash has twelve bits, and depends on the secret, the account and the password", () => {
  const passwordHash = passwordHashOf(SECRET, "anna@example.org", "a long phrase");
  assert.match(passwordHash, /^0[0-9a-f]{3}$/);
  assert.equal(passwordHash, passwordHashOf(SECRET, "anna@example.org", "a long phrase"));
  const others = [
    passwordHashOf("6".repeat(64), "anna@example.org", "a long phrase"),
    passwordHashOf(SECRET, "bert@example.org", "a long phrase"),
    passwordHashOf(SECRET, "anna@example.org", "another phrase"),
  ];
  assert.equal(new Set([passwordHash, ...others]).size, 4);
});

test("the nonce reveals nothing about the secret", () => {
  // Half of the SHA-256 of "password hashes of " and the secret.
  assert.equal(policyNonce(SECRET), "f91d77fe4e216332366341404c455f6e");
});
