import { setImmediate as nextTurn, setTimeout as waitFor } from "node:timers/promises";
import { type Holding, isCondition, isServerIll } from "../../core/alerts/alerts.ts";
import type { AlertLanguage } from "../../core/alerts/frames.ts";
import { coveredBy, MOST_ABOUT, MOST_ABOUT_OPEN } from "../../core/alerts/notices.ts";
import { isSpike, LONGEST_WINDOW_MS, type Thresholds } from "../../core/alerts/rules.ts";
import type { Schedule } from "../../core/alerts/schedule.ts";
import { messageOf, reportOnce } from "../../core/error.ts";
import { unlessRunning } from "../../core/one-after-another.ts";
import { plural } from "../../core/text.ts";
import { DAY_MS, later, MINUTE_MS } from "../../core/time.ts";
import type { Clock, Log, Notices, Outcome } from "../ports.ts";
import { AlertBook } from "./book.ts";
import { AlertDigests } from "./digests.ts";
import type { watchComponents } from "./health-watch.ts";
import { AlertOutbox } from "./outbox.ts";
import type { Alert, AlertChannel, AlertEvents, AlertStore, Watcher } from "./ports.ts";
import { alertWindows } from "./windows.ts";
import { openedMessage, resolvedMessage, testMessage } from "./words.ts";

export type AlertSettings = Readonly<{
  thresholds: Thresholds;
  /** The addresses to which alerts are mailed. */
  mailedTo: readonly string[];
  volume: Readonly<{ minimum: number; factor: number }>;
  /** How long a condition must be false before its alert is resolved. */
  settleMs: number;
  schedule: Schedule;
  language: AlertLanguage;
  channels: readonly AlertChannel[];
  /** The outside service that raises the alarm when the heartbeat stops. Null: none is set. */
  watcher: Watcher | null;
}>;

type AlertParts = Readonly<{
  events: AlertEvents;
  store: AlertStore;
  notices: Notices;
  components: ReturnType<typeof watchComponents>;
  clock: Clock;
  log: Log;
}>;

/** Event ids that are read in one step. Decisions wait about a millisecond for it. */
const IDS_PER_STEP = 250;
/** Maximum event ids that are read again; older events are skipped. */
const MOST_IDS = 200_000;
const LAST_MOMENT_MS = 2_000;
/** Each channel gives up earlier. */
const LONGEST_TEST_MS = MINUTE_MS;
/** Rounds run each second, but the first may take a while to read a day's events. */
const LOOKED_LATELY_MS = 60_000;
const VOLUME_WINDOW_MS = 10 * MINUTE_MS;
const VOLUME_EVERY_MS = 10_000;

/**
 * Checks committed events, notices and components each second. A new condition opens an alert; a condition that stays
 * false for a while resolves it. The owner gets a message about both. Decisions never wait for this.
 */
