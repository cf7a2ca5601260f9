import { instant, isoTime, MINUTE_MS, type Millis } from "../../../core/time.ts";
import { allBans, pointBetween } from "../../../guard/explain/stats.ts";
import type { Figures } from "../../../guard/figures.ts";
import type { HealthReader } from "../health.ts";
import { API_LIMITS } from "../limits.ts";
import type { ApiParts } from "../ports.ts";

/** News shared by all pages: read once for all of them, and only while one is open. */
export class PageNews {
  readonly #parts: ApiParts;
  readonly #health: HealthReader;
  readonly #readers = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;
  #leaveNews: () => void = () => undefined;
  #latest: Readonly<{ json: string; comparable: string }> | null = null;
  #commits = 0;

  constructor(parts: ApiParts, health: HealthReader) {
    this.#parts = parts;
    this.#health = health;
  }

  /** Counts commits: a reader that has seen this number has nothing new to read. */
  get commits(): number {
    return this.#commits;
  }

  /** The health as JSON: a new text after each change. Null until it is known. */
  get health(): string | null {
    return this.#latest?.json ?? null;
  }

  subscribe(onNews: () => void): () => void {
    this.#readers.add(onNews);
    if (this.#timer === null) this.#start();
    return () => {
      this.#readers.delete(onNews);
      if (this.#readers.size === 0) this.#stop();
    };
  }

  #start(): void {
    this.#timer = setInterval(() => void this.#look(), API_LIMITS.healthEveryMs);
    this.#leaveNews = this.#parts.news.subscribe(() => {
      this.#commits += 1;
      this.#tell();
    });
    void this.#look();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#latest = null;
    this.#leaveNews();
  }

  async #look(): Promise<void> {
    const health = await this.#health.read();
    const comparable = JSON.stringify({ ...health, uptimeSeconds: 0 });
    if (this.#timer === null || comparable === this.#latest?.comparable) return;
    this.#latest = { json: JSON.stringify(health), comparable };
    this.#tell();
  }

  #tell(): void {
    for (const reader of this.#readers) reader();
  }
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
    bans: allBans(figures.bansInForce(now)),
    day: pointBetween(since(24 * 60), all),
    hour: pointBetween(since(60), all),
    minutes: [
      { at: at(1), ...pointBetween(before, current) },
      { at: at(0), ...pointBetween(current, all) },
    ],
  };
}
