import { afterQuiet, GIVE_UP_MS, retryMs, type Schedule, tellAt } from "../../core/alerts/schedule.ts";
import { later, type Millis } from "../../core/time.ts";
import type { Clock, Log } from "../ports.ts";
import type { AlertChannel, AlertMessage, Delivery } from "./ports.ts";
import { digestMessage } from "./words.ts";

/** Deliveries on their way, all channels together; past it the oldest is given up. */
const MOST_DELIVERIES = 1_000;
/** A channel that has failed so often in a row is told of. */
const FAILURES_TOLD = 3;

export type OutboxParts = Readonly<{
  clock: Clock;
  log: Log;
  /** Called whenever what is on its way has changed, for it to be kept. */
  changed: () => void;
}>;

/**
 * Brings each message to each channel: one at a time each, again and again until it is taken. After a crash
 * in between it may be told twice, under the same id.
 */
export class AlertOutbox {
  readonly #parts: OutboxParts;
  #deliveries: readonly Delivery[];
  #channels: readonly AlertChannel[] = [];
  readonly #busy = new Map<string, Promise<void>>();
  readonly #failing = new Map<string, Readonly<{ times: number; why: string }>>();

  constructor(deliveries: readonly Delivery[], parts: OutboxParts) {
    this.#deliveries = deliveries;
    this.#parts = parts;
  }

  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  /** Why a channel has failed several times in a row, by its name. */
  get failing(): ReadonlyMap<string, string> {
    const told = [...this.#failing].filter(([, { times }]) => times >= FAILURES_TOLD);
    return new Map(told.map(([name, { why }]) => [name, why]));
  }

  use(channels: readonly AlertChannel[]): void {
    this.#channels = channels;
    const isThere = (name: string): boolean => channels.some((channel) => channel.name === name);
    for (const name of this.#failing.keys()) if (!isThere(name)) this.#failing.delete(name);
    this.#keep(this.#deliveries.filter(({ channel }) => channel === null || isThere(channel)));
  }

  add(messages: readonly AlertMessage[], schedule: Schedule): void {
    if (messages.length === 0) return;
    const waiting = messages.map((message): Delivery => {
      return { message, channel: null, attempts: 0, dueAt: tellAt(message.severity, message.at, schedule) };
    });
    this.#keep([...this.#deliveries, ...waiting]);
  }

  /** To be called every second or so. Never waits. */
  round(schedule: Schedule): void {
    this.#release(schedule);
    const now = this.#parts.clock.now();
    for (const channel of this.#channels) {
      if (this.#busy.has(channel.name)) continue;
      const next = this.#nextFor(channel.name, now);
      if (next === null) continue;
      const sending = this.#deliver(channel, next).finally(() => this.#busy.delete(channel.name));
      this.#busy.set(channel.name, sending);
    }
  }

  /** Resolves once nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /** What may be told now is addressed to every channel; what had to wait, as one message. */
  #release(schedule: Schedule): void {
    const now = this.#parts.clock.now();
    const waiting = this.#deliveries.filter(({ channel }) => channel === null);
    const due = waiting.filter(({ dueAt }) => dueAt <= now);
    const isQuiet = afterQuiet(now, schedule) > now;
    const released = due.filter(({ message }) => !isQuiet || message.severity === "critical");
    if (released.length === 0) return;
    // Whatever else waits for a digest goes along with what has waited.
    const late = released.filter(({ message, dueAt }) => dueAt > message.at);
    const along = late.length === 0 ? [] : waiting.filter((one) => !released.includes(one) && !isQuiet);
    const gathered = [...late, ...along].map(({ message }) => message);
    const messages = [
      ...released.filter((one) => !late.includes(one)).map(({ message }) => message),
      ...(gathered.length > 1 ? [digestMessage(gathered, now)] : gathered),
    ];
    const gone = new Set([...released, ...along]);
    const addressed = messages.flatMap((message) =>
      this.#channels.map(({ name }): Delivery => ({ message, channel: name, attempts: 0, dueAt: now })),
    );
    this.#keep([...this.#deliveries.filter((one) => !gone.has(one)), ...addressed]);
  }

  /** One that fails holds back no others but those about the same thing: no end is told before its beginning. */
  #nextFor(channel: string, now: Millis): Delivery | null {
    const before = new Set<string>();
    for (const one of this.#deliveries) {
      if (one.channel !== channel) continue;
      const what = `${one.message.code ?? one.message.id} ${one.message.subject}`;
      const waitMs = one.dueAt - now;
      // What lies further ahead was due before the clock was set back.
      const isDue = waitMs <= 0 || waitMs > retryMs(Math.max(1, one.attempts));
      if (isDue && !before.has(what)) return one;
      before.add(what);
    }
    return null;
  }

  async #deliver(channel: AlertChannel, delivery: Delivery): Promise<void> {
    const { log, clock } = this.#parts;
    const outcome = await channel.send(delivery.message);
    const now = clock.now();
    const others = (one: Delivery): boolean => one !== delivery;
    if (outcome.ok) {
      this.#failing.delete(channel.name);
      this.#keep(this.#deliveries.filter(others));
      return;
    }
    const attempts = delivery.attempts + 1;
    this.#failing.set(channel.name, { times: (this.#failing.get(channel.name)?.times ?? 0) + 1, why: outcome.reason });
    log.warn("An alert could not be delivered.", { channel: channel.name, attempts, why: outcome.reason });
    const again: Delivery = { ...delivery, attempts, dueAt: later(now, retryMs(attempts)) };
    const isHopeless = now - delivery.message.at > GIVE_UP_MS;
    this.#keep(this.#deliveries.flatMap((one) => (others(one) ? [one] : isHopeless ? [] : [again])));
  }

  #keep(deliveries: readonly Delivery[]): void {
    const kept = deliveries.slice(-MOST_DELIVERIES);
    if (kept.length < deliveries.length)
      this.#parts.log.warn("Too many alerts wait; the oldest are given up.", { most: MOST_DELIVERIES });
    this.#deliveries = kept;
    this.#parts.changed();
  }
}
