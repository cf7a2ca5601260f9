import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { parseAccountsFile, parseQuotaRule } from "./accounts-file.ts";

const SHA512 = `$6$rounds=5000$saltsalt$${"a".repeat(86)}`;
const BLF = `$2y$05$${"b".repeat(53)}`;

/** `name secret` of each account, or the problems. */
function read(text: string): readonly string[] {
  const parsed = parseAccountsFile(text);
  if (!parsed.ok) return parsed.problems.map(({ says }) => says);
  return parsed.accounts.map(({ name, secret }) =>
    secret.type === "plain" ? `${name} plain ${secret.password}` : `${name} ${secret.hash}`,
  );
}

test("comments, blank lines, CRLF, a byte order mark, quota fields and the case of addresses", () => {
  const text = `\uFEFF# accounts\r\n\r\n  \nAnna@Example.org|{SHA512-CRYPT}${SHA512}|userdb_quota_rule=*:storage=1G\r\nbob@example.org|{BLF-CRYPT}${BLF}`;
  assert.deepEqual(read(text), [`anna@example.org {SHA512-CRYPT}${SHA512}`, `bob@example.org {BLF-CRYPT}${BLF}`]);
});

test("the quota of a line is read, and one that cannot be read is a problem", () => {
  const quotas = (extra: string) => {
    const parsed = parseAccountsFile(`anna@example.org|{PLAIN}secret${extra}`);
    return parsed.ok ? parsed.accounts.map(({ quotaBytes }) => quotaBytes) : parsed.problems.map(({ says }) => says);
  };
  assert.deepEqual(quotas(""), [null]);
  assert.deepEqual(quotas("|userdb_quota_rule=*:storage=0"), [0]);
  assert.deepEqual(quotas("|userdb_mail=maildir:~/mail userdb_quota_rule=*:bytes=5000"), [5_000]);
  assert.deepEqual(quotas("|userdb_quota_rule=Trash:storage=+10%|userdb_quota_rule2=*:storage=10"), [10_240]);
  const wrong = "Line 1: the quota of anna@example.org must be written as in userdb_quota_rule=*:storage=1G.";
  assert.deepEqual(quotas("|userdb_quota_rule=*:storage=much"), [wrong]);
});

const secrets: readonly [written: string, read: string][] = [
  [SHA512, `{SHA512-CRYPT}${SHA512}`],
  [BLF, `{BLF-CRYPT}${BLF}`],
  [`{sha512-crypt}${SHA512}`, `{SHA512-CRYPT}${SHA512}`],
  ["{SSHA256.b64}c2FsdGVk", "{SSHA256.b64}c2FsdGVk"],
  ["{PBKDF2}$1$salt$5000$0123abcd", "{PBKDF2}$1$salt$5000$0123abcd"],
  ["{SCRAM-SHA-256}4096,c2FsdA==,a2V5,a2V5", "{SCRAM-SHA-256}4096,c2FsdA==,a2V5,a2V5"],
  ["{PLAIN}a blank and {braces}", "plain a blank and {braces}"],
  ["{CLEARTEXT}grüße", "plain grüße"],
  ["{PLAIN-TRUNC}two words", "plain two words"],
  ["{PLAIN-TRUNC}5-hello", "{PLAIN-TRUNC}5-hello"],
  ["{OTP}sha1 1024 37948c2cee5cf9e7 a1a2f5f4a36829e8", "{OTP}sha1 1024 37948c2cee5cf9e7 a1a2f5f4a36829e8"],
  ["{PLAIN.b64}c2VjcmV0", "plain secret"],
  ["{PLAIN.hex}736563726574", "plain secret"],
];
for (const [written, expected] of secrets)
  test(`a secret: ${written.slice(0, 30)}`, () =>
    assert.deepEqual(read(`anna@example.org|${written}`), [`anna@example.org ${expected}`]));

const wrong: readonly [line: string, says: RegExp][] = [
  ["anna@example.org", /^Line 2: there is no \|/],
  ["anna|{PLAIN}x", /^Line 2: "anna" cannot be an account/],
  ["a/../b@example.org|{PLAIN}x", /cannot be an account/],
  ["anna@example.org|", /is empty/],
  ["anna@example.org|{PLAIN}", /is empty/],
  ["anna@example.org|{ROT13}secret", /scheme \{ROT13\}, which is not one/],
  ["anna@example.org|{SHA.utf7}secret", /encoding \.utf7/],
  [`anna@example.org|{SHA512-CRYPT}${SHA512.slice(0, -1)}`, /not a complete hash of the scheme SHA512-CRYPT/],
  [`anna@example.org|{BLF-CRYPT}${BLF.slice(0, 20)}`, /not a complete hash/],
  ["anna@example.org|secret", /not a complete hash/],
  ["anna@example.org|{SHA}two words", /is not a hash/],
  ["anna@example.org|{PLAIN}gr\ufffdn", /the password of anna@example\.org is not UTF-8/],
  [`anna@example.org|{PLAIN.B64}${Buffer.from("gr\xfcn", "latin1").toString("base64")}`, /is not UTF-8/],
  ["first@example.org|{PLAIN}x", /first@example.org is already in line 1/],
];
for (const [line, says] of wrong)
  test(`wrong: ${line.slice(0, 50)}`, () => {
    const [problem = "", ...others] = read(`first@example.org|{PLAIN}x\n${line}\n`);
    assert.match(problem, says);
    assert.equal(others.length, 0);
    assert.doesNotMatch(problem, /secret/);
  });

test("any text is read without failing, and errors contain none of its secrets", () => {
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER, maxLength: 200 }), (text) => {
      const parsed = parseAccountsFile(`anna@example.org|${text}`);
      assert.ok(parsed.ok || parsed.problems.length > 0);
    }),
  );
});

const cases: readonly [rule: string, bytes: number | null | "unreadable"][] = [
  ["*:storage=1G", 1024 ** 3],
  ["*:storage=500m", 500 * 1024 ** 2],
  ["*:storage=2T", 2 * 1024 ** 4],
  ["*:storage=20B", 20],
  ["*:bytes=20K", 20_480],
  ["*:BYTES=20", 20],
  ["*:messages=100:storage=1K", 1_024],
  ["*:messages=100", null],
  ["*:ignore", null],
  ["*:storage=+10%", "unreadable"],
  ["*:storage=", "unreadable"],
  ["*:stor", "unreadable"],
  ["*:storage=999999999999999T", "unreadable"],
];
for (const [rule, bytes] of cases) test(rule, () => assert.equal(parseQuotaRule(rule), bytes));
