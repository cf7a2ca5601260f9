import { type Signal, signal } from "@preact/signals";
import { type Complaint, complaintOf } from "./api.ts";

/** `next`: where the next page starts; null: this is the last. */
export type Answer<T> = Readonly<{ items: readonly T[]; next: string | null }>;

type Parts<T, A extends Answer<T>> = Readonly<{
  read: () => Promise<A>;
  keyOf: (item: T) => string;
  /** More rows than this are never shown. */
  most: number;
  /** Starts before the list is read. Returns a function that ends it. */
  follow: (list: LiveList<T, A>) => () => void;
}>;

/** Time from news until the newest rows are read: a flood of news reads them once in this time. */
const SETTLE_MS = 1_000;

/** A page of a list, kept up to date by the stream. News that arrive while it is read are applied after the answer. */
export class LiveList<T, A extends Answer<T>> {
  readonly rows: HeldRows<T>;
  /** Why the list could not be read again; the shown one may be out of date. */
  readonly error = signal<Complaint | null>(null);
  readonly #read: () => Promise<A>;
  readonly #latest: Signal<A>;
  readonly #leave: () => void;
  readonly #later: (() => void)[] = [];
  #isReading = false;
  #isAskedAgain = false;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  private constructor({ read, keyOf, most, follow }: Parts<T, A>, nothing: A) {
    this.#read = read;
    this.rows = new HeldRows<T>([], keyOf, most);
    this.#latest = signal(nothing);
    this.#leave = follow(this);
  }

  /** Reads the list, and follows it until `over`. `nothing`: what `latest` is before the first answer. Throws what `read` throws. */
  static async open<T, A extends Answer<T>>(
    parts: Parts<T, A>,
    nothing: A,
    over: AbortSignal,
  ): Promise<LiveList<T, A>> {
    const list = new LiveList(parts, nothing);
    over.addEventListener("abort", () => list.#end(), { once: true });
    await list.#ask((answer) => list.#renew(answer));
    return list;
  }

  get latest(): A {
    return this.#latest.value;
  }

  /** Applies news from the stream: at once, or after the answer if the list is being read. */
  inOrder(deed: () => void): void {
    if (this.#isReading) this.#later.push(deed);
    else deed();
  }

  /** Reads the whole list again, because rows may be missing. */
  readAgain(): void {
    if (this.#isReading) this.#isAskedAgain = true;
    else this.#askAgain((answer) => this.#renew(answer));
  }

  /** Reads the newest rows, because there are new ones and only the server knows which match. */
  readNewest(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      if (this.#isReading) return this.readAgain();
      this.#askAgain((answer) => {
        // If none of the rows is known, there may be more between these and the known ones.
        if (this.rows.knows(answer.items)) this.rows.add(answer.items);
        else this.#renew(answer);
      });
    }, SETTLE_MS);
  }

  #renew(answer: A): void {
    this.rows.renew(answer.items, answer.next === null);
    this.#latest.value = answer;
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#settling);
    this.#leave();
  }

  #askAgain(take: (answer: A) => void): void {
    if (this.#isOver) return;
    this.#ask(take).catch((error: unknown) => {
      this.error.value = complaintOf(error);
    });
  }

  async #ask(take: (answer: A) => void): Promise<void> {
    this.#isReading = true;
    try {
      const answer = await this.#read();
      take(answer);
      this.error.value = null;
    } finally {
      this.#isReading = false;
      for (const deed of this.#later.splice(0)) deed();
    }
    if (!this.#isAskedAgain) return;
    this.#isAskedAgain = false;
    this.readAgain();
  }
}

/** Who holds a list. */
type Holder = "pointer" | "focus" | "touch" | "reader";

/**
 * The rows of a live list. Nothing moves under the pointer or the focus: while someone holds the list, new rows wait, and
 * rows that have ended stay in their place, marked.
 */
export class HeldRows<T> {
  readonly shown: Signal<readonly T[]>;
  readonly waiting = signal(0);
  /** Keys of rows that are over but still shown. */
  readonly ended = signal<ReadonlySet<string>>(new Set());
  /** Rows fell off the end, so the next page starts after the last row that is shown, not where the reading ended. */
  readonly isCut = signal(false);
  readonly keyOf: (item: T) => string;
  readonly #most: number;
  readonly #holds = new Set<Holder>();
  #fresh: readonly T[] = [];
  /** The list from the last reading: it replaces the shown one. */
  #base: readonly T[] | null = null;
  #isFreshCut = false;

