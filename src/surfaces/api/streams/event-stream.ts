import { setImmediate as nextTurn } from "node:timers/promises";
import type { EventItem } from "../../../admin/declare/items.ts";
import type { Prefix } from "../../../core/net/ip.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts } from "../ports.ts";

export type StreamAsked = Readonly<{
  /** Send what follows this id; null: only new events. */
  after: number | null;
  prefix?: Prefix | undefined;
  type?: string | undefined;
  /** False once the caller's session or token has ended. */
  stillAllowed: () => boolean;
  /** Ends the connection, even with unread output. */
  drop: () => void;
}>;

/**
 * One reader of events only, such as a script (the dashboard reads a `PageStream`). Each has its id, so it resumes with
 * Last-Event-ID. Nothing is queued: the reader's demand reads the next rows from the database, and news only wake it.
 */
export class EventStream {
  readonly #parts: ApiParts;
  readonly #asked: StreamAsked;
  readonly #onEnd: () => void;
  readonly #unsubscribe: () => void;
  #lastId: number;
  #fresh = true;
  #ended = false;
  #wake = (): void => {};

  constructor(parts: ApiParts, asked: StreamAsked, onEnd: () => void) {
    this.#parts = parts;
    this.#asked = asked;
    this.#onEnd = onEnd;
    this.#lastId = asked.after ?? newestId(parts);
    this.#unsubscribe = parts.news.subscribe(() => {
      this.#fresh = true;
      this.#wake();
    });
  }

  body(): ReadableStream<Uint8Array> {
    return streamBody({ next: () => this.#next(), end: () => this.end(), drop: this.#asked.drop });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unsubscribe();
    this.#onEnd();
    this.#wake();
  }

  /**
   * The next rows, or a keep-alive; null at the end. If the database fails, the stream ends and the reader reconnects.
   */
  async #next(): Promise<string | null> {
    let isQuiet = false;
    const beat = setTimeout(() => {
      isQuiet = true;
      this.#wake();
    }, API_LIMITS.streamBeatMs);
    try {
      while (!this.#ended && this.#asked.stillAllowed()) {
        const rows = this.#rows();
        if (rows.length > 0) return rows.map(frame).join("");
        if (isQuiet) return ": alive\n\n";
        // A search that has read a part yields to others.
        await (this.#fresh ? nextTurn() : new Promise<void>((resolve) => (this.#wake = resolve)));
      }
    } catch {
      // the end below
    } finally {
      clearTimeout(beat);
    }
    this.end();
    return null;
  }

  #rows(): readonly EventItem[] {
    this.#fresh = false;
    const newest = newestId(this.#parts);
    const { prefix, type } = this.#asked;
    const { items, next } = this.#parts.queries().events({
      after: this.#lastId,
      ...(prefix !== undefined && { prefix }),
      ...(type !== undefined && { types: [type] }),
      most: API_LIMITS.streamRows,
      order: "oldest_first",
    });
    // It may have searched a part of them without a match.
    if (next !== null) this.#fresh = true;
    this.#lastId = next ?? Math.max(this.#lastId, items.at(-1)?.id ?? 0, newest);
    return items;
  }
}

export function newestId({ queries }: Pick<ApiParts, "queries">): number {
  return queries().events({ most: 1, order: "newest_first" }).items[0]?.id ?? 0;
}

function frame(item: EventItem): string {
  return `id: ${item.id}\ndata: ${JSON.stringify(item)}\n\n`; // JSON has no line break
}

/** The body of server-sent events (HTML Living Standard, 9.2). */
export type Source = Readonly<{
  /** Waits for the next text; null: the stream is over. */
  next: () => Promise<string | null>;
  end: () => void;
  /** Ends the connection, even with unread output. */
  drop: () => void;
}>;

/** Produces no more than the reader takes. A reader that takes nothing for a while is disconnected. */
export function streamBody({ next, end, drop }: Source): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stall: NodeJS.Timeout | undefined;
  const over = (): void => {
    clearTimeout(stall);
    end();
  };
  const start = (controller: ReadableStreamDefaultController<Uint8Array>): void =>
    controller.enqueue(encoder.encode("retry: 3000\n\n"));
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    clearTimeout(stall);
    const text = await next();
    if (text === null) return controller.close();
    controller.enqueue(encoder.encode(text));
    stall = setTimeout(() => {
      over();
      drop();
    }, API_LIMITS.streamStallMs);
  };
  return new ReadableStream({ start, pull, cancel: over }, { highWaterMark: 0 });
}
