import { signal } from "@preact/signals";
import type { PAGE } from "../src/admin/declare/paging.ts";
import type { Failure } from "./api.ts";
import { attempt } from "./attempt.ts";

/** `next`: where the next page starts; null if this is the last. */
export type ListPage<T> = Readonly<{ items: readonly T[]; next: string | null }>;

type ListOptions<T, A extends ListPage<T>> = Readonly<{
  read: () => Promise<A>;
  keyOf: (item: T) => string;
  /** News after which the list is read again (live.ts). It follows the news before it is read for the first time. */
  follows: readonly ((listener: () => void) => () => void)[];
}>;

/** Maximum rows of an answer. */
export const MOST_ROWS: (typeof PAGE)["most"] = 500;
/** How long after news the list is read, so that a flood of news reads it only once in this time. */
const REFRESH_DELAY_MS = 1_000;

export type LiveList<T, A extends ListPage<T>> = Awaited<ReturnType<typeof openList<T, A>>>;

/** Reads a page of a list, and again after news until it is aborted: only the server knows which rows belong to it. Throws as `read` does. */
export async function openList<T, A extends ListPage<T>>(
  { read, keyOf, follows }: ListOptions<T, A>,
  abort: AbortSignal,
) {
  const rows = heldRows(keyOf);
  /** Null before the first answer. */
  const latest = signal<A | null>(null);
  /** Why the list could not be read again: the shown one may be out of date. */
  const error = signal<Failure | null>(null);
  let isReading = false;
  let refreshTimer: ReturnType<typeof setTimeout> | undefined;

  const renew = async (): Promise<void> => {
    isReading = true;
    try {
      const answer = await read();
      rows.renew(answer);
      latest.value = answer;
      error.value = null;
    } finally {
      isReading = false;
    }
  };
  const refresh = (): void => {
    refreshTimer ??= setTimeout(() => {
      refreshTimer = undefined;
      // Two answers could arrive in the wrong order.
      if (isReading) return refresh();
      attempt(renew, (why) => (error.value = why));
    }, REFRESH_DELAY_MS);
  };
  const unsubscribes = follows.map((on) => on(refresh));
  const end = (): void => {
    clearTimeout(refreshTimer);
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
  abort.addEventListener("abort", end, { once: true });
  await renew().catch((reason: unknown) => {
    end();
    throw reason;
  });
  return { rows, latest, error, refresh };
}

type Holder = "pointer" | "focus" | "touch" | "reader";

export type HeldRows<T> = ReturnType<typeof heldRows<T>>;

/**
 * The rows of a live list. Nothing moves under the pointer or the focus: while someone holds the list, new rows wait, and
 * rows that have ended stay in their place, marked.
 */
export function heldRows<T>(keyOf: (item: T) => string) {
  const shown = signal<readonly T[]>([]);
  /** Where the page after the shown rows starts; null if there is none. */
  const next = signal<string | null>(null);
  /** How many new rows wait, such as `3`, or `50+` if there may be more. */
  const waiting = signal("0");
  /** Keys of rows that are over but still shown. */
  const ended = signal<ReadonlySet<string>>(new Set());
  const holders = new Set<Holder>();
  let latest: ListPage<T> = { items: [], next: null };

  const showLatest = (): void => {
    const items = latest.items.filter((item) => !ended.value.has(keyOf(item)));
    latest = { ...latest, items };
    shown.value = items;
    next.value = latest.next;
    ended.value = new Set();
    waiting.value = "0";
  };
  const showLatestIfFree = (): void => {
    if (holders.size === 0) showLatest();
  };
  /** Takes the latest answer, newest first. */
  const renew = (answer: ListPage<T>): void => {
    latest = answer;
    const present = new Map(answer.items.map((item) => [keyOf(item), item]));
    shown.value = shown.value.map((item) => present.get(keyOf(item)) ?? item);
    const [before, listed] = [shown.value.map(keyOf), answer.items.map(keyOf)];
    // Above the last row that is both shown and listed, a row that is only shown is over, and one that is only listed is new. Below it, a
    // row that is only shown may be on a later page, and one that is only listed came from there.
    const lastKnown = listed.findLastIndex((key) => before.includes(key));
    const lastListed = answer.next === null ? before.length : before.indexOf(listed[lastKnown] ?? "");
    const isOver = (key: string, index: number): boolean => index < lastListed || ended.value.has(key);
    ended.value = new Set(before.filter((key, index) => !listed.includes(key) && isOver(key, index)));
    const above = lastKnown === -1 ? listed : listed.slice(0, lastKnown);
    const fresh = above.filter((key) => !before.includes(key)).length;
    const isMore = lastKnown === -1 && fresh > 0 && answer.next !== null;
    waiting.value = isMore ? `${fresh}+` : String(fresh);
    showLatestIfFree();
  };
  /** Marks a row that the reader has ended, before the list is read again. */
  const end = (key: string): void => {
    ended.value = new Set([...ended.value, key]);
    showLatestIfFree();
  };
  const hold = (holder: Holder, isHeld: boolean): void => {
    if (isHeld) holders.add(holder);
    else if (holders.delete(holder)) showLatestIfFree();
  };
  return { shown, next, waiting, ended, keyOf, renew, end, hold, showLatest };
}
