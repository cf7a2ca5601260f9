import { API_LIMITS } from "../limits.ts";

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
