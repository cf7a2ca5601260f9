import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccountName, parseAccountName } from "../net/address.ts";
import {
  appPasswordName,
  isForGuard,
  isOfKnownScheme,
  PASSWORD_SALT_BYTES,
  PASSWORD_TAG_BYTES,
  passwordProblem,
  printArgon2id,
  tooCostly,
} from "./passwords.ts";

const anna: AccountName | null = parseAccountName("anna@example.org");

test("ten characters are enough, nine are not, counted as people count", () => {
  assert.equal(passwordProblem("0123456789", anna), null);
  assert.match(passwordProblem("012345678", anna) ?? "", /at least 10/);
  assert.match(passwordProblem("🔑🔑🔑🔑🔑", anna) ?? "", /at least 10/);
  assert.equal(passwordProblem("🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑", anna), null);
});

test("the account's own name is refused in any case, and only for its account", () => {
  assert.match(passwordProblem("my-ANNA-pass", anna) ?? "", /name of the account/);
  assert.equal(passwordProblem("my-ANNA-pass", null), null);
});

test("a password may contain an account name of two letters, but not of three", () => {
  assert.equal(passwordProblem("my-jo-password", parseAccountName("jo@example.org")), null);
  assert.match(passwordProblem("my-joe-password", parseAccountName("joe@example.org")) ?? "", /name of the account/);
});

test("a password that no mail program could send is refused", () => {
  assert.match(passwordProblem("0123456789\n", anna) ?? "", /control character/);
  assert.match(passwordProblem(Buffer.from("p\xe4sswort lang", "latin1").toString(), anna) ?? "", /not UTF-8/);
  assert.match(passwordProblem("x".repeat(513), anna) ?? "", /at most 512/);
  assert.equal(passwordProblem("x".repeat(512), anna), null);
});

test("a name has letters of any language, digits, spaces and few signs", () => {
  for (const name of ["phone", "Annas Laptop", "Büro 2", "k-9.mail_x", "7", "a".repeat(40)])
    assert.equal(appPasswordName(name), name);
  assert.equal(appPasswordName("  phone "), "phone");
  assert.equal(appPasswordName("Bu\u0308ro"), "B\u00fcro");
});

test("text that a log, a table or Dovecot could misread is not a name", () => {
  const wrong = ["", " ", "-x", ".x", "a\tb", "a\nb", "a'b", "a%u", "a=b", "a,b", "\u202ea", "a".repeat(41)];
  for (const name of wrong) assert.equal(appPasswordName(name), null, JSON.stringify(name));
});

test("a hash is a PHC string without padding, after Dovecot's scheme", () => {
  const hash = printArgon2id(Buffer.alloc(PASSWORD_SALT_BYTES), Buffer.alloc(PASSWORD_TAG_BYTES, 0xff));
  assert.equal(hash, `{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$${"A".repeat(22)}$${"/".repeat(42)}8`);
});

test("a hash that would cost the server much at each attempt is too costly; those that servers write are not", () => {
  const affordable = [
    "{ARGON2ID}$argon2id$v=19$m=262144,t=4,p=4$c2FsdHNhbHQ$aGFzaA",
    "{SHA512-CRYPT}$6$rounds=1000000$salt$hash",
    "{BLF-CRYPT}$2y$13$saltandhash",
    "{PBKDF2}$1$salt$1000000$hash",
  ];
  for (const hash of affordable) assert.equal(tooCostly(hash), false, hash);
  const hex = Buffer.from("$6$rounds=999999999$salt$hash").toString("hex");
  const costly = [
    "{ARGON2ID}$argon2id$v=19$m=262145,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
    "{ARGON2I}$argon2i$v=19$m=262144,t=5,p=1$c2FsdHNhbHQ$aGFzaA",
    "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=5$c2FsdHNhbHQ$aGFzaA",
    "{SHA512-CRYPT}$6$rounds=1000001$salt$hash",
    `{SHA512-CRYPT.HEX}${hex}`,
    `{CRYPT.b64}${Buffer.from("$2y$31$saltandhash").toString("base64")}`,
    "{BLF-CRYPT}$2y$14$saltandhash",
    "{PBKDF2}$1$salt$1000001$hash",
    "{SCRAM-SHA-256}1000001,salt,key,key",
  ];
  for (const hash of costly) assert.equal(tooCostly(hash), true, hash);
});

