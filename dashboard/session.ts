import { effect, signal } from "@preact/signals";
import type { CallerItem } from "../src/admin/declare/items.ts";
import { type Failure, failureOf, RequestError, request } from "./api.ts";
import { notify, signedIn } from "./attempt.ts";

/** Who uses this page: an administrator, or the user of a mailbox. */
export type Reader = Pick<CallerItem, "name" | "role" | "scopes" | "account">;

/** Null if not known yet, or signed out. */
export const reader = signal<Reader | null>(null);

const RETRY_MS = 3_000;

/** Why it is not known yet whether the reader is signed in; null while nothing is wrong. */
export const sessionFailure = signal<Failure | null>(null);

/** A server that cannot answer now may know the session later, so only a clear no asks for the password. */
export async function findSession(): Promise<void> {
  try {
    reader.value = await request("GET /session");
    signedIn.value = "yes";
    sessionFailure.value = null;
  } catch (error) {
    const isNo = error instanceof RequestError && error.status === 401;
    if (isNo) signedIn.value = "no";
    else setTimeout(() => void findSession(), RETRY_MS);
    sessionFailure.value = isNo ? null : failureOf(error);
  }
}

/** The browser's other tabs use the same session. Calls `reload` when one of them shows another reader, or none. */
export function followTabs(tabs: EventTarget & Pick<BroadcastChannel, "postMessage">, reload: () => void): void {
  const shown = (): string => reader.value?.name ?? "";
  effect(() => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- only a window has one
    if (signedIn.value !== "unknown") tabs.postMessage(shown());
  });
  tabs.addEventListener("message", (event) => {
    if (event instanceof MessageEvent && signedIn.peek() !== "unknown" && event.data !== shown()) reload();
  });
}

/** The proof that requests wait for. `ProofDialog` (proof.tsx) asks for it, and one answer serves all of them. */
export const pendingProof = signal<Proof | null>(null);
export type Proof = ReturnType<typeof newProof>;

/** `isOver`: the session has ended, and a sign-in is needed. `Promise.withResolvers` is missing in Firefox 115 and Safari before 17.4. */
function newProof(isOver: boolean) {
  let resolve = (): void => {};
  let reject = (_why: Error): void => {};
  const promise = new Promise<void>((...both) => ([resolve, reject] = both));
  return { isOver, promise, resolve, reject };
}

/**
 * Makes the request again once the reader has given the password, if the server wants that or the session has ended. Typed input is
 * therefore not lost. Throws `Cancelled` if the reader cancels, and what `request` throws.
 */
export async function withProof<T>(request: () => Promise<T>): Promise<T> {
  let isOver = false;
  try {
    return await request();
  } catch (error) {
    const code = error instanceof RequestError ? error.code : "";
    isOver = code === "unauthorized" && reader.peek() !== null;
    if (!isOver && code !== "proof_needed") throw error;
  }
  const asked = pendingProof.peek() ?? newProof(isOver);
  pendingProof.value = asked;
  await asked.promise.finally(() => {
    if (pendingProof.peek() === asked) pendingProof.value = null;
  });
  return request();
}

/**
 * Makes a change as `withProof` does, and shows the message. Calls `changed` even after a refusal, because part of the change may have been
 * made: for example, a new password is set although the open sessions could not be ended.
 */
export async function change<T>(
  request: () => Promise<T>,
  changed: () => void,
  message: string | ((answer: T) => string),
): Promise<void> {
  const answer = await withProof(request).finally(changed);
  notify(typeof message === "string" ? message : message(answer));
}
