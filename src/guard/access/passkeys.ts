import { createHmac, createPublicKey, hash, type KeyObject, randomBytes, timingSafeEqual, verify } from "node:crypto";
import {
  type AuthenticatorData,
  parseAuthenticatorData,
  parseClientData,
  passkeyName,
} from "../../core/access/passkeys.ts";
import { readOr } from "../../core/error.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { Passkey, PasskeyStore } from "../admin-ports.ts";
import type { Clock } from "../ports.ts";

/** How long a challenge may be answered. A person has to fetch a key and touch it. */
export const CHALLENGE_MS = 2 * MINUTE_MS;
const RANDOM_BYTES = 32;
const TIME_BYTES = 8;
const MAC_BYTES = 32;
const BYTES = RANDOM_BYTES + TIME_BYTES + MAC_BYTES;
/** Maximum used challenges that have not expired. Only the owner's keys can use up a challenge. */
const MOST_SPENT = 256;

/**
 * Makes the challenges that authenticators sign, each for one purpose and one use within two minutes. Strangers may request any number,
 * so new ones are not stored: a MAC proves that the guard made them. Used ones are stored until they expire. A restart invalidates all.
 */
export function createChallenges(clock: Clock) {
  const key = randomBytes(MAC_BYTES);
  /** By used challenge, when it would expire. */
  const spent = new Map<string, number>();
  const macOf = (head: Buffer, purpose: string): Buffer =>
    createHmac("sha256", key).update(head).update(purpose).digest();
  return {
    /** `purpose`: what an answer to it does, and for a new passkey the session too. */
    make: (purpose: string): string => {
      const head = Buffer.alloc(RANDOM_BYTES + TIME_BYTES);
      randomBytes(RANDOM_BYTES).copy(head);
      head.writeBigUInt64BE(BigInt(clock.now()), RANDOM_BYTES);
      return Buffer.concat([head, macOf(head, purpose)]).toString("base64url");
    },
    /** Whether it was made for this purpose, has not expired, and was not used. */
    isOpen: (challenge: string, purpose: string): boolean => {
      const bytes = Buffer.from(challenge, "base64url");
      if (bytes.length !== BYTES || bytes.toString("base64url") !== challenge) return false;
      const head = bytes.subarray(0, RANDOM_BYTES + TIME_BYTES);
      if (!timingSafeEqual(bytes.subarray(head.length), macOf(head, purpose))) return false;
      const now = clock.now();
      for (const [one, until] of spent) if (now >= until) spent.delete(one);
      const age = now - Number(head.readBigUInt64BE(RANDOM_BYTES));
      return age >= 0 && age < CHALLENGE_MS && !spent.has(challenge) && spent.size < MOST_SPENT;
    },
    /** Marks it as used, after a valid signature. */
    spend: (challenge: string): void => void spent.set(challenge, clock.now() + CHALLENGE_MS),
  };
}

/** COSE numbers of the accepted signatures (RFC 9053, RFC 8812). Most authenticators create the first. */
export const ALGORITHMS = { ES256: -7, EDDSA: -8, RS256: -257 } as const;

/** Longer keys would cost the guard time with each signature. */
const RSA_BITS = { least: 2_048, most: 4_096 };
const RSA_EXPONENT = 65_537n;

/** The algorithm of a public key (SPKI in DER); null if such keys are not accepted. */
export function algorithmOf(spki: Buffer): number | null {
  const key = publicKey(spki);
  if (key === null) return null;
  const { namedCurve, modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ec":
      return namedCurve === "prime256v1" ? ALGORITHMS.ES256 : null;
    case "ed25519":
      return ALGORITHMS.EDDSA;
    case "rsa":
      return modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most && publicExponent === RSA_EXPONENT
        ? ALGORITHMS.RS256
        : null;
    default:
      return null;
  }
}

type Signer = Pick<Passkey, "publicKey" | "algorithm">;

/** Whether the key has signed this. Key and algorithm come from the database, never from the request. */
export function hasSigned({ publicKey: spki, algorithm }: Signer, data: Buffer, signature: Buffer): boolean {
  const key = publicKey(spki);
  const digest = algorithm === ALGORITHMS.EDDSA ? null : "sha256";
  return key !== null && readOr(() => verify(digest, data, key, signature), false);
}

function publicKey(spki: Buffer): KeyObject | null {
  return readOr(() => createPublicKey({ key: spki, format: "der", type: "spki" }), null);
}

/** What a browser sends for a passkey that it used; all of it is base64url. */
export type Assertion = Readonly<{ id: string; clientData: string; authenticatorData: string; signature: string }>;
/** The same for a new passkey. `publicKey`: SPKI in DER. */
type MadePasskey = Readonly<{ id: string; clientData: string; authenticatorData: string; publicKey: string }>;

