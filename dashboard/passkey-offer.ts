import { Refused } from "./api.ts";
import { type Assertion, usePasskey, whyNoPasskeys } from "./passkey.ts";

/** A turn of the offer: less than the two minutes of a challenge, so that a reader who chooses late has time to verify. */
export const OFFERED_MS = 90_000;
/** And for this long while the reader verifies: an answer that comes then is still in time. */
export const LONGEST_MS = 115_000;

/** The browser's part. */
export type OfferParts = Readonly<{
  isOffered: () => Promise<boolean>;
  /** Until the reader chooses one, or `signal` ends it. */
  ask: (signal: AbortSignal) => Promise<Assertion>;
  /** Until the page is looked at. */
  looked: () => Promise<void>;
  /** Whether another window has the reader. It may be the one in which the browser or the system verifies them. */
  isElsewhere: () => boolean;
}>;

/**
 * The browser offers a passkey where it fills in the name and the password (WebAuthn Level 3, 5.1.4: conditional mediation).
 * Returns what ends the offer: the page must call it before it asks for a passkey in another way. While somebody looks at the
 * page it asks for a challenge each turn, which uses up no sign-in; in the background it asks for none.
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
