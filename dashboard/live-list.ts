import { signal } from "@preact/signals";
import type { PAGE } from "../src/admin/declare/paging.ts";
import type { Complaint } from "./api.ts";
import { attempt } from "./attempt.ts";

/** `next`: where the next page starts; null if this is the last. */
export type Answer<T> = Readonly<{ items: readonly T[]; next: string | null }>;

type Parts<T, A extends Answer<T>> = Readonly<{
  read: () => Promise<A>;
  keyOf: (item: T) => string;
  /** News after which the list is read again (live.ts). It follows the news before it is read for the first time. */
  follows: readonly ((reader: () => void) => () => void)[];
}>;

/** Maximum rows of an answer. */
export const MOST_ROWS: (typeof PAGE)["most"] = 500;
/** How long after news the list is read, so that a flood of news reads it only once in this time. */
const SETTLE_MS = 1_000;

export type LiveList<T, A extends Answer<T>> = Awaited<ReturnType<typeof openList<T, A>>>;

/** Reads a page of a list, and again after news until `over`: only the server knows which rows belong to it. Throws as `read` does. */
export async function openList<T, A extends Answer<T>>({ read, keyOf, follows }: Parts<T, A>, over: AbortSignal) {
  const rows = new HeldRows(keyOf);
  /** Null before the first answer. */
  const latest = signal<A | null>(null);
  /** Why the list could not be read again: the shown one may be out of date. */
  const error = signal<Complaint | null>(null);
  let isReading = false;
  let settling: ReturnType<typeof setTimeout> | undefined;

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
    settling ??= setTimeout(() => {
      settling = undefined;
      // Two answers could arrive in the wrong order.
      if (isReading) return refresh();
      attempt(renew, (why) => (error.value = why));
    }, SETTLE_MS);
  };
  const leaves = follows.map((on) => on(refresh));
  const end = (): void => {
    clearTimeout(settling);
    for (const leave of leaves) leave();
  };
  over.addEventListener("abort", end, { once: true });
  await renew().catch((reason: unknown) => {
    end();
    throw reason;
  });
  return { rows, latest, error, refresh };
}

type Holder = "pointer" | "focus" | "touch" | "reader";

/**
 * The rows of a live list. Nothing moves under the pointer or the focus: while someone holds the list, new rows wait, and
 * rows that have ended stay in their place, marked.
 */
export class HeldRows<T> {
  readonly shown = signal<readonly T[]>([]);
  /** Where the page after the shown rows starts; null if there is none. */
  readonly next = signal<string | null>(null);
  /** How many new rows wait, such as `3`, or `50+` if there may be more. */
  readonly waiting = signal("0");
  /** Keys of rows that are over but still shown. */
  readonly ended = signal<ReadonlySet<string>>(new Set());
  readonly keyOf: (item: T) => string;
  readonly #holds = new Set<Holder>();
  #latest: Answer<T> = { items: [], next: null };

  constructor(keyOf: (item: T) => string) {
    this.keyOf = keyOf;
  }

  /** Takes the latest answer, newest first. */
  renew({ items, next }: Answer<T>): void {
    this.#latest = { items, next };
    const present = new Map(items.map((item) => [this.keyOf(item), item]));
    this.shown.value = this.shown.value.map((item) => present.get(this.keyOf(item)) ?? item);
    const [shown, listed] = [this.shown.value.map(this.keyOf), items.map(this.keyOf)];
    // Above the last row that is both shown and listed, a row that is only shown is over, and one that is only listed is new. Below it, a
    // row that is only shown may be on a later page, and one that is only listed came from there.
    const lastKnown = listed.findLastIndex((key) => shown.includes(key));
    const lastListed = next === null ? shown.length : shown.indexOf(listed[lastKnown] ?? "");
    const isOver = (key: string, place: number): boolean => place < lastListed || this.ended.value.has(key);
    this.ended.value = new Set(shown.filter((key, place) => !listed.includes(key) && isOver(key, place)));
    const above = lastKnown === -1 ? listed : listed.slice(0, lastKnown);
    const fresh = above.filter((key) => !shown.includes(key)).length;
    const isMore = lastKnown === -1 && fresh > 0 && next !== null;
    this.waiting.value = isMore ? `${fresh}+` : String(fresh);
    this.#takeIfFree();
  }

  /** Marks a row that the reader has ended, before the list is read again. */
  end(key: string): void {
    this.ended.value = new Set([...this.ended.value, key]);
    this.#takeIfFree();
  }

  hold(holder: Holder, isHeld: boolean): void {
    if (isHeld) this.#holds.add(holder);
    else if (this.#holds.delete(holder)) this.#takeIfFree();
  }

  take(): void {
    const { items, next } = this.#latest;
    const over = this.ended.value;
    this.#latest = { items: items.filter((item) => !over.has(this.keyOf(item))), next };
    this.shown.value = this.#latest.items;
    this.next.value = next;
    this.ended.value = new Set();
    this.waiting.value = "0";
  }

  #takeIfFree(): void {
    if (this.#holds.size === 0) this.take();
  }
}
