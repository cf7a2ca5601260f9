import { computed, signal } from "@preact/signals";
import type { Health, OwnerTask } from "../src/admin/declare/items.ts";
import { clockOffsetMs, queryOf, RequestError, request, setClock } from "./api.ts";
import { signedIn } from "./attempt.ts";

/** `since`: when the server was last heard, in ms since 1970. */
type Liveness = Readonly<{ kind: "connecting" | "live" }> | Readonly<{ kind: "silent"; since: number }>;
/** Counts of the last 24 hours. */
type Day = Readonly<{ mails_in: number; refused: number; deferred: number; logins: number; logins_failed: number }>;
type Figures = Readonly<{ bans: number; day: Day }>;

/** What the page reads of the stream's messages, by their names. It ignores the events and bans in them, and asks for its rows again. */
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
const CHECK_MS = 1_000;
const RECONNECT_MS = 3_000;

export const liveness = signal<Liveness>({ kind: "connecting" });
export const health = signal<Health | null>(null);
/** Distinguishes tasks without their figures, which change with each event. */
export function taskKey({ kind, code, account, since }: OwnerTask): string {
  return JSON.stringify([kind, code, account, since]);
}
/** What waits for the owner, as one text. */
export const tasksKey = computed(() => health.value?.needsYou.map(taskKey).join() ?? "");
export const figures = signal<Figures | null>(null);
/** The server's version; empty until it is known. */
export const version = signal("");

/** In ms since 1970. */
export function serverTime(): number {
  return Date.now() + clockOffsetMs.value;
}

type Listener = () => void;

/** News of one kind: `on` calls a listener until the function that it returns is called. */
function topic() {
  const listeners = new Set<Listener>();
  const on = (listener: Listener): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const emit: Listener = () => listeners.forEach((listener) => listener());
  return { on, emit };
}

/** There are new events, or bans that started or ended. Lists are read again, as only the server knows what belongs to them. */
export const { on: onEvents, emit: emitEvents } = topic();
export const { on: onBans, emit: emitBans } = topic();
/** The reader fell so far behind that the stream skipped some events. */
export const { on: onGap, emit: emitGap } = topic();
/** Something may have changed that the stream does not report, so lists must be read again. */
export const { on: onStale, emit: emitStale } = topic();

/** Follows all updates that the server sends unasked: `GET /api/v1/stream`. The page has one stream at a time. Returns what ends it. */
export function followStream(): () => void {
  /** For display, because `performance.now()` may stop while the computer sleeps. Durations do not use it, because the clock may be set. */
  let heardAt = Date.now();
  /** When the server was last heard, by `performance.now()`. */
  let heard = performance.now();
  /** When the connection was last judged alive or replaced, by `performance.now()`; only for reconnecting. */
  let aliveAt = heard;
  let current: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let isReconnecting = false;
  let newestId: string | null = null;
  let knownEpoch: string | null = null;

  /** A browser reconnects automatically after a broken connection, but not after an error response. */
  const connect = (): void => {
    const source = new EventSource(`api/v1/stream${queryOf({ since: newestId })}`);
    current = source;
    const on = <Name extends keyof News>(name: Name, take: (news: News[Name]) => void): void =>
      source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        heardAt = Date.now();
        heard = aliveAt = performance.now();
        if (liveness.value.kind !== "live") liveness.value = { kind: "live" };
        if (lastEventId !== "") newestId = lastEventId;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests of the server hold the stream to it
        take(JSON.parse(data) as News[Name]);
      });
    on("hello", (server) => {
      setClock(server.now);
      // The database is a different one, so nothing on the page is from it.
      if (knownEpoch !== null && knownEpoch !== server.epoch) location.reload();
      knownEpoch = server.epoch;
      version.value = server.version;
      // Earlier changes of bans are not sent, and a list may have been read before the stream started.
      emitStale();
    });
    on("events", ({ more }) => {
      if (more) {
        emitGap();
        emitStale();
      }
      emitEvents();
    });
    on("bans", emitBans);
    on("health", (news) => (health.value = news));
    on("figures", (news) => (figures.value = news));
    on("beat", ({ now }) => setClock(now));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED || current !== source) return;
      retry = setTimeout(() => void reconnect(), RECONNECT_MS);
    });
  };
  const reconnect = async (): Promise<void> => {
    if (isReconnecting) return;
    isReconnecting = true;
    clearTimeout(retry);
    current?.close();
    try {
      await request("GET /session", {}, SILENCE_MS);
    } catch (error) {
      if (error instanceof RequestError && error.status === 401) return void (signedIn.value = "no");
    } finally {
      isReconnecting = false;
    }
    aliveAt = performance.now();
    if (current !== null) connect();
  };
  /** Replaces a connection that is dead although neither side closed it: the browser would wait forever. */
  const checkSilence = (): void => {
    const now = performance.now();
    if (now - heard >= SILENCE_MS && liveness.value.kind !== "silent")
      liveness.value = { kind: "silent", since: heardAt };
    if (now - aliveAt >= SILENCE_MS) void reconnect();
  };

  const timer = setInterval(checkSilence, CHECK_MS);
  connect();
  return () => {
    clearInterval(timer);
    clearTimeout(retry);
    current?.close();
    current = null;
    health.value = null;
    figures.value = null;
    liveness.value = { kind: "connecting" };
  };
}