export class Alerts {
  readonly #parts: AlertParts;
  readonly #reports: Readonly<Record<"round" | "reading" | "saving", (failure: string | null) => void>>;
  readonly #book: AlertBook;
  readonly #outbox: AlertOutbox;
  readonly #digests = new AlertDigests();
  #settings: AlertSettings;
  #windows: ReturnType<typeof alertWindows>;
  /** The last id that the windows have counted; null: they must be filled first. */
  #position: number | null = null;
  #spike: Holding | null = null;
  #volumeAt = Number.NEGATIVE_INFINITY;
  /** When the last round ended that could read the events. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #unsaved = false;

  /** Throws if the database cannot be read. */
  constructor(parts: AlertParts, settings: AlertSettings) {
    const { alerts, deliveries } = parts.store.load();
    this.#parts = parts;
    this.#settings = settings;
    this.#book = new AlertBook(alerts, parts.clock.now());
    const { clock, log } = parts;
    this.#reports = {
      round: reportOnce((why) => log.error("Alerts failed; retrying in a second.", { why })),
      reading: reportOnce((why) => log.warn("Alerts cannot read the events; the guard retries.", { why })),
      saving: reportOnce((why) => log.warn("Alerts could not be saved; the guard retries.", { why })),
    };
    this.#outbox = new AlertOutbox(deliveries, { clock, log, changed: () => this.#saveSoon() });
    this.#windows = this.#freshWindows();
    this.#outbox.use(settings.channels);
  }

  get book(): Pick<AlertBook, "open" | "resolved"> {
    return this.#book;
  }

  /** Whether the checks run, none of them finds the server critically unhealthy, and some channel works. */
  get isWell(): boolean {
    const isLooking = Math.abs(this.#parts.clock.now() - this.#lookedAt) < LOOKED_LATELY_MS;
    const isHeard = this.#settings.channels.some(({ name }) => !this.#outbox.failing.has(name));
    return isLooking && isHeard && !this.#book.open.some(({ code }) => isServerIll(code));
  }

  /** All channels and the watcher by name, with the reason for one that has failed several times in a row. */
  get channels(): ReadonlyMap<string, string | null> {
    const { channels, watcher } = this.#settings;
    const all = new Map(channels.map(({ name }) => [name, this.#outbox.failing.get(name) ?? null]));
    return watcher === null ? all : all.set(watcher.name, watcher.failing());
  }

  /** Whether the owner can learn that mail does not flow by a way other than this server's own mail queue. */
  get leadOut(): boolean {
    const { channels, watcher } = this.#settings;
    return watcher !== null || channels.some(({ isLocal }) => isLocal !== true);
  }

  configure(settings: AlertSettings): void {
    const counted = ({ thresholds, mailedTo }: AlertSettings): string => JSON.stringify([thresholds, mailedTo]);
    const isSame = counted(settings) === counted(this.#settings);
    this.#settings = settings;
    if (!isSame) {
      this.#windows = this.#freshWindows();
      this.#position = null;
    }
    this.#volumeAt = Number.NEGATIVE_INFINITY;
    this.#outbox.use(settings.channels);
  }

  /** Call it about every second. Never rejects. */
  readonly round = unlessRunning(async () => {
    try {
      void this.#parts.components.look();
      const isRead = await this.#read();
      this.#judge();
      this.#reportChannels();
      this.#outbox.round(this.#settings.schedule, this.#settings.language);
      this.#save();
      if (isRead) this.#lookedAt = this.#parts.clock.now();
      this.#reports.round(null);
    } catch (error) {
      this.#reports.round(messageOf(error));
    }
  });

  /** Sends one message to each channel and the watcher at once, even in quiet hours, and returns the results that arrive in time. */
  test(longestMs = LONGEST_TEST_MS): Promise<readonly Readonly<{ channel: string; outcome: Outcome }>[]> {
    const message = testMessage(this.#parts.clock.now(), this.#settings.language);
    const late = { ok: false, reason: `no answer within ${longestMs / 1_000} s; it is still tried` } as const;
    const { channels, watcher } = this.#settings;
    const answers = [
      ...channels.map((channel) => ({ channel: channel.name, sent: this.#outbox.try(channel, message) })),
      ...(watcher === null ? [] : [{ channel: watcher.name, sent: watcher.send() }]),
    ];
    return Promise.all(
      answers.map(async ({ channel, sent }) => ({
        channel,
        outcome: await Promise.race([sent, waitFor(longestMs, late, { ref: false })]),
      })),
    );
  }

  /** Waits briefly for deliveries in flight. The rest is sent after the next start. */
  async stop(): Promise<void> {
    await Promise.race([this.#outbox.settled(), waitFor(LAST_MOMENT_MS, undefined, { ref: false })]);
    this.#save();
  }

  #freshWindows() {
    const windows = alertWindows(this.#settings.thresholds, this.#settings.mailedTo);
    windows.remember(this.#book.open);
    return windows;
  }

  /** If the events cannot be read now, they are read later. Notices and components are reported anyway. */
  async #read(): Promise<boolean> {
    try {
      await this.#catchUp();
      this.#lookAtVolume();
      this.#reports.reading(null);
      return true;
    } catch (error) {
      this.#reports.reading(messageOf(error));
      return false;
    }
  }

  async #catchUp(): Promise<void> {
    const { events, clock } = this.#parts;
    // A failed attempt has filled the windows partly.
    if (this.#position === null) this.#windows = this.#freshWindows();
    const windows = this.#windows;
    const last = events.last();
    let at =
      this.#position ?? Math.max(0, events.firstSince(later(clock.now(), -LONGEST_WINDOW_MS)) - 1, last - MOST_IDS);
    while (at < last) {
      const upTo = Math.min(last, at + IDS_PER_STEP);
      for (const event of events.between(at, upTo)) windows.take(event);
      at = upTo;
      if (this.#position !== null) this.#position = at;
      await nextTurn();
      // The settings changed while events were read.
      if (windows !== this.#windows) return;
    }
    this.#position = at;
  }

  /** Ids ascend one by one, so counting events costs almost nothing. */
  #lookAtVolume(): void {
    const { events, clock } = this.#parts;
    const now = clock.now();
    if (Math.abs(now - this.#volumeAt) < VOLUME_EVERY_MS) return;
    this.#volumeAt = now;
    const since = later(now, -VOLUME_WINDOW_MS);
    const first = events.firstSince(since);
    const count = events.last() + 1 - first;
    const before = first - events.firstSince(later(since, -DAY_MS));
    const usual = Math.round(before / (DAY_MS / VOLUME_WINDOW_MS));
    const detail = `${plural(count, "event")} within 10m; ${usual} ${usual === 1 ? "is" : "are"} usual`;
    this.#spike = isSpike(count, usual, this.#settings.volume) ? { code: "volume_spike", subject: "", detail } : null;
  }

  #judge(): void {
    const { notices, components, clock } = this.#parts;
    const now = clock.now();
    const raised = notices.list();
    const { open } = this.#book;
    // One cause opens one alert. Alerts that were open before stay, because their conditions still hold.
    const covered = coveredBy([...raised, ...open]);
    const noticed = raised
      .filter(({ code }) => !covered.includes(code) || open.some((alert) => alert.code === code))
      .flatMap(({ code, detail, about = [""] }) => {
        let room = MOST_ABOUT_OPEN - open.filter((alert) => alert.code === code).length;
        return about
          .toReversed()
          .filter((subject, i) => this.#book.isOpen({ code, subject }) || (i < MOST_ABOUT && (room-- > 0 || i === 0)))
          .toReversed()
          .map((subject): Holding => ({ code, subject, detail }));
      });
    // Until the windows are filled, their open alerts stay open.
    const byEvents =
      this.#position === null
        ? open.filter(({ code }) => isCondition(code) && code !== "component_down")
        : [...this.#windows.holding(now), ...(this.#spike === null ? [] : [this.#spike])];
    const holding = [...noticed, ...components.holding(), ...byEvents];
    const { opened, resolved } = this.#book.update(holding, now, this.#settings.settleMs);
    if (opened.length + resolved.length === 0) return;
    for (const { code, subject, detail } of opened)
      this.#parts.log.warn("Alert opened.", { alert: code, subject, detail });
    for (const { code, subject } of resolved) this.#parts.log.info("Alert resolved.", { alert: code, subject });
    const due = [
      ...opened.map((alert) => ({ alert, message: openedMessage(alert, this.#settings.language) })),
      ...resolved.map((alert) => ({ alert, message: resolvedMessage(alert, this.#settings.language) })),
    ];
    const waits = this.#digests.waits(due, this.#known, this.#outbox.deliveries, now);
    const messages = due.map(({ message }) => message);
    this.#outbox.add(messages, this.#settings.schedule, waits);
  }

  get #known(): readonly Alert[] {
    return [...this.#book.open, ...this.#book.resolved];
  }

  /** Each failing channel is reported through the others. */
  #reportChannels(): void {
    const failing = [...this.channels].filter(([, why]) => why !== null);
    const detail = failing.length === 0 ? null : failing.map(([name, why]) => `${name}: ${why}`).join("; ");
    const names = failing.map(([name]) => name);
    this.#parts.notices.set("alerts_undelivered", detail, names);
  }

  #saveSoon(): void {
    if (!this.#unsaved) setImmediate(() => this.#save());
    this.#unsaved = true;
  }

  /** While the database cannot be written, alerts continue from memory: the owner needs them most then. */
  #save(): void {
    if (!this.#unsaved) return;
    try {
      this.#parts.store.save({ alerts: this.#known, deliveries: this.#outbox.deliveries });
      this.#unsaved = false;
      this.#reports.saving(null);
    } catch (error) {
      this.#reports.saving(messageOf(error));
    }
  }
}
