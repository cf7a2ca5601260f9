import { type Assertion, usePasskey, whyNoPasskeys } from "./passkey.ts";

/** Less than the two minutes of a challenge, so that one that a reader chooses at the end of it is still taken. */
export const OFFERED_MS = 90_000;

/** The browser's part. */
export type OfferParts = Readonly<{
  isOffered: () => Promise<boolean>;
  /** Until the reader chooses one, or `signal` ends it. */
  ask: (signal: AbortSignal) => Promise<Assertion>;
  /** Until the page is looked at. */
  looked: () => Promise<void>;
}>;

/**
 * The browser offers a passkey where it fills in the name and the password (WebAuthn Level 3, 5.1.4: conditional mediation).
 * Returns what ends the offer: the page must call it before it asks for a passkey in another way. While somebody looks at the
 * page it asks for a challenge each 90 seconds, which uses up no sign-in; in the background it asks for none.
 */
export function offerPasskey(chosen: (assertion: Assertion) => void, parts: OfferParts = BROWSER): () => void {
  const ended = new AbortController();
  void offered(parts, ended.signal).then(
    (assertion) => assertion !== null && !ended.signal.aborted && chosen(assertion),
  );
  return () => ended.abort();
}

/** Null: none was chosen, or there is no such offer here. */
async function offered({ isOffered, ask, looked }: OfferParts, ended: AbortSignal): Promise<Assertion | null> {
  if (!(await isOffered())) return null;
  for (;;) {
    await looked();
    if (ended.aborted) return null;
    const turn = new AbortController();
    const end = (): void => turn.abort();
    const timer = setTimeout(end, OFFERED_MS);
    ended.addEventListener("abort", end);
    try {
      return await ask(turn.signal);
    } catch {
      // The button tells what is wrong.
      if (!turn.signal.aborted) return null;
    } finally {
      clearTimeout(timer);
      ended.removeEventListener("abort", end);
    }
  }
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
};
