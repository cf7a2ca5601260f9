import { isoTime, SECOND_MS } from "../../../core/time.ts";
import { VERSION } from "../../../core/version.ts";
import { allBans } from "../../../guard/explain/stats.ts";
import { API_LIMITS } from "../limits.ts";
import { type ApiParts, StoreDown } from "../ports.ts";
import { newestId } from "./event-stream.ts";
import type { Feed } from "./live-stream.ts";
import { type PageNews, smallFigures } from "./page-news.ts";

/** Something may have been committed since this reader's last read. */
const UNSEEN = -1;

/** What one open page gets: each `read` continues where the last one ended. While the database cannot be read, health and beats are still sent. */
export class PageFeed implements Feed {
  readonly #parts: ApiParts;
  readonly #news: PageNews;
  /** The name of the database that is being read. */
  #epoch: string | null = null;
  #isGreeted = false;
  /** The last event and the last step of bans that were sent. */
  #lastId: number | null;
  #lastStep: number | null = null;
  #seenCommits = UNSEEN;
  #health: string | null = null;
  #batchAt = 0;
  #figuresAt = 0;
  #beatAt = 0;

  /** `after`: as in `EventsAsked`. */
  constructor(parts: ApiParts, news: PageNews, after: number | null) {
    this.#parts = parts;
    this.#news = news;
    this.#lastId = after;
  }

  subscribe(wake: () => void): () => void {
    return this.#news.subscribe(wake);
  }

  read(now: number): string {
    return this.#fromStore(now) + this.#always(now);
  }

  restMs(now: number): number {
    const hasNews = this.#seenCommits !== this.#news.commits;
    const until = Math.min(this.#beatAt, this.#figuresAt, hasNews ? this.#batchAt : Number.POSITIVE_INFINITY);
    // While the database is down, `#figuresAt` may lie in the past, and the stream would spin.
    return this.#isGreeted ? until - now : API_LIMITS.batchMs;
  }

  /** Pending messages from the database; nothing while it cannot be read, and everything afterwards. */
  #fromStore(now: number): string {
    let text = "";
    try {
      text += this.#hello();
      if (this.#isBatchDue(now)) {
        const before = text;
        // A ban has both an event and a change.
        text += this.#events();
        text += this.#changes();
        if (text !== before) this.#batchAt = now + API_LIMITS.batchMs;
      }
      text += this.#figures(now);
    } catch (error) {
      if (!(error instanceof StoreDown)) throw error;
      this.#isGreeted = false;
    }
    return text;
  }

  /** At the start, after a failure of the database, and when the database was replaced. */
  #hello(): string {
    const store = this.#parts.queries();
    const epoch = store.name();
    if (this.#isGreeted && epoch === this.#epoch) return "";
    const newest = newestId(this.#parts);
    const { upto } = store.banChanges(null, 0);
    const total = this.#bans();
    const isSame = this.#epoch === null || this.#epoch === epoch;
    // An id that does not exist yet comes from another database.
    if (!isSame || this.#lastId === null || this.#lastId > newest) this.#lastId = newest;
    // Otherwise the step is kept: bans that started or ended while the database could not be read are sent afterwards.
    if (!isSame || this.#lastStep === null || this.#lastStep > upto) this.#lastStep = upto;
    this.#epoch = epoch;
    this.#isGreeted = true;
    this.#figuresAt = 0;
    this.#seenCommits = UNSEEN;
    const beatSeconds = API_LIMITS.pageBeatMs / SECOND_MS;
    const hello = { epoch, version: VERSION, now: isoTime(this.#parts.clock.now()), beatSeconds };
    return message("hello", hello, this.#lastId) + message("bans", { added: [], removed: [], total });
  }

  #isBatchDue(now: number): boolean {
    const { commits } = this.#news;
    if (this.#seenCommits === commits || now < this.#batchAt) return false;
    this.#seenCommits = commits;
    return true;
  }

  #events(): string {
    const newest = newestId(this.#parts);
    const after = this.#lastId ?? newest;
    const more = newest - after > API_LIMITS.mostMissed;
    const { items, next } = this.#parts.queries().events({
      after: more ? newest - API_LIMITS.rowsAfterGap : after,
      most: API_LIMITS.batchRows,
      order: "oldest_first",
    });
    if (next !== null) this.#seenCommits = UNSEEN;
    const last = items.at(-1)?.id ?? next ?? after;
    this.#lastId = last;
    return items.length === 0 ? "" : message("events", { items, more }, last);
  }

  #changes(): string {
    const { added, removed, upto, isAll } = this.#parts.queries().banChanges(this.#lastStep, API_LIMITS.batchRows);
    if (!isAll) this.#seenCommits = UNSEEN;
    if (upto === this.#lastStep) return "";
    const total = this.#bans();
    this.#lastStep = upto;
    return message("bans", { added, removed, total });
  }

  #figures(now: number): string {
    if (now < this.#figuresAt) return "";
    const figures = smallFigures(this.#parts.queries().figures, this.#parts.clock.now());
    this.#figuresAt = now + API_LIMITS.pageBeatMs;
    return message("figures", figures);
  }

  #always(now: number): string {
    let text = "";
    const { health } = this.#news;
    if (health !== null && health !== this.#health) text += `event: health\ndata: ${health}\n\n`;
    this.#health = health;
    if (now < this.#beatAt) return text;
    this.#beatAt = now + API_LIMITS.pageBeatMs;
    // If the news is lost, the events are only late.
    this.#seenCommits = UNSEEN;
    return text + message("beat", { now: isoTime(this.#parts.clock.now()) });
  }

  #bans(): number {
    return allBans(this.#parts.queries().figures.bansInForce(this.#parts.clock.now()));
  }
}

function message(name: string, data: unknown, id: number | null = null): string {
  return `${id === null ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`; // JSON has no line break
}
