import { isoTime, SECOND_MS } from "../../../core/time.ts";
import { VERSION } from "../../../core/version.ts";
import { allBans } from "../../../guard/explain/stats.ts";
import { API_LIMITS } from "../limits.ts";
import { type ApiParts, StoreDown } from "../ports.ts";
import type { Feed } from "./live-stream.ts";
import { type PageNews, smallFigures } from "./page-news.ts";

/** Means that something may have been committed since this reader's last read. */
const UNSEEN = -1;

/**
 * What one open page gets, and scripts that read `/api/v1/stream`. Scripts use the events and bans themselves; the page only learns that
 * there are new ones, and reads its lists again (dashboard/live.ts). Each `read` continues where the last one ended. While the database
 * cannot be read, health and heartbeats are still sent. `after`: the last event that the reader has; null: it gets only new events.
 */
export function createPageFeed({ queries, clock }: ApiParts, news: PageNews, after: number | null): Feed {
  /** The name of the database that is being read. */
  let epoch: string | null = null;
  let isGreeted = false;
  /** The last event and the last change of bans that were sent. */
  let lastId = after;
  let lastStep: number | null = null;
  let seenCommits = UNSEEN;
  let sentHealth: string | null = null;
  let [batchAt, figuresAt, beatAt] = [0, 0, 0];

  /** Pending messages from the database. They are delayed while it cannot be read. */
  function fromStore(now: number): string {
    let text = "";
    try {
      text += hello();
      if (isBatchDue(now)) {
        const before = text;
        // Appended one by one: if the changes of bans cannot be read, the events are still sent.
        text += events();
        text += banChanges();
        if (text !== before) batchAt = now + API_LIMITS.batchMs;
      }
      text += figures(now);
    } catch (error) {
      if (!(error instanceof StoreDown)) throw error;
      isGreeted = false;
    }
    return text;
  }

  /** Sent at the start, after a failure of the database, and when the database was replaced. */
  function hello(): string {
    const store = queries();
    const name = store.name();
    if (isGreeted && name === epoch) return "";
    const newest = newestId({ queries });
    const { upto } = store.banChanges(null, 0);
    const total = countBans();
    const isSame = epoch === null || epoch === name;
    // An id that does not exist yet comes from another database.
    if (!isSame || lastId === null || lastId > newest) lastId = newest;
    // Otherwise the step is kept, so that bans that started or ended while the database could not be read are sent now.
    if (!isSame || lastStep === null || lastStep > upto) lastStep = upto;
    epoch = name;
    isGreeted = true;
    figuresAt = 0;
    seenCommits = UNSEEN;
    const beatSeconds = API_LIMITS.pageBeatMs / SECOND_MS;
    const greeting = { epoch, version: VERSION, now: isoTime(clock.now()), beatSeconds };
    return message("hello", greeting, lastId) + message("bans", { added: [], removed: [], total });
  }

  function isBatchDue(now: number): boolean {
    const commits = news.commits();
    if (seenCommits === commits || now < batchAt) return false;
    seenCommits = commits;
    return true;
  }

  function events(): string {
    const newest = newestId({ queries });
    const from = lastId ?? newest;
    const more = newest - from > API_LIMITS.mostMissed;
    const { items, next } = queries().events({
      after: more ? newest - API_LIMITS.rowsAfterGap : from,
      most: API_LIMITS.batchRows,
      order: "oldest_first",
    });
    if (next !== null) seenCommits = UNSEEN;
    lastId = items.at(-1)?.id ?? next ?? from;
    return items.length === 0 ? "" : message("events", { items, more }, lastId);
  }

  function banChanges(): string {
    const { added, removed, upto, isAll } = queries().banChanges(lastStep, API_LIMITS.batchRows);
    if (!isAll) seenCommits = UNSEEN;
    if (upto === lastStep) return "";
    const total = countBans();
    lastStep = upto;
    return message("bans", { added, removed, total });
  }

  function figures(now: number): string {
    if (now < figuresAt) return "";
    const small = smallFigures(queries().figures, clock.now());
    figuresAt = now + API_LIMITS.pageBeatMs;
    return message("figures", small);
  }

  function always(now: number): string {
    const health = news.health();
    const text = health === null || health === sentHealth ? "" : `event: health\ndata: ${health}\n\n`;
    sentHealth = health;
    if (now < beatAt) return text;
    beatAt = now + API_LIMITS.pageBeatMs;
    // Looks for events although no news came: if the news was lost, they are only late.
    seenCommits = UNSEEN;
    return text + message("beat", { now: isoTime(clock.now()) });
  }

  function countBans(): number {
    return allBans(queries().figures.banCounts(clock.now()));
  }

  return {
    subscribe: news.subscribe,
    read: (now) => fromStore(now) + always(now),
    restMs: (now) => {
      const until = Math.min(beatAt, figuresAt, seenCommits === news.commits() ? Number.POSITIVE_INFINITY : batchAt);
      // While the database is down, `figuresAt` may lie in the past, which would make the stream spin.
      return isGreeted ? until - now : API_LIMITS.batchMs;
    },
  };
}

function message(name: string, data: unknown, id: number | null = null): string {
  return `${id === null ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`; // JSON has no line break
}

export function newestId({ queries }: Pick<ApiParts, "queries">): number {
  return queries().events({ most: 1, order: "newest_first" }).items[0]?.id ?? 0;
}