type PasskeyParts = Readonly<{
  passkeys: PasskeyStore;
  /** Domains of the dashboard, including their subdomains. The web program cannot add to them. */
  names: () => readonly string[];
  clock: Clock;
}>;

/** `counter_back`: the passkey's counter went backwards, so a copy must exist. `passkey` null: it is unknown. */
type Asserted = Readonly<
  { passkey: null; found: "unknown" } | { passkey: Passkey; found: "right" | "invalid" | "counter_back" }
>;
type Registered =
  | Readonly<{ ok: true; passkey: Pick<Passkey, "id" | "publicKey" | "algorithm" | "counter"> }>
  | Readonly<{ ok: false; reason: string }>;

/** A challenge to sign in or to give a proof works for either. */
const ASSERTS = "webauthn.get";
const MAKES = "webauthn.create";
/** Maximum length of a passkey's id. Discoverable passkeys have short ids; the standard allows 1023 bytes. */
const ID_BYTES = 256;

export type Passkeys = ReturnType<typeof createPasskeys>;

/**
 * The administrator's passkeys: WebAuthn Level 3, 7.1 and 7.2, without attestation. The authenticator verifies the user
 * each time, so a passkey replaces both the password and the second factor.
 */
export function createPasskeys({ passkeys, names, clock }: PasskeyParts) {
  const challenges = createChallenges(clock);
  const faultOf = (origin: string, { nameDigest, isPresent, isVerified }: AuthenticatorData): string | null => {
    const name = passkeyName(origin, names());
    if (name === null || !hash("sha256", name, "buffer").equals(nameDigest))
      return "It is for a page of a different server.";
    return isPresent && isVerified ? null : "The key did not ask for a PIN, a fingerprint or a face.";
  };
  const read = (type: string, purpose: string, asked: Buffer, data: Buffer) => {
    const client = parseClientData(asked);
    const authenticator = parseAuthenticatorData(data);
    if (client === null || client.type !== type || authenticator === null)
      return { reason: "The browser did not answer this server's request for a passkey." };
    if (!challenges.isOpen(client.challenge, purpose))
      return { reason: "It was asked for more than two minutes ago, or in another session." };
    const reason = faultOf(client.origin, authenticator);
    return reason === null ? { challenge: client.challenge, data: authenticator } : { reason };
  };
  return {
    challenge: (): string => challenges.make(ASSERTS),

    /** `session`: the digest of the session in which the passkey is added. */
    challengeToMake: (session: string): string => challenges.make(makingIn(session)),

    isKnown: (id: string): boolean => passkeys.list().some((known) => known.id === id),

    /** A right answer uses up its challenge, and stores the passkey's counter. Throws if that cannot be stored. */
    check: ({ id, clientData, authenticatorData, signature }: Assertion): Asserted => {
      const passkey = passkeys.list().find((known) => known.id === id) ?? null;
      if (passkey === null) return { passkey, found: "unknown" };
      const asked = Buffer.from(clientData, "base64url");
      const data = Buffer.from(authenticatorData, "base64url");
      const answer = read(ASSERTS, ASSERTS, asked, data);
      const signed = Buffer.concat([data, hash("sha256", asked, "buffer")]);
      if ("reason" in answer || !hasSigned(passkey, signed, Buffer.from(signature, "base64url")))
        return { passkey, found: "invalid" };
      challenges.spend(answer.challenge);
      const { counter } = answer.data;
      const counts = counter !== 0 || passkey.counter !== 0;
      if (counts && counter <= passkey.counter) return { passkey, found: "counter_back" };
      passkeys.used(id, counter, clock.now());
      return { passkey, found: "right" };
    },

    /** The passkey just made in this session, before it is stored. */
    checkMade: ({ id, clientData, authenticatorData, publicKey }: MadePasskey, session: string): Registered => {
      const no = (reason: string): Registered => ({ ok: false, reason });
      const asked = Buffer.from(clientData, "base64url");
      const answer = read(MAKES, makingIn(session), asked, Buffer.from(authenticatorData, "base64url"));
      if ("reason" in answer) return no(answer.reason);
      const { credentialId, counter } = answer.data;
      if (credentialId === null || credentialId.toString("base64url") !== id) return no("Its id is not the key's id.");
      if (credentialId.length > ID_BYTES) return no(`Its id has more than ${ID_BYTES} bytes.`);
      const key = Buffer.from(publicKey, "base64url");
      const algorithm = algorithmOf(key);
      if (algorithm === null) return no("Its key is not ES256, EdDSA or RS256.");
      challenges.spend(answer.challenge);
      return { ok: true, passkey: { id, publicKey: key, algorithm, counter } };
    },
  };
}

function makingIn(session: string): string {
  return `${MAKES} ${session}`;
}
