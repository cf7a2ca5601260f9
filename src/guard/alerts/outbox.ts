import type { AlertLanguage } from "../../core/alerts/frames.ts";
import { afterQuiet, GIVE_UP_MS, notifyAt, retryMs, type Schedule } from "../../core/alerts/schedule.ts";
import { DAY_MS, HOUR_MS, later, type Millis } from "../../core/time.ts";
import type { Clock, Log } from "../ports.ts";
import { DIGEST_EVERY_MS, type Waits } from "./digests.ts";
import type { AlertChannel, AlertMessage, Delivery, Sent } from "./ports.ts";
import { digestMessage } from "./words.ts";

/** Maximum deliveries in flight on all channels together. Beyond it the oldest are dropped, critical ones last. */
const MOST_DELIVERIES = 1_000;
/** A channel is reported after this many failures in a row. */
export const FAILURES_REPORTED = 3;
/** Maximum attempts if some services behind a channel have the message, because each attempt sends them a copy: those of two hours. */
const MOST_COPIES = 12;
const NO_WAITS: Waits = new Map();

type OutboxParts = Readonly<{
  clock: Clock;
  log: Log;
  /** Called after each change of the deliveries in flight, so that they can be stored. */
  changed: () => void;
}>;

/**
 * Delivers each message to each channel, one at a time per channel, and retries until the channel accepts it. After a crash
 * in between, a message may arrive twice, with the same id.
 */
export class AlertOutbox {
  readonly #parts: OutboxParts;
  readonly #startedAt: Millis;
  #deliveries: readonly Delivery[];
  #channels: readonly AlertChannel[] = [];
  readonly #busy = new Map<string, Promise<void>>();
  readonly #failing = new Map<string, Readonly<{ times: number; why: string }>>();

