import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Authenticator, type KeyKind } from "../../../test/kit/authenticator.ts";
import { webGateOnMemory } from "../../../test/kit/web-gate-kit.ts";
import { CHALLENGE_MS } from "./passkeys.ts";

const ORIGIN = "https://mail.example.test";
const SESSION = "digest of a session";
/** User present, user verified, and a credential follows. */
const [PRESENT, VERIFIED, CREDENTIAL] = [0x01, 0x04, 0x40];

describe("passkeys", () => {
  let kit: ReturnType<typeof webGateOnMemory>;
  beforeEach(() => {
    kit = webGateOnMemory();
  });

  const toMake = (origin = ORIGIN) => ({ challenge: kit.keys.challengeToMake(SESSION), origin });
  const toSign = (origin = ORIGIN) => ({ challenge: kit.keys.challenge(), origin });

  function add(kind: KeyKind = "ec", counter = 0): Authenticator {
    const device = new Authenticator(kind);
    const made = kit.keys.checkMade(device.make(toMake(), { counter }), SESSION);
    assert.ok(made.ok, JSON.stringify(made));
    assert.ok(kit.passkeys.add({ ...made.passkey, name: kind, at: kit.clock.now() }).ok);
    return device;
  }

  function why(answer: ReturnType<Authenticator["sign"]>): string {
    const checked = kit.keys.check(answer);
    return checked.outcome === "right" ? "right" : checked.why;
  }

  for (const kind of ["ec", "ed25519", "rsa"] as const)
    test(`one with a key of ${kind} is added, and signs in`, () => {
      const device = add(kind);
      kit.clock.advance(1_000);
      const checked = kit.keys.check(device.sign(toSign()));
      assert.ok(checked.outcome === "right" && checked.passkey.name === kind);
      assert.equal(kit.passkeys.list()[0]?.usedAt, kit.clock.now());
    });

  test("a challenge for sign-ins works once, within two minutes, and one for adding a passkey does not", () => {
    const device = add();
    const asked = toSign();
    assert.equal(why(device.sign(asked)), "right");
    assert.equal(why(device.sign(asked)), "invalid");
    const late = device.sign(toSign());
    kit.clock.advance(CHALLENGE_MS);
    assert.equal(why(late), "invalid");
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
    const [device, other] = [add(), new Authenticator()];
    assert.equal(why(other.sign(toSign())), "unknown");
    assert.equal(why({ ...other.sign(toSign()), id: device.id.toString("base64url") }), "invalid");
    const [one, two] = [device.sign(toSign()), device.sign(toSign())];
    assert.equal(why({ ...one, clientData: two.clientData }), "invalid");
    assert.equal(
      why({ ...one, authenticatorData: device.sign(toSign(), { counter: 9 }).authenticatorData }),
      "invalid",
    );
  });

  test("a counter that goes backwards reveals a copy; one that stays zero reveals nothing", () => {
    const device = add("ec", 4);
    for (const [counter, outcome] of [
      [5, "right"],
      [9, "right"],
      [9, "counter_back"],
      [8, "counter_back"],
      [0, "counter_back"],
      [10, "right"],
    ] as const)
      assert.equal(why(device.sign(toSign(), { counter })), outcome, String(counter));
    const silent = add("ed25519");
    for (let i = 0; i < 3; i++) assert.equal(why(silent.sign(toSign())), "right");
    assert.equal(why(silent.sign(toSign(), { counter: 1 })), "right", "from now on it counts");
    assert.equal(why(silent.sign(toSign())), "counter_back");
  });

  test("a passkey made elsewhere, in a different session, or with different options is not added", () => {
    const device = new Authenticator();
    const refused = (odd: Parameters<Authenticator["make"]>[1], asked = toMake(), session = SESSION): string => {
      const made = kit.keys.checkMade(device.make(asked, odd), session);
      return made.ok ? "added" : made.reason;
    };
    const flags = PRESENT | VERIFIED | CREDENTIAL;
    assert.match(refused({}, toMake("https://evil.example")), /not this server's/);
    assert.match(refused({ name: "evil.example" }), /not this server's/);
    assert.match(refused({}, toMake(), "another session"), /another session/);
    assert.match(refused({}, toSign()), /another session/);
    assert.match(refused({ type: "webauthn.get" }), /no passkey that this server asked for/);
    assert.match(refused({ id: Buffer.from("another") }), /not the one made/);
    assert.match(refused({ flags: flags & ~VERIFIED }), /PIN/);
    assert.match(refused({ flags: flags & ~PRESENT }), /PIN/);
    assert.match(refused({ tail: Buffer.alloc(0) }), /no passkey/);
    const asked = toMake();
    assert.equal(refused({}, asked), "added");
    assert.match(refused({}, asked), /two minutes/, "once");
    const made = kit.keys.checkMade({ ...device.make(toMake()), publicKey: "AAAA" }, SESSION);
    assert.ok(!made.ok && made.reason.includes("ES256"));
  });
});
