import { computed, signal } from "@preact/signals";
import type { Health, OwnerTask } from "../src/admin/declare/items.ts";
import { aheadMs, get, queryOf, Refused, setClock } from "./api.ts";
import { signedIn } from "./attempt.ts";

/** `since`: when the server was last heard, in ms since 1970. */
type Liveness = Readonly<{ kind: "connecting" | "live" }> | Readonly<{ kind: "silent"; since: number }>;
/** Counts of the last 24 hours. */
type Day = Readonly<{ mails_in: number; refused: number; deferred: number; logins: number; logins_failed: number }>;
type Figures = Readonly<{ bans: number; day: Day }>;

/** What the stream sends, by the name of the message. */
type News = Readonly<{
  hello: Readonly<{ epoch: string; version: string; now: string }>;
  events: Readonly<{ more: boolean }>;
  bans: unknown;
  health: Health;
  figures: Figures;
  beat: Readonly<{ now: string }>;
}>;

/** The server sends something every 5 s. After this much silence the page stops showing "live". */
const SILENCE_MS = 9_000;
/** How often the page checks for silence. */
const LOOK_MS = 1_000;
const RECONNECT_MS = 3_000;

export const liveness = signal<Liveness>({ kind: "connecting" });
export const health = signal<Health | null>(null);
/** Distinguishes tasks without their figures, which change with each event. */
export function taskKey({ kind, code, account, since }: OwnerTask): string {
  return JSON.stringify([kind, code, account, since]);
}
/** What waits for the owner, as one text. */
export const whatWaits = computed(() => health.value?.needsYou.map(taskKey).join() ?? "");
export const figures = signal<Figures | null>(null);
/** The server's version; empty until it is known. */
export const version = signal("");

/** In ms since 1970. */
export function serverTime(): number {
  return Date.now() + aheadMs.value;
}

type Reader = () => void;

/** News of one kind: `on` calls a reader until the function that it returns is called. */
function topic() {
  const readers = new Set<Reader>();
  const on = (reader: Reader): (() => void) => {
    readers.add(reader);
    return () => readers.delete(reader);
  };
  const tell: Reader = () => readers.forEach((reader) => reader());
  return { on, tell };
}

/** There are new events, or bans that started or ended. Lists are read again, as only the server knows what belongs to them. */
export const { on: onEvents, tell: tellEvents } = topic();
export const { on: onBans, tell: tellBans } = topic();
/** The reader fell so far behind that the stream skipped some events. */
export const { on: onGap, tell: tellGap } = topic();
/** Something may have changed that the stream does not report, so lists must be read again. */
export const { on: onStale, tell: tellStale } = topic();

/** All updates that the server sends unasked: `GET /api/v1/stream`. The page has one at a time. */
export class Live {
  readonly #timer: ReturnType<typeof setInterval>;
  /** For display, because `performance.now()` may stop while the computer sleeps. Durations do not use it, because the clock may be set. */
  #heardAt = Date.now();
  /** When the server was last heard, by `performance.now()`. */
  #heard = performance.now();
  /** When the connection was last judged alive or replaced, by `performance.now()`; only for reconnecting. */
  #aliveAt = performance.now();
  #source: EventSource | null = null;
  #reconnect: ReturnType<typeof setTimeout> | undefined;
  #isReturning = false;
  #newestId: string | null = null;
  #epoch: string | null = null;

  constructor() {
    this.#timer = setInterval(() => this.#judge(), LOOK_MS);
    this.#connect();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#reconnect);
    this.#source?.close();
    this.#source = null;
    health.value = null;
    figures.value = null;
    liveness.value = { kind: "connecting" };
  }

  /** A browser reconnects automatically after a broken connection, but not after an error response. */
  #connect(): void {
    const source = new EventSource(`api/v1/stream${queryOf({ since: this.#newestId })}`);
    this.#source = source;
    const on = <Name extends keyof News>(name: Name, take: (news: News[Name]) => void): void =>
      source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        this.#heardAt = Date.now();
        this.#heard = this.#aliveAt = performance.now();
        if (liveness.value.kind !== "live") liveness.value = { kind: "live" };
        if (lastEventId !== "") this.#newestId = lastEventId;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests of the server hold the stream to it
        take(JSON.parse(data) as News[Name]);
      });
    on("hello", (server) => {
      setClock(server.now);
      // The database is a different one, so nothing on the page is from it.
      if (this.#epoch !== null && this.#epoch !== server.epoch) location.reload();
      this.#epoch = server.epoch;
      version.value = server.version;
      // Earlier changes of bans are not sent, and a list may have been read before the stream started.
      tellStale();
    });
    on("events", ({ more }) => {
      if (more) {
        tellGap();
        tellStale();
      }
      tellEvents();
    });
    on("bans", tellBans);
    on("health", (news) => (health.value = news));
    on("figures", (news) => (figures.value = news));
    on("beat", ({ now }) => setClock(now));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED || this.#source !== source) return;
      this.#reconnect = setTimeout(() => void this.#return(), RECONNECT_MS);
    });
  }

  async #return(): Promise<void> {
    if (this.#isReturning) return;
    this.#isReturning = true;
    clearTimeout(this.#reconnect);
    this.#source?.close();
    try {
      await get("session", SILENCE_MS);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return void (signedIn.value = "no");
    } finally {
      this.#isReturning = false;
    }
    this.#aliveAt = performance.now();
    if (this.#source !== null) this.#connect();
  }

  /** Replaces a connection that is dead although neither side closed it: the browser would wait forever. */
  #judge(): void {
    const now = performance.now();
    if (now - this.#heard >= SILENCE_MS && liveness.value.kind !== "silent")
      liveness.value = { kind: "silent", since: this.#heardAt };
    if (now - this.#aliveAt >= SILENCE_MS) void this.#return();
  }
}
