import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

const PAIRS = {
  ec: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ed25519: () => generateKeyPairSync("ed25519"),
  rsa: () => generateKeyPairSync("rsa", { modulusLength: 2_048 }),
};
export type KeyKind = keyof typeof PAIRS;
type Asked = Readonly<{ challenge: string; origin: string }>;
/** Faults that a test wants; none by default. */
type Odd = Readonly<{
  type?: string;
  name?: string;
  flags?: number;
  counter?: number;
  crossOrigin?: boolean;
  id?: Buffer;
  tail?: Buffer;
}>;

const FLAGS = { present: 0x01, verified: 0x04, credential: 0x40 };
/** A person was there and was verified. */
const VERIFIED = FLAGS.present | FLAGS.verified;

export type Authenticator = ReturnType<typeof authenticator>;

/** An authenticator with one passkey and real keys, driven by a browser's requests. */
export function authenticator(kind: KeyKind = "ec") {
  const id = randomBytes(32);
  const { publicKey, privateKey } = PAIRS[kind]();
  return {
    id,
    /** `navigator.credentials.create`. */
    make: (asked: Asked, odd: Odd = {}) => {
      const madeId = odd.id ?? id;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(madeId.length);
      const made = Buffer.concat([Buffer.alloc(16), length, madeId, odd.tail ?? Buffer.from("a0", "hex")]);
      const flags = odd.flags ?? VERIFIED | FLAGS.credential;
      return {
        id: id.toString("base64url"),
        clientData: clientData("webauthn.create", asked, odd).toString("base64url"),
        authenticatorData: Buffer.concat([dataOf(asked, { ...odd, flags }), made]).toString("base64url"),
        publicKey: publicKey.export({ format: "der", type: "spki" }).toString("base64url"),
      };
    },
    /** `navigator.credentials.get`. */
    sign: (asked: Asked, odd: Odd = {}) => {
      const client = clientData("webauthn.get", asked, odd);
      const data = dataOf(asked, odd);
      const signed = Buffer.concat([data, createHash("sha256").update(client).digest()]);
      return {
        id: id.toString("base64url"),
        clientData: client.toString("base64url"),
        authenticatorData: data.toString("base64url"),
        signature: sign(kind === "ed25519" ? null : "sha256", signed, privateKey).toString("base64url"),
      };
    },
  };
}

function clientData(type: string, { challenge, origin }: Asked, odd: Odd): Buffer {
  const { crossOrigin = false } = odd;
  return Buffer.from(JSON.stringify({ type: odd.type ?? type, challenge, origin, crossOrigin }));
}

function dataOf({ origin }: Asked, { name, flags = VERIFIED, counter = 0 }: Odd): Buffer {
  const data = Buffer.alloc(37);
  const digest = createHash("sha256").update(name ?? new URL(origin).hostname);
  assert.equal(digest.digest().copy(data), 32);
  data.writeUInt8(flags, 32);
  data.writeUInt32BE(counter, 33);
  return data;
}
