import { messageOf } from "../../core/error.ts";
import { type DoorPlan, type DoorRules, keyOf, planDoors } from "../../core/firewall/doors.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { HOUR_MS, SECOND_MS } from "../../core/time.ts";
import type { Doors, Log } from "../ports.ts";

export const DOOR_WATCH = {
  /** From the end of a look to the next; longer where looks are dear, so that they take a twentieth of the time at most. */
  everyMs: SECOND_MS,
  pausePerLook: 20,
  /** How long the kernel believes the guard, and how often it is told again. */
  saidForS: 15,
  sayEveryMs: 5 * SECOND_MS,
  /** How long the kernel is left to count by itself once connections could not be ended, unless they can be sooner. */
  unableForMs: HOUR_MS,
  /** Known units that the kernel is told of where a port is full, the latest. */
  mostKnown: 10_000,
  mostHeld: 10_000,
} as const;

export type DoorWatchParts = Readonly<{
  doors: Doors;
  /** Asked at each look. */
  rules: () => DoorRules;
  ports: () => readonly number[];
  /** Units from which accounts signed in lately. */
  known: () => readonly Prefix[];
  log: Log;
}>;

/** Counts the connections that stand, again and again, and has the kernel refuse more where a limit is reached. */
export class DoorWatch {
  readonly #parts: DoorWatchParts;
  #before: ReadonlySet<string> | null = null;
  #said = "";
  #saidAt = Number.NEGATIVE_INFINITY;
  #trouble: string | null = null;
  /** Why connections could not be ended, and when. */
  #unable: Readonly<{ reason: string; at: number }> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: DoorWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#looking = this.#goOn();
  }

  /** From then on the kernel counts by itself. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#looking;
    if (this.#saidAt === Number.NEGATIVE_INFINITY) return;
    await this.#parts.doors.say({ watched: [], held: [], full: [], known: [] }, DOOR_WATCH.saidForS);
  }

  /** One look. Never throws. */
  async look(): Promise<void> {
    try {
      const { doors, rules, ports } = this.#parts;
      const open = await doors.connections(ports());
      const plan = planDoors(open, this.#before, rules());
      const excess = new Set(plan.excess.map(keyOf));
      // What is not ended after all is tried again.
      this.#before = new Set(open.map(keyOf).filter((key) => !excess.has(key)));
      const trouble = await this.#say(plan);
      await this.#end(plan);
      this.#report(trouble ?? this.#unable?.reason ?? null);
    } catch (error) {
      this.#report(messageOf(error));
    }
  }

  async #goOn(): Promise<void> {
    const began = performance.now();
    await this.look();
    if (this.#stopped) return;
    const tookMs = performance.now() - began;
    const pauseMs = Math.max(DOOR_WATCH.everyMs, DOOR_WATCH.pausePerLook * tookMs);
    this.#timer = setTimeout(() => this.start(), pauseMs);
  }

  /** Where that cannot be done, the guard would come too late: the kernel counts at the SYN, as while the guard is down. */
  async #end({ excess }: DoorPlan): Promise<void> {
    const at = performance.now();
    if (this.#unable !== null && at - this.#unable.at >= DOOR_WATCH.unableForMs) this.#unable = null;
    if (excess.length === 0) return;
    const ended = await this.#parts.doors.end(excess);
    this.#unable = ended.ok ? null : { reason: `${ended.reason} The kernel counts new connections by itself.`, at };
  }

  /** Null if all is well. */
  async #say({ held, full }: DoorPlan): Promise<string | null> {
    const { doors, ports, known } = this.#parts;
    const watched = this.#unable === null ? ports() : [];
    const text = `${watched.join()} ${full.join()} ${held.map(({ unit, port }) => `${unit} ${port}`).join()}`;
    if (text === this.#said && performance.now() - this.#saidAt < DOOR_WATCH.sayEveryMs) return null;
    const words = {
      watched,
      held: held.slice(0, DOOR_WATCH.mostHeld),
      full,
      known: full.length === 0 ? [] : known().slice(0, DOOR_WATCH.mostKnown),
    };
    const said = await doors.say(words, DOOR_WATCH.saidForS);
    if (!said.ok) return said.reason;
    this.#said = text;
    this.#saidAt = performance.now();
    return null;
  }

  /** Once for each reason. */
  #report(trouble: string | null): void {
    if (trouble !== null && trouble !== this.#trouble)
      this.#parts.log.warn("Connections held at once are not limited as they should be.", { reason: trouble });
    this.#trouble = trouble;
  }
}
