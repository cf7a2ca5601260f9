import type { Prefix } from "../../../core/net/ip.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts } from "../ports.ts";
import type { Feed } from "./live-stream.ts";

export type EventsAsked = Readonly<{
  /** Send what follows this id; null: only new events. */
  after: number | null;
  prefix?: Prefix | undefined;
  type?: string | undefined;
}>;

/** Events only, for one reader, such as a script (the dashboard reads a page feed). Each has its id, so it resumes with Last-Event-ID. */
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
      // It may have searched a part of them without a match.
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

export function newestId({ queries }: Pick<ApiParts, "queries">): number {
  return queries().events({ most: 1, order: "newest_first" }).items[0]?.id ?? 0;
}
