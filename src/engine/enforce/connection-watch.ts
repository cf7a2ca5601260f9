import { messageOf } from "../../core/error.ts";
import {
  type ConnectionPlan,
  type ConnectionRules,
  connectionKey,
  planConnections,
} from "../../core/firewall/open-connections.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { HOUR_MS, SECOND_MS } from "../../core/time.ts";
import type { OpenConnections } from "../network-ports.ts";
import type { Log } from "../ports.ts";

export const CONNECTION_WATCH = {
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

export type ConnectionWatchParts = Readonly<{
  kernel: OpenConnections;
  /** Asked at each look. */
  rules: () => ConnectionRules;
  ports: () => readonly number[];
  /** Units from which accounts signed in lately. */
  known: () => readonly Prefix[];
  log: Log;
}>;

/** Counts the connections that stand, again and again, and has the kernel refuse more where a limit is reached. */
export class ConnectionWatch {
  readonly #parts: ConnectionWatchParts;
  #before: ReadonlySet<string> | null = null;
  #said = "";
  #saidAt = Number.NEGATIVE_INFINITY;
  #trouble: string | null = null;
  /** Why connections could not be ended, and when. */
  #unable: Readonly<{ reason: string; at: number }> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: ConnectionWatchParts) {
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
    await this.#parts.kernel.say({ watched: [], held: [], full: [], known: [] }, CONNECTION_WATCH.saidForS);
  }

  /** One look. Never throws. */
  async look(): Promise<void> {
    try {
      const { kernel, rules, ports } = this.#parts;
      const open = await kernel.connections(ports());
      const plan = planConnections(open, this.#before, rules());
      const excess = new Set(plan.excess.map(connectionKey));
      // What is not ended after all is tried again.
      this.#before = new Set(open.map(connectionKey).filter((key) => !excess.has(key)));
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
    const pauseMs = Math.max(CONNECTION_WATCH.everyMs, CONNECTION_WATCH.pausePerLook * tookMs);
    this.#timer = setTimeout(() => this.start(), pauseMs);
  }

  /** Where that cannot be done, the guard would come too late: the kernel counts at the SYN, as while the guard is down. */
  async #end({ excess }: ConnectionPlan): Promise<void> {
    const at = performance.now();
    if (this.#unable !== null && at - this.#unable.at >= CONNECTION_WATCH.unableForMs) this.#unable = null;
    if (excess.length === 0) return;
    const ended = await this.#parts.kernel.end(excess);
    this.#unable = ended.ok ? null : { reason: `${ended.reason} The kernel counts new connections by itself.`, at };
  }

  /** Null if all is well. */
  async #say({ held, full }: ConnectionPlan): Promise<string | null> {
    const { kernel, ports, known } = this.#parts;
    const watched = this.#unable === null ? ports() : [];
    const text = `${watched.join()} ${full.join()} ${held.map(({ unit, port }) => `${unit} ${port}`).join()}`;
    if (text === this.#said && performance.now() - this.#saidAt < CONNECTION_WATCH.sayEveryMs) return null;
    const words = {
      watched,
      held: held.slice(0, CONNECTION_WATCH.mostHeld),
      full,
      known: full.length === 0 ? [] : known().slice(0, CONNECTION_WATCH.mostKnown),
    };
    const said = await kernel.say(words, CONNECTION_WATCH.saidForS);
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
