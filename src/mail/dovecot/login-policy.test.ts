import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { decision, type Verdict } from "../../core/decide/decision.ts";
import { type LoginProblem, parseLoginRequest, passwordProof, policyNonce, printLoginAnswer } from "./login-policy.ts";

/** As Dovecot 2.3.19 sends it. */
const sent = {
  device_id: "",
  login: "alice@example.org",
  protocol: "imap",
  pwhash: "0a3f",
  remote: "203.0.113.7",
  session_id: "9cFqYp8z",
  tls: "TLS",
};
const facts = { ip: "203.0.113.7", service: "imap", login: "alice@example.org", passwordHash: "0a3f" };
const NOT_OURS = { type: "NOT_OURS" };

const cases: readonly (readonly [string, string, Readonly<Record<string, unknown>>, unknown])[] = [
  ["before the password", "allow", {}, { type: "LOGIN_ASKED", ...facts }],
  ["a right password", "report", { success: true, policy_reject: false }, { type: "LOGIN_SUCCEEDED", ...facts }],
  [
    "an app password",
    "report",
    { success: true, app: "my\tphone" },
    { type: "LOGIN_SUCCEEDED", ...facts, appPassword: "myphone" },
  ],
  ["no app password", "report", { success: true, app: "" }, { type: "LOGIN_SUCCEEDED", ...facts }],
  ["an app password of an unknown account", "report", { app: "phone" }, { type: "LOGIN_FAILED", ...facts }],
  ["a wrong password", "report", { success: false, policy_reject: false }, { type: "LOGIN_FAILED", ...facts }],
  ["our own refusal", "report", { success: false, policy_reject: true }, NOT_OURS],
  ["a report without success", "report", {}, { type: "LOGIN_FAILED", ...facts }],
  [
    "SMTP AUTH of Postfix",
    "allow",
    { protocol: "smtp", session_id: "", tls: false },
    { type: "LOGIN_ASKED", ...facts, service: "submission" },
  ],
  ["directly", "allow", { peer: "203.0.113.7" }, { type: "LOGIN_ASKED", ...facts }],
  ["through a proxy", "allow", { peer: "10.0.0.5" }, { type: "LOGIN_ASKED", ...facts, proxied: true }],
  ["submission", "allow", { protocol: "submission" }, { type: "LOGIN_ASKED", ...facts, service: "submission" }],
  ["sieve", "allow", { protocol: "sieve" }, { type: "LOGIN_ASKED", ...facts, service: "sieve" }],
  ["lmtp", "allow", { protocol: "lmtp" }, NOT_OURS],
  ["doveadm", "report", { protocol: "doveadm" }, NOT_OURS],
  ["the sign-in of `check`", "report", { remote: "127.71.9.25", login: "probe@invalid" }, NOT_OURS],
  [
    "its address with another name",
    "report",
    { remote: "127.71.9.25" },
    { type: "LOGIN_FAILED", ...facts, ip: "127.71.9.25" },
  ],
  [
    "its name from another address",
    "report",
    { login: "probe@invalid" },
    { type: "LOGIN_FAILED", ...facts, login: "probe@invalid" },
  ],
  ["no remote address", "allow", { remote: "" }, NOT_OURS],
  ["a socket for a remote address", "report", { remote: "/run/x" }, NOT_OURS],
  ["IPv6", "allow", { remote: "2001:DB8::0007" }, { type: "LOGIN_ASKED", ...facts, ip: "2001:db8::7" }],
  ["no hash", "report", { pwhash: undefined }, { type: "LOGIN_FAILED", ...facts, passwordHash: "" }],
  ["no login", "report", { login: null }, { type: "LOGIN_FAILED", ...facts, login: "" }],
  [
    "control characters",
    "report",
    { login: "al\r\nice\x1b[0m\u0000" },
    { type: "LOGIN_FAILED", ...facts, login: "alice[0m" },
  ],
  [
    "an endless login",
    "report",
    { login: "a".repeat(5000) },
    { type: "LOGIN_FAILED", ...facts, login: "a".repeat(320) },
  ],
];
for (const [name, command, changes, value] of cases)
  test(`login policy: ${name}`, () =>
    assert.deepEqual(parseLoginRequest(command, JSON.stringify({ ...sent, ...changes })), { ok: true, value }));

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
  const parsed = parseLoginRequest("allow", '{"__proto__":{"login":"eve"},"protocol":"imap","remote":"203.0.113.7"}');
  assert.deepEqual(parsed, { ok: true, value: { type: "LOGIN_ASKED", ...facts, login: "", passwordHash: "" } });
});

test("no input throws, and accepted names are bounded and without control characters", () => {
  const anything = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
    fc.string({ minLength: 300, maxLength: 400 }),
    fc.jsonValue(),
  );
  const body = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
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
      const parsed = parseLoginRequest(command, text);
      if (!parsed.ok || parsed.value.type === "NOT_OURS") return;
      assert.ok(parsed.value.login.length <= 320);
      assert.doesNotMatch(parsed.value.login, /[\p{Cc}\p{Cs}]/u);
    }),
    { seed: 5, numRuns: 3000 },
  );
});

const answers: readonly (readonly [Verdict, number])[] = [
  ["pass", 0],
  ["delay", 5],
  ["defer", -1],
  ["refuse", -1],
];
for (const [verdict, status] of answers)
  test(`login policy answer: ${verdict}`, () =>
    assert.deepEqual(JSON.parse(printLoginAnswer(decision(verdict, "banned"))), { status, msg: "" }));

const SECRET = "5".repeat(64);

test("a proof has twelve bits, and differs with the secret, the account and the password", () => {
  const proof = passwordProof(SECRET, "anna@example.org", "a long phrase");
  assert.match(proof, /^0[0-9a-f]{3}$/);
  assert.equal(proof, passwordProof(SECRET, "anna@example.org", "a long phrase"));
  const others = [
    passwordProof("6".repeat(64), "anna@example.org", "a long phrase"),
    passwordProof(SECRET, "bert@example.org", "a long phrase"),
    passwordProof(SECRET, "anna@example.org", "another phrase"),
  ];
  assert.equal(new Set([proof, ...others]).size, 4);
});

test("the nonce shows nothing of the secret", () => {
  assert.match(policyNonce(SECRET), /^[0-9a-f]{32}$/);
  assert.ok(!policyNonce(SECRET).includes("5555"));
});
