import { type Caller, identityOf } from "../access.ts";
import type { HealthReader } from "../health.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts } from "../ports.ts";
import { problem } from "../problem.ts";
import { createEventFeed, type EventsAsked } from "./event-stream.ts";
import { type Feed, type LiveStream, openStream, type Watched } from "./live-stream.ts";
import { createPageNews } from "./page-news.ts";
import { createPageFeed } from "./page-stream.ts";

export const STREAM_TYPE = "text/event-stream";

type Reader = Watched & Readonly<{ caller: Caller | null }>;

/** The open streams, at most `API_LIMITS.streams`, and of each reader at most its share. */
export function createStreams(parts: ApiParts, health: HealthReader) {
  const news = createPageNews(parts, health);
  const open = new Map<LiveStream, string>();

  function start(call: Reader, feed: () => Feed): Response {
    const reader = identityOf(call.caller);
    const own = open.values().reduce((count, one) => (one === reader ? count + 1 : count), 0);
    if (own >= API_LIMITS.streamsOfOne)
      return problem("too_many_streams", "This session or token has too many live streams open.");
    if (open.size >= API_LIMITS.streams) return problem("too_many_streams", "Too many live streams are open.");
    const stream = openStream(parts, feed(), call, () => open.delete(stream));
    open.set(stream, reader);
    return new Response(stream.body, { headers: { "content-type": STREAM_TYPE, "x-accel-buffering": "no" } });
  }

  return {
    /** Throws `StoreDown`. */
    events: (call: Reader, asked: EventsAsked) => start(call, () => createEventFeed(parts, asked)),
    page: (call: Reader, after: number | null) => start(call, () => createPageFeed(parts, news, after)),
    closeAll: () => {
      for (const stream of open.keys()) stream.end(); // a map may shrink while it is walked
    },
  };
}

/** Where to resume: from the header that browsers send, else from the query. Null if neither is there. */
export function resumeFrom(headers: Headers, after: number | undefined): number | null {
  const header = headers.get("last-event-id");
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : (after ?? null);
}
