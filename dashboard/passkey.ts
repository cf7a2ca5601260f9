import { post, Refused } from "./api.ts";
import { t } from "./messages.ts";

/** https://www.w3.org/TR/webauthn-3/; the guard verifies what comes of it. */

type Asked = Readonly<{ challenge: string; name: string; user: string; known: readonly string[] }>;
type Where = Readonly<{ hostname: string; isSecure: boolean; isSupported: boolean }>;

/** As the server takes them: ES256, EdDSA, RS256. */
const ALGORITHMS = [-7, -8, -257];
const PASSKEY_MS = 120_000;

/** Why this page can have no passkeys; null: it can. */
export function whyNoPasskeys(where: Where = here()): "address" | "insecure" | "unsupported" | null {
  if (/^\[|^[\d.]+$/.test(where.hostname)) return "address";
  if (!where.isSecure) return "insecure";
  return where.isSupported ? null : "unsupported";
}

export type Assertion = Readonly<{
  passkey: Readonly<{ id: string; clientData: string; authenticatorData: string; signature: string }>;
}>;
/** How the browser asks: by default in a separate window. */
type Way = Pick<CredentialRequestOptions, "mediation" | "signal">;

/** Throws a sentence for the reader. */
export async function usePasskey(way: Way = {}): Promise<Assertion> {
  const { challenge } = await post<{ challenge: string }>("login/passkey", {});
  const publicKey = { challenge: bytesOf(challenge), userVerification: "required", timeout: PASSKEY_MS } as const;
  const credential = await asking(() => navigator.credentials.get({ publicKey, ...way }));
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

/** What the server is to keep of a new one. Throws a sentence for the reader. */
export async function makePasskey({ challenge, name, user, known }: Asked): Promise<object> {
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
  const credential = await asking(() => navigator.credentials.create({ publicKey }));
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

/** The browser's words about a failure are technical, and in its own language. */
async function asking(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  const words = t.passkey;
  const credential = await ask().catch((error: unknown) => {
    const isKnown = error instanceof DOMException && error.name === "InvalidStateError";
    throw new Error(isKnown ? words.known : words.givenUp, { cause: error });
  });
  if (credential instanceof PublicKeyCredential) return credential;
  throw new Error(words.unsupported);
}

function here(): Where {
  return {
    hostname: location.hostname,
    isSecure: globalThis.isSecureContext,
    isSupported: "PublicKeyCredential" in globalThis,
  };
}

/** A turn of the offer: less than the two minutes of a challenge, so that a reader who chooses late has time to verify. */
export const OFFERED_MS = 90_000;
/** And for this long while the reader verifies: an answer that comes then is still in time. */
export const LONGEST_MS = 115_000;

type OfferParts = Readonly<{
  isOffered: () => Promise<boolean>;
  /** Until the reader chooses one, or `signal` ends it. */
  ask: (signal: AbortSignal) => Promise<Assertion>;
  /** Until the page is looked at. */
  looked: () => Promise<void>;
  /** Whether another window has the reader. It may be the one in which the browser or the system verifies them. */
  isElsewhere: () => boolean;
}>;

/**
 * The browser offers a passkey where it fills in the password (WebAuthn Level 3, 5.1.4: conditional mediation). Returns what ends the
 * offer: call it before asking in another way. Asks for a challenge each turn, only while someone looks at the page.
 */
export function offerPasskey(chosen: (assertion: Assertion) => void, parts: OfferParts = BROWSER): () => void {
  const ended = new AbortController();
  void offered(parts, ended.signal).then(
    (assertion) => assertion !== null && !ended.signal.aborted && chosen(assertion),
  );
  return () => ended.abort();
}

/** Null: none was chosen, or the browser has no such offer. */
async function offered(
  { isOffered, ask, looked, isElsewhere }: OfferParts,
  ended: AbortSignal,
): Promise<Assertion | null> {
  if (!(await isOffered())) return null;
  for (;;) {
    await looked();
    if (ended.aborted) return null;
    const turn = new AbortController();
    const end = (): void => turn.abort();
    let timer = setTimeout(() => {
      if (isElsewhere()) timer = setTimeout(end, LONGEST_MS - OFFERED_MS);
      else end();
    }, OFFERED_MS);
    ended.addEventListener("abort", end);
    try {
      return await ask(turn.signal);
    } catch (error) {
      if (turn.signal.aborted) continue;
      // The button tells what is wrong.
      if (!mayWorkLater(error)) return null;
      await new Promise((over) => turn.signal.addEventListener("abort", over));
    } finally {
      clearTimeout(timer);
      ended.removeEventListener("abort", end);
    }
  }
}

/** Whether the same may work later: the guard or the web restarts, or too many ask. A refused passkey stays refused. */
export function mayWorkLater(error: unknown): boolean {
  return error instanceof Refused && (error.status === 0 || error.status === 429 || error.status >= 500);
}

const BROWSER: OfferParts = {
  isOffered: async () =>
    whyNoPasskeys() === null &&
    "isConditionalMediationAvailable" in PublicKeyCredential &&
    (await PublicKeyCredential.isConditionalMediationAvailable()),
  ask: (signal) => usePasskey({ mediation: "conditional", signal }),
  looked: () =>
    new Promise((resolve) => {
      const look = (): void => {
        if (document.visibilityState !== "visible") return;
        document.removeEventListener("visibilitychange", look);
        resolve();
      };
      document.addEventListener("visibilitychange", look);
      look();
    }),
  isElsewhere: () => document.hidden || !document.hasFocus(),
};
