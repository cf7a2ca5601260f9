import { setImmediate as nextTurn } from "node:timers/promises";
import { API_LIMITS } from "../limits.ts";
import { type ApiParts, StoreDown } from "../ports.ts";

/** What one reader gets. Nothing is queued: text is read when the reader can take it, and news only wake up that read. */
export type Feed = Readonly<{
  subscribe: (wake: () => void) => () => void;
  /** The next text; empty if nothing is new. */
  read: (now: number) => string;
  /** How long to wait for news if nothing was new. */
  restMs: (now: number) => number;
}>;

export type Watched = Readonly<{
  /** False once the caller's session or token has ended. */
  stillAllowed: () => boolean;
  /** Ends the connection, even with unread output. */
  drop: () => void;
}>;

export type LiveStream = Readonly<{ body: ReadableStream<Uint8Array>; end: () => void }>;

/**
 * The body of server-sent events (HTML Living Standard, 9.2). Produces no more than the reader takes, and disconnects a reader that
 * takes nothing for a while. If the database fails, the stream ends and the reader reconnects.
 */
export function openStream(
  { report }: Pick<ApiParts, "report">,
  feed: Feed,
  { stillAllowed, drop }: Watched,
  onEnd: () => void,
): LiveStream {
  const encoder = new TextEncoder();
  const over = new AbortController();
  let stall: NodeJS.Timeout | undefined;
  let wake = (): void => undefined;
  const unsubscribe = feed.subscribe(() => wake());
  const end = (): void => {
    if (over.signal.aborted) return;
    over.abort();
    clearTimeout(stall);
    unsubscribe();
    onEnd();
    wake();
  };
  const rest = async (ms: number): Promise<void> => {
    if (ms === 0) return nextTurn();
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    const timer = setTimeout(resolve, Math.max(ms, 0));
    await promise;
    clearTimeout(timer);
  };
  const next = async (): Promise<string | null> => {
    try {
      while (!over.signal.aborted && stillAllowed()) {
        const now = performance.now();
        const text = feed.read(now);
        if (text !== "") return text;
        await rest(feed.restMs(now));
      }
    } catch (error) {
      if (!(error instanceof StoreDown)) report(error);
    }
    end();
    return null;
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(encoder.encode("retry: 3000\n\n")),
      pull: async (controller) => {
        clearTimeout(stall);
        const text = await next();
        if (text === null) return controller.close();
        controller.enqueue(encoder.encode(text));
        stall = setTimeout(() => {
          end();
          drop();
        }, API_LIMITS.streamStallMs);
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
  return { body, end };
}
