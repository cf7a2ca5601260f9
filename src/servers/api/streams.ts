import { API_LIMITS } from "./limits.ts";
import { LiveStream, type Wanted } from "./live-stream.ts";
import type { ApiParts } from "./ports.ts";
import { problem } from "./problem.ts";

export const STREAM_TYPE = "text/event-stream";

/** The open live streams, at most `API_LIMITS.streams`. */
export class Streams {
  readonly #parts: ApiParts;
  readonly #open = new Set<LiveStream>();

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Throws `StoreDown`. */
  start(wanted: Wanted): Response {
    if (this.#open.size >= API_LIMITS.streams)
      return problem({ status: 503, code: "too_many_streams", detail: "Too many live streams are open." });
    const stream = new LiveStream(this.#parts, wanted, () => this.#open.delete(stream));
    this.#open.add(stream);
    return new Response(stream.body(), { headers: { "content-type": STREAM_TYPE, "x-accel-buffering": "no" } });
  }

  closeAll(): void {
    for (const stream of this.#open) stream.end(); // a set may shrink while it is walked
  }
}

/** Where to resume: from the header that browsers send, else from the query. Null if neither is there. */
export function resumeFrom(headers: Headers, after: number | undefined): number | null {
  const header = headers.get("last-event-id");
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : (after ?? null);
}
