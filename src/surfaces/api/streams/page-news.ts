import { instant, isoTime, MINUTE_MS, type Millis } from "../../../core/time.ts";
import { allBans, pointBetween } from "../../../guard/explain/stats.ts";
import type { Figures } from "../../../guard/figures.ts";
import type { HealthReader } from "../health.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts } from "../ports.ts";

export type PageNews = ReturnType<typeof createPageNews>;

/** News that all pages share: read once for all, and only while a page is open. */
export function createPageNews({ news }: Pick<ApiParts, "news">, healthReader: HealthReader) {
  const readers = new Set<() => void>();
  let stop: (() => void) | null = null;
  let latest: Readonly<{ json: string; comparable: string }> | null = null;
  let commits = 0;

  function subscribe(onNews: () => void): () => void {
    readers.add(onNews);
    stop ??= start();
    return () => {
      readers.delete(onNews);
      if (readers.size > 0) return;
      stop?.();
      stop = latest = null;
    };
  }

  function start(): () => void {
    const timer = setInterval(() => void look(), API_LIMITS.healthEveryMs);
    const leaveNews = news.subscribe(() => {
      commits += 1;
      notify();
    });
    void look();
    return () => {
      clearInterval(timer);
      leaveNews();
    };
  }

  async function look(): Promise<void> {
    const health = await healthReader.read();
    const comparable = JSON.stringify({ ...health, uptimeSeconds: 0 });
    if (stop === null || comparable === latest?.comparable) return;
    latest = { json: JSON.stringify(health), comparable };
    notify();
  }

  function notify(): void {
    for (const reader of readers) reader();
  }

  return {
    /** Counts commits: a reader that has seen this number has nothing new to read. */
    commits: () => commits,
    /** The health as JSON, which changes only if the health does. Null until it is known. */
    health: () => latest?.json ?? null,
    subscribe,
  };
}

/** `minutes`: the previous one, and the current one so far. */
export function smallFigures(figures: Figures, now: Millis) {
  const minute = now - (now % MINUTE_MS);
  const all = figures.totals(null);
  const since = (minutesAgo: number) => figures.totals(instant(minute - minutesAgo * MINUTE_MS));
  const [before, current] = [since(1), since(0)];
  const at = (minutesAgo: number): string => isoTime(instant(minute - minutesAgo * MINUTE_MS));
  return {
    at: isoTime(now),
    bans: allBans(figures.banCounts(now)),
    day: pointBetween(since(24 * 60), all),
    hour: pointBetween(since(60), all),
    minutes: [
      { at: at(1), ...pointBetween(before, current) },
      { at: at(0), ...pointBetween(current, all) },
    ],
  };
}
