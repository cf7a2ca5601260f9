import { signal } from "@preact/signals";
import { Refused } from "./api.ts";
import { GivenUp } from "./attempt.ts";

/** The proof that requests wait for. One answer is for all of them. */
type ProofAsked = Readonly<{ given: () => void; giveUp: () => void; over: Promise<void> }>;

/** Null: no request waits for a proof. */
export const proofAsked = signal<ProofAsked | null>(null);

/**
 * What `request` answers. Where the server wants the password again (`proof_needed`), the page asks for it, and the request
 * is made once more. Throws `GivenUp` if the reader does not give it, and whatever `request` throws.
 */
export async function withProof<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "proof_needed") throw error;
  }
  await (proofAsked.peek() ?? askForProof()).over;
  return request();
}

function askForProof(): ProofAsked {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const end = (): void => {
    if (proofAsked.peek() === asked) proofAsked.value = null;
  };
  const given = (): void => {
    end();
    resolve();
  };
  const giveUp = (): void => {
    end();
    reject(new GivenUp());
  };
  const asked: ProofAsked = { given, giveUp, over: promise };
  proofAsked.value = asked;
  return asked;
}
