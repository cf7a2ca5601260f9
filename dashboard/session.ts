import { signal } from "@preact/signals";
import type { CallerItem } from "../src/wire/control/access-items.ts";
import { get, Refused } from "./api.ts";
import { signedIn } from "./attempt.ts";
import { type Complaint, complaintOf } from "./complaint.ts";

/** Who the reader is, and what they may do. */
export type Reader = Pick<CallerItem, "name" | "role" | "scopes" | "account">;

/** Null: not known yet, or signed out. */
export const reader = signal<Reader | null>(null);

/** Whether the page offers actions that need this scope. The server decides on its own. */
export function may(scope: Reader["scopes"][number]): boolean {
  return reader.value?.scopes.includes(scope) ?? false;
}

const RETRY_MS = 3_000;

/** Why it is not known yet whether the reader is signed in; null while nothing is wrong. */
export const trouble = signal<Complaint | null>(null);

/** A server that cannot answer now may know the session once it can: only a clear no asks for the password. */
export async function findSession(): Promise<void> {
  try {
    reader.value = await get<Reader>("session");
    signedIn.value = "yes";
    trouble.value = null;
  } catch (error) {
    const isNo = error instanceof Refused && error.status === 401;
    if (isNo) signedIn.value = "no";
    else setTimeout(() => void findSession(), RETRY_MS);
    trouble.value = isNo ? null : complaintOf(error);
  }
}