  constructor(items: readonly T[], keyOf: (item: T) => string, most: number) {
    this.keyOf = keyOf;
    this.#most = most;
    this.shown = signal(items.slice(0, most));
  }

  /** New rows, newest first. A row that is shown already is updated in its place, and is not over any more. */
  add(items: readonly T[]): void {
    this.#update(items);
    const known = this.#keysOf([...this.#fresh, ...(this.#base ?? this.shown.value)]);
    const fresh = items.filter((item) => !known.has(this.keyOf(item)));
    if (fresh.length === 0) return;
    const all = [...fresh, ...this.#fresh];
    if (all.length > this.#most) this.#isFreshCut = true;
    this.#fresh = all.slice(0, this.#most);
    this.waiting.value += fresh.length;
    this.#takeIfFree();
  }

  end(keys: ReadonlySet<string>): void {
    const stands = (item: T): boolean => !keys.has(this.keyOf(item));
    const left = this.#fresh.filter(stands);
    this.waiting.value = Math.max(0, this.waiting.value - (this.#fresh.length - left.length));
    this.#fresh = left;
    this.#base = this.#base?.filter(stands) ?? null;
    this.#mark(this.shown.value.filter((item) => !stands(item)));
    this.#takeIfFree();
  }

  /** The list from the last reading, newest first. `isAll`: it has all rows. */
  renew(items: readonly T[], isAll: boolean): void {
    this.#update(items);
    const [shown, keys] = [this.shown.value, this.#keysOf(items)];
    const isKept = (item: T): boolean => keys.has(this.keyOf(item));
    // What stood above a row that is still listed has ended; what stood below may be on a later page.
    const lastKept = isAll ? shown.length : shown.findLastIndex(isKept);
    this.#mark(shown.filter((item, place) => place < lastKept && !isKept(item)));
    const before = this.#keysOf(shown);
    this.#base = items.slice(0, this.#most);
    this.#fresh = [];
    this.#isFreshCut = false;
    this.waiting.value = items.filter((item) => !before.has(this.keyOf(item))).length;
    this.#takeIfFree();
  }

  knows(items: readonly T[]): boolean {
    const known = this.#keysOf([...this.#fresh, ...(this.#base ?? this.shown.value)]);
    return items.some((item) => known.has(this.keyOf(item)));
  }

  hold(holder: Holder, isHeld: boolean): void {
    if (isHeld) this.#holds.add(holder);
    else if (this.#holds.delete(holder)) this.#takeIfFree();
  }

  take(): void {
    if (this.#fresh.length === 0 && this.#base === null && this.ended.value.size === 0) return;
    const over = this.ended.value;
    const below = this.#base ?? this.shown.value;
    const rows = [...this.#fresh, ...below.filter((item) => !over.has(this.keyOf(item)))];
    this.isCut.value = rows.length > this.#most || this.#isFreshCut || (this.#base === null && this.isCut.value);
    this.shown.value = rows.slice(0, this.#most);
    this.#fresh = [];
    this.#isFreshCut = false;
    this.#base = null;
    this.ended.value = new Set();
    this.waiting.value = 0;
  }

  #takeIfFree(): void {
    if (this.#holds.size === 0) this.take();
  }

  #keysOf(items: readonly T[]): ReadonlySet<string> {
    return new Set(items.map(this.keyOf));
  }

  /** Only shown rows are marked: otherwise the rest of a flood would be kept forever. */
  #mark(over: readonly T[]): void {
    if (over.length > 0) this.ended.value = new Set([...this.ended.value, ...this.#keysOf(over)]);
  }

  #update(items: readonly T[]): void {
    const newer = new Map(items.map((item) => [this.keyOf(item), item]));
    const latest = (item: T): T => newer.get(this.keyOf(item)) ?? item;
    this.#fresh = this.#fresh.map(latest);
    this.#base = this.#base?.map(latest) ?? null;
    if (!this.shown.value.some((item) => newer.has(this.keyOf(item)))) return;
    this.shown.value = this.shown.value.map(latest);
    this.ended.value = new Set([...this.ended.value].filter((key) => !newer.has(key)));
  }
}