test("the guard verifies hashes that cost about as much as its own, and no other kinds", () => {
  const hash = (cost: string) => `{ARGON2ID}$argon2id$v=19$${cost}$c2FsdHNhbHQ$aGFzaA`;
  for (const cost of ["m=19456,t=2,p=1", "m=47104,t=1,p=1", "m=12288,t=3,p=1", "m=7168,t=5,p=1"])
    assert.equal(isForGuard(hash(cost)), true, cost);
  for (const cost of ["m=65536,t=3,p=1", "m=65536,t=1,p=4", "m=262144,t=4,p=4", "m=19456,t=10,p=1"])
    assert.equal(isForGuard(hash(cost)), false, cost);
  for (const other of ["", "{ARGON2ID}x", "{SHA512-CRYPT}$6$salt$hash", hash("m=8,t=1"), ` ${hash("m=8,t=1,p=1")}`])
    assert.equal(isForGuard(other), false, other);
});

test("over the web, a hash must have a scheme with a salt, and a fixed or readable cost", () => {
  for (const hash of [
    "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
    "{argon2i}$argon2i$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA",
    "{SHA512-CRYPT}$6$salt$hash",
    "{SHA512-CRYPT}$6$rounds=656000$salt$hash",
    "{SHA256-CRYPT}$5$salt$hash",
    "{CRYPT}$6$salt$hash",
    "{CRYPT}$2y$12$saltandhash",
    "{CRYPT}$y$j9T$salt$hash",
    "{MD5-CRYPT}$1$salt$hash",
    "{BLF-CRYPT}$2y$12$saltandhash",
    "{PBKDF2}$1$salt$5000$abcdef01",
    "{SCRAM-SHA-256}4096,salt,key,key",
    "{SSHA512}c2FsdHNhbHQ",
    "{SSHA256.HEX}73616c74",
  ])
    assert.ok(isOfKnownScheme(hash) && !tooCostly(hash), hash);
});

test("over the web, a hash with another scheme, an encoding or an unreadable cost is refused", () => {
  const hex = (text: string) => Buffer.from(text).toString("hex");
  for (const [why, hashes] of Object.entries({
    "without a scheme": ["", "$6$salt$hash"],
    "of another scheme": ["{PLAIN}x", "{CLEARTEXT}x", "{SHA}c2FsdA==", "{OTP}sha1 4000000000 seed key"],
    encoded: [`{SHA512-CRYPT.HEX}${hex("$6$salt$hash")}`, `{PBKDF2.HEX}${hex("$1$salt$99999999$ab")}`],
    "yescrypt of another cost": ["{CRYPT}$y$jPT$salt$hash"],
    "whose cost cannot be read": [
      "{CRYPT}$gy$j9T$salt$hash",
      "{CRYPT}$7$U6..../....salt$hash",
      "{CRYPT}_zzzzsalthash",
      "{CRYPT}ab0123456789.",
      "{CRYPT}$sha1$4000000000$salt$hash",
    ],
    "of another method than its scheme names": [
      "{SHA512-CRYPT}$sha1$4000000000$salt$hash",
      "{BLF-CRYPT}$md5,rounds=4294963199$salt$hash",
    ],
    "followed by another hash": ["{CRYPT}$6$salt$hash$sha1$4000000000$x"],
  }))
    for (const hash of hashes) assert.equal(isOfKnownScheme(hash), false, `${why}: ${hash}`);
});
