import type { Prefix } from "../../../core/net/ip.ts";
import { type Caller, identityOf } from "../access.ts";
import type { HealthReader } from "../health.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts } from "../ports.ts";
import { problem } from "../problem.ts";
import { type Feed, type LiveStream, openStream, type Watched } from "./live-stream.ts";
import { createPageNews } from "./page-news.ts";
import { createPageFeed, newestId } from "./page-stream.ts";

export const STREAM_TYPE = "text/event-stream";

type Reader = Watched & Readonly<{ caller: Caller | null }>;

/** The open streams: at most `API_LIMITS.streams` in all, and `streamsOfOne` of each reader. */
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
      for (const stream of open.keys()) stream.end(); // a Map may shrink during iteration
    },
  };
}

/** The id after which to resume: from the header that browsers send, otherwise from the query. Null if neither has one. */
export function resumeFrom(headers: Headers, after: number | undefined): number | null {
  const header = headers.get("last-event-id");
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : (after ?? null);
}

type EventsAsked = Readonly<{
  /** Sends events after this id; null for only new events. */
  after: number | null;
  prefix?: Prefix | undefined;
  type?: string | undefined;
}>;

/** Events for one reader, such as a script; the dashboard reads a page feed. Each has its id, so Last-Event-ID resumes. */
export function createEventFeed({ queries, news }: ApiParts, { after, prefix, type }: EventsAsked): Feed {
  let lastId = after ?? newestId({ queries });
  let isMore = false;
  let beatAt = performance.now() + API_LIMITS.streamBeatMs;
  return {
    subscribe: (wake) => news.subscribe(wake),
    read: (now) => {
      const newest = newestId({ queries });
      // An id that does not exist yet comes from another database: all events of this one are new.
      if (lastId > newest) lastId = 0;
      const { items, next } = queries().events({
        after: lastId,
        prefix,
        types: type === undefined ? [] : [type],
        most: API_LIMITS.streamRows,
        order: "oldest_first",
      });
      // A search may stop partway without a match.
      isMore = next !== null;
      lastId = next ?? Math.max(items.at(-1)?.id ?? 0, newest);
      if (items.length === 0 && now < beatAt) return "";
      beatAt = now + API_LIMITS.streamBeatMs;
      // JSON has no line break.
      return items.map((item) => `id: ${item.id}\ndata: ${JSON.stringify(item)}\n\n`).join("") || ": alive\n\n";
    },
    restMs: (now) => (isMore ? 0 : beatAt - now),
  };
}
