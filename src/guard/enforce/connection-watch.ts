import { messageOf, reportOnce } from "../../core/error.ts";
import { connectionName } from "../../core/events/connection.ts";
import { type ConnectionPlan, type ConnectionRules, planConnections } from "../../core/firewall/connection-shares.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { HOUR_MS, SECOND_MS } from "../../core/time.ts";
import type { OpenConnections } from "../network-ports.ts";
import type { Log } from "../ports.ts";
import type { createPortRoom } from "./port-room.ts";

export const CONNECTION_WATCH = {
  /**
   * Pause between two checks. It is longer if checks are expensive, so that they take a twentieth of the time, but never longer than
   * `repeatEveryMs`: otherwise the kernel would count, without known addresses.
   */
  everyMs: SECOND_MS,
  pausePerLook: 20,
  /**
   * A check reads the kernel's whole table of connections, whose size depends on the machine's memory: 10 ms with 24 GB. So up to this
   * many in a row are skipped while no more sockets are in use than at the last check, if that found nothing to do.
   */
  mostLeftOut: 3,
  /** While ports are nearly full: clients wait for the next check, and on a busy machine each takes long. */
  pausePerCrowdedLook: 2,
  /** How long the kernel keeps the guard's orders, and how often the guard repeats them. */
  ordersLastS: 15,
  repeatEveryMs: 5 * SECOND_MS,
  /** How long the kernel counts after connections could not be closed, unless closing works sooner. */
  unableForMs: HOUR_MS,
  /** Maximum known prefixes in the kernel's orders for a full port; the latest are kept. */
  mostKnown: 10_000,
  mostRefused: 10_000,
} as const;

type ConnectionWatchParts = Readonly<{
  kernel: OpenConnections;
  /** Read at each check. */
  rules: () => ConnectionRules;
  ports: () => readonly number[];
  /** Prefixes from which accounts signed in recently. */
  known: () => readonly Prefix[];
  room: ReturnType<typeof createPortRoom>;
  log: Log;
}>;

/** Counts open connections regularly, and makes the kernel refuse more when a limit is reached. */
export class ConnectionWatch {
  readonly #parts: ConnectionWatchParts;
  #before: ReadonlySet<string> | null = null;
  /** After a check that found nothing to do: how many sockets were in use then, and how many checks may still be skipped. */
  #quiet: { sockets: number; left: number } | null = null;
  #lastOrders = "";
  #sentAt = Number.NEGATIVE_INFINITY;
  readonly #report: (trouble: string | null) => void;
  /** Why connections could not be closed, and when. */
  #unable: Readonly<{ reason: string; at: number }> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isCrowded = false;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: ConnectionWatchParts) {
    this.#parts = parts;
    this.#report = reportOnce((reason) =>
      parts.log.warn("Cannot limit the connections that a client holds open.", { reason }),
    );
  }

  start(): void {
    this.#looking = this.#run();
  }

  /** Afterwards the kernel counts. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#looking;
    if (this.#sentAt === Number.NEGATIVE_INFINITY) return;
    await this.#parts.kernel.sendOrders(
      { watched: [], refused: [], full: [], known: [] },
      CONNECTION_WATCH.ordersLastS,
    );
  }

  /** Runs one check. Never throws. */
  async look(): Promise<void> {
    try {
      const { kernel, rules, ports, room } = this.#parts;
      const sockets = await kernel.sockets();
      if (this.#isQuietStill(sockets)) return;
      const open = await kernel.connections(ports());
      const roomPlan = await room.plan(open);
      this.#isCrowded = roomPlan.isCrowded;
      const crowding = new Set(roomPlan.end);
      const left = open.filter((one) => !crowding.has(one));
      const kept = planConnections(left, this.#before, rules());
      const plan = { ...kept, refused: [...roomPlan.refused, ...kept.refused], excess: [...crowding, ...kept.excess] };
      const excess = new Set(plan.excess.map(connectionName));
      // If closing a connection fails, the next check retries.
      this.#before = new Set(open.map(connectionName).filter((key) => !excess.has(key)));
      const trouble = await this.#sendOrders(plan);
      await this.#end(plan);
      this.#report(trouble ?? this.#unable?.reason ?? null);
      const isWithin = [plan.refused, plan.full, plan.excess].every(({ length }) => length === 0);
      const isQuiet = !this.#isCrowded && trouble === null && isWithin;
      this.#quiet = isQuiet && sockets !== null ? { sockets, left: CONNECTION_WATCH.mostLeftOut } : null;
    } catch (error) {
      this.#quiet = null;
      this.#report(messageOf(error));
    }
  }

  /**
   * With more sockets than at the last check, someone may hold more. With the same number, new clients may have replaced
   * those who left, so this is trusted only a few times, and not when the kernel's orders must be repeated.
   */
  #isQuietStill(sockets: number | null): boolean {
    if (this.#quiet === null || sockets === null || sockets > this.#quiet.sockets || this.#quiet.left === 0)
      return false;
    if (performance.now() - this.#sentAt >= CONNECTION_WATCH.repeatEveryMs) return false;
    this.#quiet = { sockets, left: this.#quiet.left - 1 };
    return true;
  }

  async #run(): Promise<void> {
    const start = performance.now();
    await this.look();
    if (this.#stopped) return;
    const tookMs = performance.now() - start;
    const perLook = this.#isCrowded ? CONNECTION_WATCH.pausePerCrowdedLook : CONNECTION_WATCH.pausePerLook;
    const pauseMs = Math.min(CONNECTION_WATCH.repeatEveryMs, Math.max(CONNECTION_WATCH.everyMs, perLook * tookMs));
    this.#timer = setTimeout(() => this.start(), pauseMs);
  }

  /**
   * If connections cannot be closed, the guard would be too late. The kernel then counts at the SYN, as it does while
   * the guard is down.
   */
  async #end({ excess }: ConnectionPlan): Promise<void> {
    const at = performance.now();
    if (this.#unable !== null && at - this.#unable.at >= CONNECTION_WATCH.unableForMs) this.#unable = null;
    if (excess.length === 0) return;
    const ended = await this.#parts.kernel.end(excess);
    this.#unable = ended.ok ? null : { reason: `${ended.reason} Until then the kernel counts new connections.`, at };
  }

  /** Returns the reason of a failure, or null. */
  async #sendOrders({ refused, full }: ConnectionPlan): Promise<string | null> {
    const { kernel, ports, known } = this.#parts;
    const watched = this.#unable === null ? ports() : [];
    const text = `${watched.join()} ${full.join()} ${refused.map(({ prefix, port }) => `${prefix} ${port}`).join()}`;
    if (text === this.#lastOrders && performance.now() - this.#sentAt < CONNECTION_WATCH.repeatEveryMs) return null;
    const orders = {
      watched,
      refused: refused.slice(0, CONNECTION_WATCH.mostRefused),
      full,
      known: full.length === 0 ? [] : known().slice(0, CONNECTION_WATCH.mostKnown),
    };
    const sent = await kernel.sendOrders(orders, CONNECTION_WATCH.ordersLastS);
    if (!sent.ok) return sent.reason;
    this.#lastOrders = text;
    this.#sentAt = performance.now();
    return null;
  }
}
