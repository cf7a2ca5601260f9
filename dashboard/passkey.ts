import { type Answer, type RequestOf, request } from "./api.ts";
import { t } from "./messages.ts";

/** https://www.w3.org/TR/webauthn-3/. The guard verifies the results. */

/** A password, with a code if the server wants one, or a passkey. */
export type ProofRequest = RequestOf<"POST /session/proof">["body"];

/** Those that the server accepts: ES256, EdDSA, RS256. */
const ALGORITHMS = [-7, -8, -257];
const PASSKEY_MS = 120_000;

/** Why this page cannot have passkeys; null if it can. */
export function whyNoPasskeys(): "address" | "insecure" | "unsupported" | null {
  if (/^\[|^[\d.]+$/.test(location.hostname)) return "address";
  if (!globalThis.isSecureContext) return "insecure";
  return "PublicKeyCredential" in globalThis ? null : "unsupported";
}

/** Returns the proof for the server. Throws a sentence for the reader. */
export async function usePasskey(): Promise<ProofRequest> {
  const { challenge } = await request("POST /login/passkey");
  const publicKey = { challenge: bytesOf(challenge), userVerification: "required", timeout: PASSKEY_MS } as const;
  const credential = await askBrowser(() => navigator.credentials.get({ publicKey }));
  const { response } = credential;
  if (!(response instanceof AuthenticatorAssertionResponse)) throw new Error(t.passkey.unsupported);
  const { clientDataJSON, authenticatorData, signature } = response;
  return {
    passkey: {
      id: credential.id,
      clientData: textOf(clientDataJSON),
      authenticatorData: textOf(authenticatorData),
      signature: textOf(signature),
    },
  };
}

/** Returns what the server stores of a new passkey. Throws a sentence for the reader. */
export async function makePasskey({ challenge, name, user, known }: Answer<"POST /factors/passkeys">) {
  const publicKey: PublicKeyCredentialCreationOptions = {
    challenge: bytesOf(challenge),
    rp: { name: "GhostInbox" },
    user: { id: bytesOf(user), name, displayName: name },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
    excludeCredentials: known.map((id) => ({ type: "public-key", id: bytesOf(id) })),
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    attestation: "none",
    timeout: PASSKEY_MS,
  };
  const credential = await askBrowser(() => navigator.credentials.create({ publicKey }));
  const { response } = credential;
  const key = response instanceof AuthenticatorAttestationResponse ? response.getPublicKey() : null;
  if (!(response instanceof AuthenticatorAttestationResponse) || key === null) throw new Error(t.passkey.unsupported);
  return {
    id: credential.id,
    clientData: textOf(response.clientDataJSON),
    authenticatorData: textOf(response.getAuthenticatorData()),
    publicKey: textOf(key),
  };
}

export function textOf(buffer: ArrayBuffer): string {
  const text = btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCodePoint(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.codePointAt(0) ?? 0);
}

/** Replaces the browser's error messages, which are technical and in its own language. */
async function askBrowser(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  const words = t.passkey;
  const credential = await ask().catch((error: unknown) => {
    const isKnown = error instanceof DOMException && error.name === "InvalidStateError";
    throw new Error(isKnown ? words.known : words.givenUp, { cause: error });
  });
  if (credential instanceof PublicKeyCredential) return credential;
  throw new Error(words.unsupported);
}
