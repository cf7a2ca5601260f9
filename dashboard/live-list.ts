import { type Signal, signal } from "@preact/signals";
import { type Complaint, complaintOf } from "./complaint.ts";
import { HeldRows } from "./held-rows.ts";

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

/** Where much is asked for again at once, the server is asked once in this time. */
const SETTLE_MS = 1_000;

/** A page of a list that does not change on the server. News that arrive while it is read are applied after the answer. */
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

  /** Reads the list, and follows it until `over`. `nothing`: an answer before the first. Throws what `read` throws. */
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

  /** As the whole was read last. */
  get latest(): A {
    return this.#latest.value;
  }

  /** Applies the stream's news, in the order of the server's answers and its news. */
  inOrder(deed: () => void): void {
    if (this.#isReading) this.#later.push(deed);
    else deed();
  }

  /** What is shown may lack something: the list is read as a whole. */
  readAgain(): void {
    if (this.#isReading) this.#isAskedAgain = true;
    else this.#askAgain((answer) => this.#renew(answer));
  }

  /** There are new rows, which the server must choose. */
  readNewest(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      if (this.#isReading) return this.readAgain();
      this.#askAgain((answer) => {
        // Without a row that is known, there may be others between.
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