  constructor(deliveries: readonly Delivery[], parts: OutboxParts) {
    this.#deliveries = deliveries;
    this.#parts = parts;
    this.#startedAt = parts.clock.now();
    // After a restart a channel counts as failing if each message that it could get now has failed, until it accepts one.
    for (const [channel, own] of Map.groupBy(deliveries, (one) => one.channel)) {
      const first = new Map(own.toReversed().map(({ message, attempts }) => [matterOf(message), attempts]));
      const times = Math.min(...first.values());
      if (channel !== null && times >= FAILURES_REPORTED)
        this.#failing.set(channel, { times, why: "it failed before the guard restarted" });
    }
  }

  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  /** Why channels have failed several times in a row, by name. */
  get failing(): ReadonlyMap<string, string> {
    const failing = [...this.#failing].filter(([, { times }]) => times >= FAILURES_REPORTED);
    return new Map(failing.map(([name, { why }]) => [name, why]));
  }

  /**
   * Messages that wait for a removed channel, such as one with a wrong address, go to the new channels. If there are none, they go to all
   * channels, unless they are too old. After a restart every channel for which no message waits counts as new, so some may arrive twice.
   */
  use(channels: readonly AlertChannel[]): void {
    const names = new Set(channels.map(({ name }) => name));
    const before = new Set([
      ...this.#channels.map(({ name }) => name),
      ...this.#deliveries.map(({ channel }) => channel),
    ]);
    const fresh = channels.filter(({ name }) => !before.has(name));
    this.#channels = channels;
    for (const name of this.#failing.keys()) if (!names.has(name)) this.#failing.delete(name);
    const stays = ({ channel }: Delivery): boolean => channel === null || names.has(channel);
    const now = this.#parts.clock.now();
    const left = this.#deliveries
      .filter((one) => !stays(one) && (fresh.length > 0 || now - one.message.at <= GIVE_UP_MS))
      .map(({ message }) => [message.id, message] as const);
    const again = [...new Map(left).values()].flatMap((message) =>
      addressed(message, fresh.length > 0 ? fresh : channels, message.at),
    );
    this.#keep([...again, ...this.#deliveries.filter(stays)]);
  }

  /** `waits`: the earliest time to send a message. Messages that wait are sent together, as a digest. */
  add(messages: readonly AlertMessage[], schedule: Schedule, waits: Waits = NO_WAITS): void {
    if (messages.length === 0) return;
    const waiting = messages.map((message): Delivery => {
      const at = waits.get(message.id) ?? message.at;
      return { message, channel: null, attempts: 0, dueAt: notifyAt(message.severity, at, schedule) };
    });
    this.#keep([...this.#deliveries, ...waiting]);
  }

  /** Call it about every second. Never waits. */
  round(schedule: Schedule, language: AlertLanguage): void {
    this.#release(schedule, language);
    const now = this.#parts.clock.now();
    for (const channel of this.#channels) {
      if (this.#busy.has(channel.name)) continue;
      const next = this.#nextFor(channel.name, now);
      if (next === null) continue;
      const sending = this.#deliver(channel, next).finally(() => this.#busy.delete(channel.name));
      this.#busy.set(channel.name, sending);
    }
  }

  /** Sends a message once. Success ends the report that the channel fails; a failure does not count. Never rejects. */
  async try(channel: AlertChannel, message: AlertMessage): Promise<Sent> {
    const outcome = await channel.send(message);
    if (outcome.ok || "waits" in outcome) this.#works(channel.name);
    return outcome;
  }

  /** If the channel was reported as failing, retries failed messages at once. Other failures may be the messages' own. */
  #works(name: string): void {
    const dueAt = this.#parts.clock.now();
    const isRetried = (one: Delivery): boolean => one.channel === name && one.attempts > 0;
    if (this.failing.has(name))
      this.#deliveries = this.#deliveries.map((one) => (isRetried(one) ? { ...one, dueAt } : one));
    this.#failing.delete(name);
  }

  /** Resolves once no delivery is in flight. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /** Sends due messages to every channel. Messages that had to wait go out as one digest. */
  #release(schedule: Schedule, language: AlertLanguage): void {
    const now = this.#parts.clock.now();
    const waiting = this.#deliveries.filter(({ channel }) => channel === null);
    // A longer wait means that the clock was set back, or that digests were less frequent before.
    const longestMs = Math.max(schedule.digestMs, DIGEST_EVERY_MS) + DAY_MS;
    const most = ({ severity }: AlertMessage): number => (severity === "critical" ? DIGEST_EVERY_MS : longestMs);
    const due = waiting.filter(({ message, dueAt }) => dueAt <= now || dueAt - now > most(message));
    const isQuiet = afterQuiet(now, schedule) > now;
    const released = due.filter(({ message }) => !isQuiet || message.severity === "critical");
    if (released.length === 0) return;
    // The messages that wait for a later digest join this one.
    const late = released.filter(({ message, dueAt }) => dueAt > message.at);
    const along = late.length === 0 ? [] : waiting.filter((one) => !released.includes(one) && !isQuiet);
    const gathered = [...late, ...along].map(({ message }) => message);
    // A single message that waited for days becomes a new digest, because it would be given up at its first failure.
    const isDigest = gathered.length > 1 || gathered.some(({ at }) => now - at > GIVE_UP_MS);
    const messages = [
      ...released.filter((one) => !late.includes(one)).map(({ message }) => message),
      ...(isDigest ? [digestMessage(gathered, now, language)] : gathered),
    ];
    const gone = new Set([...released, ...along]);
    const sent = messages.flatMap((message) => addressed(message, this.#channels, now));
    this.#keep([...this.#deliveries.filter((one) => !gone.has(one)), ...sent]);
  }

  /**
   * The starts of critical alerts come first, unless they are in a digest. A failing message holds back only messages about the same alert,
   * so that an end never arrives before its start.
   */
  #nextFor(channel: string, now: Millis): Delivery | null {
    const before = new Set<string>();
    let first: Delivery | null = null;
    for (const one of this.#deliveries) {
      if (one.channel !== channel) continue;
      const what = matterOf(one.message);
      const waitMs = one.dueAt - now;
      // A longer wait means that the clock was set back: the delivery should have happened already.
      const isDue = waitMs <= 0 || waitMs > retryMs(Math.max(1, one.attempts));
      if (isDue && !before.has(what)) {
        if (one.message.severity === "critical" && one.message.kind === "opened") return one;
        first ??= one;
      }
      before.add(what);
    }
    return first;
  }

  async #deliver(channel: AlertChannel, delivery: Delivery): Promise<void> {
    const { log, clock } = this.#parts;
    const outcome = await this.try(channel, delivery.message);
    const now = clock.now();
    // The same message can wait here twice, once left over from a removed channel.
    const others = (one: Delivery): boolean => one.channel !== channel.name || one.message.id !== delivery.message.id;
    if (outcome.ok) {
      this.#keep(this.#deliveries.filter(others));
      return;
    }
    const waits = "waits" in outcome;
    const attempts = waits ? 0 : delivery.attempts + 1;
    if (!waits) {
      const times = (this.#failing.get(channel.name)?.times ?? 0) + 1;
      this.#failing.set(channel.name, { times, why: outcome.reason });
      log.warn("An alert could not be delivered.", { channel: channel.name, attempts, why: outcome.reason });
    }
    const copies = (delivery.copies ?? 0) + ("isPartial" in outcome ? 1 : 0);
    const again: Delivery = { ...delivery, attempts, copies, dueAt: later(now, retryMs(Math.max(1, attempts))) };
    // The newest message of a failing channel stays: only an attempt shows that the channel works again.
    const newest = this.#deliveries.findLast((one) => one.channel === channel.name);
    const isProbe = this.failing.has(channel.name) && newest?.message.id === delivery.message.id;
    // The network may not work yet at the start, so messages that waited while the machine was off are tried for an hour.
    const isOld = now - delivery.message.at > GIVE_UP_MS && now - this.#startedAt > HOUR_MS;
    const isHopeless = copies >= MOST_COPIES || (isOld && !isProbe);
    const deliveries = this.#deliveries.flatMap((one) => (others(one) ? [one] : isHopeless ? [] : [again]));
    // A message that only waits is not stored again, because each would write to the database every few seconds.
    if (attempts === delivery.attempts && !isHopeless) this.#deliveries = deliveries;
    else this.#keep(deliveries);
  }

  #keep(deliveries: readonly Delivery[]): void {
    const surplus = deliveries.length - MOST_DELIVERIES;
    if (surplus > 0) {
      const isCritical = ({ message }: Delivery): boolean => message.severity === "critical";
      const leastFirst = [...deliveries.filter((one) => !isCritical(one)), ...deliveries.filter(isCritical)];
      const dropped = new Set(leastFirst.slice(0, surplus));
      this.#deliveries = deliveries.filter((one) => !dropped.has(one));
      this.#parts.log.warn("Too many alert messages are waiting; the oldest non-critical ones are dropped first.", {
        most: MOST_DELIVERIES,
      });
    } else this.#deliveries = deliveries;
    this.#parts.changed();
  }
}

function addressed(message: AlertMessage, channels: readonly AlertChannel[], dueAt: Millis): readonly Delivery[] {
  return channels.map(({ name }) => ({ message, channel: name, attempts: 0, dueAt }));
}

/** Messages about the same matter, such as an alert and its end, wait for each other. */
function matterOf({ code, id, subject }: AlertMessage): string {
  return `${code ?? id} ${subject}`;
}
