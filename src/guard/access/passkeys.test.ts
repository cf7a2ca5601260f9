import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, test } from "node:test";
import { type Authenticator, authenticator, type KeyKind } from "../../../test/kit/authenticator.ts";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { webGateOf } from "../../../test/kit/web-gate-kit.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { ALGORITHMS, algorithmOf, CHALLENGE_MS, createChallenges, hasSigned } from "./passkeys.ts";

const ORIGIN = "https://mail.example.test";
const SESSION = "digest of a session";
/** User present, user verified, and a credential follows. */
const [PRESENT, VERIFIED, CREDENTIAL] = [0x01, 0x04, 0x40];

describe("passkeys", () => {
  const kit = webGateOf(import.meta.filename);

  const toMake = (origin = ORIGIN) => ({ challenge: kit.keys.challengeToMake(SESSION), origin });
  const toSign = (origin = ORIGIN) => ({ challenge: kit.keys.challenge(), origin });

  function add(kind: KeyKind = "ec", counter = 0): Authenticator {
    const device = authenticator(kind);
    const made = kit.keys.checkMade(device.make(toMake(), { counter }), SESSION);
    assert.ok(made.ok, JSON.stringify(made));
    assert.ok(kit.passkeys.add({ ...made.passkey, name: kind, at: kit.clock.now() }).ok);
    return device;
  }

  function why(answer: ReturnType<Authenticator["sign"]>): string {
    return kit.keys.check(answer).found;
  }

  for (const kind of ["ec", "ed25519", "rsa"] as const)
    test(`one with a key of ${kind} is added, and signs in`, () => {
      const device = add(kind);
      kit.clock.advance(1_000);
      const checked = kit.keys.check(device.sign(toSign()));
      assert.deepEqual([checked.found, checked.passkey?.name], ["right", kind]);
      assert.equal(kit.passkeys.list()[0]?.usedAt, kit.clock.now());
    });

  test("a challenge for sign-ins works once; one for adding a passkey does not sign in", () => {
    const device = add();
    const asked = toSign();
    assert.equal(why(device.sign(asked)), "right");
    assert.equal(why(device.sign(asked)), "invalid");
    assert.equal(why(device.sign(toMake())), "invalid");
    assert.equal(why(device.sign({ challenge: "AAAA", origin: ORIGIN })), "invalid");
  });

  test("a wrong answer does not use up the challenge", () => {
    const device = add();
    const asked = toSign();
    assert.equal(why({ ...device.sign(asked), signature: "AAAA" }), "invalid");
    assert.equal(why(device.sign(asked)), "right");
  });

  test("signatures for a different page, name or kind of request open nothing", () => {
    const device = add();
    for (const origin of ["https://evil.example", "http://mail.example.test", "https://mail.example.test.evil.example"])
      assert.equal(why(device.sign(toSign(origin), { name: "mail.example.test" })), "invalid", origin);
    assert.equal(why(device.sign(toSign("https://a.mail.example.test"), { name: "mail.example.test" })), "invalid");
    assert.equal(why(device.sign(toSign(), { name: "example.test" })), "invalid");
    assert.equal(why(device.sign(toSign(), { type: "webauthn.create" })), "invalid");
    assert.equal(why(device.sign(toSign(), { crossOrigin: true })), "invalid");
    assert.equal(why(device.sign(toSign("http://localhost:3000"))), "right", "through a tunnel");
  });

  test("a person must be present and verified", () => {
    const device = add();
    for (const flags of [0, PRESENT, VERIFIED]) assert.equal(why(device.sign(toSign(), { flags })), "invalid");
  });

  test("a different key's signature, and one over different bytes, do not sign in", () => {
    const [device, other] = [add(), authenticator()];
    assert.equal(why(other.sign(toSign())), "unknown");
    assert.equal(why({ ...other.sign(toSign()), id: device.id.toString("base64url") }), "invalid");
    const [one, two] = [device.sign(toSign()), device.sign(toSign())];
    assert.equal(why({ ...one, clientData: two.clientData }), "invalid");
    const { authenticatorData } = device.sign(toSign(), { counter: 9 });
    assert.equal(why({ ...one, authenticatorData }), "invalid");
  });

  test("a counter that goes backwards reveals a copy; one that stays zero reveals nothing", () => {
    const device = add("ec", 4);
    const outcomes = [5, 9, 9, 8, 0, 10].map((counter) => why(device.sign(toSign(), { counter })));
    const back = "counter_back";
    assert.deepEqual(outcomes, ["right", "right", back, back, back, "right"]);
    const silent = add("ed25519");
    for (let i = 0; i < 3; i++) assert.equal(why(silent.sign(toSign())), "right");
    assert.equal(why(silent.sign(toSign(), { counter: 1 })), "right", "from now on it counts");
    assert.equal(why(silent.sign(toSign())), "counter_back");
  });

  test("a passkey made elsewhere, in a different session, or with different options is not added", () => {
    const device = authenticator();
    const refused = (odd: Parameters<Authenticator["make"]>[1], asked = toMake(), session = SESSION): string => {
      const made = kit.keys.checkMade(device.make(asked, odd), session);
      return made.ok ? "added" : made.reason;
    };
    const flags = PRESENT | VERIFIED | CREDENTIAL;
    assert.match(refused({}, toMake("https://evil.example")), /of a different server/);
    assert.match(refused({ name: "evil.example" }), /of a different server/);
    assert.match(refused({}, toMake(), "another session"), /another session/);
    assert.match(refused({}, toSign()), /another session/);
    assert.match(refused({ type: "webauthn.get" }), /did not answer this server's request/);
    assert.match(refused({ id: Buffer.from("another") }), /not the key's id/);
    assert.match(refused({ flags: flags & ~VERIFIED }), /PIN/);
    assert.match(refused({ flags: flags & ~PRESENT }), /PIN/);
    assert.match(refused({ tail: Buffer.alloc(0) }), /did not answer/);
    const asked = toMake();
    assert.equal(refused({}, asked), "added");
    assert.match(refused({}, asked), /two minutes/, "once");
    const made = kit.keys.checkMade({ ...device.make(toMake()), publicKey: "AAAA" }, SESSION);
    assert.ok(!made.ok && made.reason.includes("ES256"));
    const sized = [256, 257].map((bytes) => {
      const id = Buffer.alloc(bytes, 1);
      return kit.keys.checkMade({ ...device.make(toMake(), { id }), id: id.toString("base64url") }, SESSION);
    });
    assert.partialDeepStrictEqual(sized, [{ ok: true }, { ok: false, reason: "Its id has more than 256 bytes." }]);
  });
});

function kit() {
  const clock = new HandClock();
  return { clock, challenges: createChallenges(clock) };
}

test("a challenge is random, and valid for its purpose for two minutes", () => {
  const { clock, challenges } = kit();
  const one = challenges.make("sign in");
  assert.notEqual(one, challenges.make("sign in"));
  assert.equal(Buffer.from(one, "base64url").length, 32 + 8 + 32, "random bytes, the time, and the MAC");
  assert.ok(challenges.isOpen(one, "sign in"));
  assert.ok(!challenges.isOpen(one, "make"), "not for another purpose");
  clock.advance(2 * MINUTE_MS - 1);
  assert.ok(challenges.isOpen(one, "sign in"));
  clock.advance(1);
  assert.ok(!challenges.isOpen(one, "sign in"));
});

test("a challenge is used once", () => {
  const { clock, challenges } = kit();
  const [one, other] = [challenges.make("sign in"), challenges.make("sign in")];
  challenges.spend(one);
  assert.ok(!challenges.isOpen(one, "sign in"));
  assert.ok(challenges.isOpen(other, "sign in"));
  clock.advance(CHALLENGE_MS - 1);
  assert.ok(!challenges.isOpen(one, "sign in"), "until it expires");
});

test("only this guard's challenges are valid: not a stranger's, not those from before a restart, not after the clock was set back", () => {
  const { clock, challenges } = kit();
  const one = challenges.make("sign in");
  const bytes = Buffer.from(one, "base64url");
  for (let i = 0; i < bytes.length; i++) {
    const forged = Buffer.from(bytes);
    forged.writeUInt8(forged.readUInt8(i) ^ 1, i);
    assert.ok(!challenges.isOpen(forged.toString("base64url"), "sign in"), `byte ${i}`);
  }
  for (const forged of ["", "x", `${one}=`, one.slice(0, -1), `${one}AA`, `${one} `])
    assert.ok(!challenges.isOpen(forged, "sign in"), forged);
  assert.ok(!createChallenges(clock).isOpen(one, "sign in"));
  clock.advance(-1);
  assert.ok(!challenges.isOpen(one, "sign in"));
});

test("strangers may request any number without displacing others", () => {
  const { challenges } = kit();
  const owners = challenges.make("sign in");
  for (let i = 0; i < 5_000; i++) challenges.make("sign in");
  assert.ok(challenges.isOpen(owners, "sign in"));
});

test("the list of used challenges is bounded, and entries are removed when they expire", () => {
  const { clock, challenges } = kit();
  for (let i = 0; i < 255; i++) challenges.spend(challenges.make("sign in"));
  const more = challenges.make("sign in");
  assert.ok(challenges.isOpen(more, "sign in"));
  challenges.spend(challenges.make("sign in"));
  assert.ok(!challenges.isOpen(more, "sign in"));
  clock.advance(CHALLENGE_MS);
  assert.ok(challenges.isOpen(challenges.make("sign in"), "sign in"));
});

const DATA = Buffer.from("what is signed");
const spkiOf = (key: KeyObject): Buffer => key.export({ format: "der", type: "spki" });
const rsaOf = (bytes: number, e = "AQAB"): KeyObject =>
  createPublicKey({ key: { kty: "RSA", e, n: Buffer.alloc(bytes, 0xff).toString("base64url") }, format: "jwk" });

test("accepts the keys that authenticators create, and a signature of each", () => {
  for (const [{ publicKey, privateKey }, algorithm] of [
    [generateKeyPairSync("ec", { namedCurve: "P-256" }), -7],
    [generateKeyPairSync("ed25519"), -8],
    [generateKeyPairSync("rsa", { modulusLength: 2_048 }), -257],
  ] as const) {
    const spki = spkiOf(publicKey);
    assert.equal(algorithmOf(spki), algorithm);
    const key = { publicKey: spki, algorithm };
    const signature = sign(algorithm === ALGORITHMS.EDDSA ? null : "sha256", DATA, privateKey);
    assert.ok(hasSigned(key, DATA, signature));
    assert.ok(!hasSigned(key, Buffer.from("another"), signature));
    assert.ok(!hasSigned(key, DATA, Buffer.alloc(signature.length)));
    assert.ok(!hasSigned(key, DATA, Buffer.alloc(0)));
  }
});

test("refuses other keys: a different curve, a weak one, a slow one, and malformed ones", () => {
  for (const key of [
    generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey,
    generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey,
    generateKeyPairSync("x25519").publicKey,
    generateKeyPairSync("ed448").publicKey,
    rsaOf(128),
    rsaOf(256, "Aw"),
    rsaOf(513),
  ])
    assert.equal(algorithmOf(spkiOf(key)), null);
  for (const bytes of [256, 512]) assert.equal(algorithmOf(spkiOf(rsaOf(bytes))), ALGORITHMS.RS256);
  assert.equal(algorithmOf(Buffer.from("no key")), null);
  assert.equal(algorithmOf(Buffer.alloc(0)), null);
  for (const publicKey of [Buffer.from("no key"), spkiOf(generateKeyPairSync("ed25519").publicKey)])
    assert.ok(!hasSigned({ publicKey, algorithm: -7 }, DATA, Buffer.alloc(64)));
});
