import { createHash } from "node:crypto";
import { type AuthenticatorData, parseAuthenticatorData, parseClientData } from "../../core/access/passkey-data.ts";
import { passkeyName } from "../../core/access/passkey-names.ts";
import type { Passkey, PasskeyStore } from "../admin-ports.ts";
import type { Clock } from "../ports.ts";
import { Challenges } from "./challenges.ts";
import { algorithmOf, hasSigned } from "./passkey-keys.ts";

/** What a browser sends for a passkey that it used; all of it is base64url. */
export type Assertion = Readonly<{ id: string; clientData: string; authenticatorData: string; signature: string }>;
/** The same for a new passkey. `publicKey`: SPKI in DER. */
export type MadePasskey = Readonly<{ id: string; clientData: string; authenticatorData: string; publicKey: string }>;

export type PasskeyParts = Readonly<{
  passkeys: PasskeyStore;
  /** Domains of the dashboard, including their subdomains. The web program cannot add to them. */
  names: () => readonly string[];
  clock: Clock;
}>;

/** `counter_back`: its counter went backwards, so a copy must exist. */
export type Asserted =
  | Readonly<{ outcome: "right"; passkey: Passkey }>
  | Readonly<{ outcome: "wrong"; passkey: Passkey | null; why: "unknown" | "invalid" | "counter_back" }>;
export type Registered =
  | Readonly<{ ok: true; passkey: Pick<Passkey, "id" | "publicKey" | "algorithm" | "counter"> }>
  | Readonly<{ ok: false; reason: string }>;

/** A challenge to sign in or to give a proof works for either. */
const ASSERTS = "webauthn.get";
const MAKES = "webauthn.create";
/** Discoverable passkeys have short ones; the standard allows 1023. */
const ID_BYTES = 256;

/**
 * The administrator's passkeys: WebAuthn Level 3, 7.1 and 7.2, without attestation. The user is verified by the
 * authenticator each time, so that a passkey stands for the password and a second factor.
 */
export class Passkeys {
  readonly #parts: PasskeyParts;
  readonly #challenges: Challenges;

  constructor(parts: PasskeyParts) {
    this.#parts = parts;
    this.#challenges = new Challenges(parts.clock);
  }

  challenge(): string {
    return this.#challenges.make(ASSERTS);
  }

  /** `session`: the digest of the session in which the passkey is added. */
  challengeToMake(session: string): string {
    return this.#challenges.make(makingIn(session));
  }

  isKnown(id: string): boolean {
    return this.#parts.passkeys.list().some((known) => known.id === id);
  }

  /** A right answer uses up its challenge, and stores its counter. Throws if that cannot be stored. */
  check({ id, clientData, authenticatorData, signature }: Assertion): Asserted {
    const passkey = this.#parts.passkeys.list().find((known) => known.id === id) ?? null;
    if (passkey === null) return { outcome: "wrong", passkey, why: "unknown" };
    const asked = Buffer.from(clientData, "base64url");
    const data = Buffer.from(authenticatorData, "base64url");
    const read = this.#read(ASSERTS, ASSERTS, asked, data);
    const signed = Buffer.concat([data, sha256(asked)]);
    if ("reason" in read || !hasSigned(passkey, signed, Buffer.from(signature, "base64url")))
      return { outcome: "wrong", passkey, why: "invalid" };
    this.#challenges.spend(read.challenge);
    const { counter } = read.data;
    const counts = counter !== 0 || passkey.counter !== 0;
    if (counts && counter <= passkey.counter) return { outcome: "wrong", passkey, why: "counter_back" };
    this.#parts.passkeys.used(id, counter, this.#parts.clock.now());
    return { outcome: "right", passkey };
  }

  /** The passkey just made in this session, before it is stored. */
  checkMade({ id, clientData, authenticatorData, publicKey }: MadePasskey, session: string): Registered {
    const no = (reason: string): Registered => ({ ok: false, reason });
    const asked = Buffer.from(clientData, "base64url");
    const read = this.#read(MAKES, makingIn(session), asked, Buffer.from(authenticatorData, "base64url"));
    if ("reason" in read) return no(read.reason);
    const { credentialId, counter } = read.data;
    if (credentialId === null || credentialId.toString("base64url") !== id) return no("Its id is not the one made.");
    if (credentialId.length > ID_BYTES) return no(`Its id has more than ${ID_BYTES} bytes.`);
    const key = Buffer.from(publicKey, "base64url");
    const algorithm = algorithmOf(key);
    if (algorithm === null) return no("Its key is none of ES256, EdDSA and RS256.");
    this.#challenges.spend(read.challenge);
    return { ok: true, passkey: { id, publicKey: key, algorithm, counter } };
  }

  #read(type: string, purpose: string, asked: Buffer, data: Buffer) {
    const client = parseClientData(asked);
    const authenticator = parseAuthenticatorData(data);
    if (client === null || client.type !== type || authenticator === null)
      return { reason: "The browser sent no passkey that this server asked for." };
    if (!this.#challenges.isOpen(client.challenge, purpose))
      return { reason: "It was asked for more than two minutes ago, or in another session." };
    const reason = this.#fault(client.origin, authenticator);
    return reason === null ? { challenge: client.challenge, data: authenticator } : { reason };
  }

  #fault(origin: string, { nameDigest, isPresent, isVerified }: AuthenticatorData): string | null {
    const name = passkeyName(origin, this.#parts.names());
    if (name === null || !sha256(name).equals(nameDigest)) return "It is for a page that is not this server's.";
    return isPresent && isVerified ? null : "The key did not ask for a PIN, a finger or a face.";
  }
}

function makingIn(session: string): string {
  return `${MAKES} ${session}`;
}

function sha256(text: string | Buffer): Buffer {
  return createHash("sha256").update(text).digest();
}
