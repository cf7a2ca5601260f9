import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export type KeyKind = "ec" | "ed25519" | "rsa";
type Asked = Readonly<{ challenge: string; origin: string }>;
/** Faults that a test wants; none by default. */
type Odd = Readonly<{
  type: string;
  name: string;
  flags: number;
  counter: number;
  crossOrigin: boolean;
  id: Buffer;
  tail: Buffer;
}>;

const FLAGS = { present: 0x01, verified: 0x04, credential: 0x40 };
/** A person was there and was verified. */
const VERIFIED = FLAGS.present | FLAGS.verified;

/** An authenticator with one passkey, with real keys: with a browser's requests. */
export class Authenticator {
  readonly id = randomBytes(32);
  readonly #pair: Readonly<{ publicKey: KeyObject; privateKey: KeyObject }>;
  readonly #kind: KeyKind;

  constructor(kind: KeyKind = "ec") {
    this.#kind = kind;
    this.#pair = pairOf(kind);
  }

  /** `navigator.credentials.create`. */
  make(asked: Asked, odd: Partial<Odd> = {}) {
    const id = odd.id ?? this.id;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    const made = Buffer.concat([Buffer.alloc(16), length, id, odd.tail ?? Buffer.from("a0", "hex")]);
    const flags = odd.flags ?? VERIFIED | FLAGS.credential;
    return {
      id: this.id.toString("base64url"),
      clientData: clientData("webauthn.create", asked, odd).toString("base64url"),
      authenticatorData: Buffer.concat([dataOf(asked, { ...odd, flags }), made]).toString("base64url"),
      publicKey: this.#pair.publicKey.export({ format: "der", type: "spki" }).toString("base64url"),
    };
  }

  /** `navigator.credentials.get`. */
  sign(asked: Asked, odd: Partial<Odd> = {}) {
    const client = clientData("webauthn.get", asked, odd);
    const data = dataOf(asked, odd);
    const signed = Buffer.concat([data, createHash("sha256").update(client).digest()]);
    const signature = sign(this.#kind === "ed25519" ? null : "sha256", signed, this.#pair.privateKey);
    return {
      id: this.id.toString("base64url"),
      clientData: client.toString("base64url"),
      authenticatorData: data.toString("base64url"),
      signature: signature.toString("base64url"),
    };
  }
}

function pairOf(kind: KeyKind) {
  switch (kind) {
    case "ec":
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case "ed25519":
      return generateKeyPairSync("ed25519");
    case "rsa":
      return generateKeyPairSync("rsa", { modulusLength: 2_048 });
  }
}

function clientData(type: string, { challenge, origin }: Asked, odd: Partial<Odd>): Buffer {
  return Buffer.from(
    JSON.stringify({ type: odd.type ?? type, challenge, origin, crossOrigin: odd.crossOrigin ?? false }),
  );
}

function dataOf({ origin }: Asked, { name, flags = VERIFIED, counter = 0 }: Partial<Odd>): Buffer {
  const data = Buffer.alloc(37);
  const digest = createHash("sha256").update(name ?? new URL(origin).hostname);
  assert.equal(digest.digest().copy(data), 32);
  data.writeUInt8(flags, 32);
  data.writeUInt32BE(counter, 33);
  return data;
}
