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
   * `repeatEveryMs`. Otherwise the orders would expire, and the kernel would count without the known addresses.
   */
  everyMs: SECOND_MS,
  pausePerLook: 20,
  /**
   * A check reads the kernel's whole table of connections, whose size depends on the machine's memory: 10 ms with 24 GB. If a check found
   * nothing to do, up to this many are skipped while no more sockets are in use than at that check.
   */
  mostLeftOut: 3,
  /** While ports are nearly full. Clients wait for the next check then, and on a busy machine each check takes long. */
  pausePerCrowdedLook: 2,
  /** How long the kernel keeps the guard's orders, and how often the guard repeats them. */
  ordersLastS: 15,
  repeatEveryMs: 5 * SECOND_MS,
  /** After connections could not be closed, how long the kernel counts new ones, unless closing works sooner. */
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
export function createConnectionWatch({ kernel, rules, ports, known, room, log }: ConnectionWatchParts) {
  let before: ReadonlySet<string> | null = null;
  /** After a check that found nothing to do: how many sockets were in use then, and how many checks may still be skipped. */
  let quiet: Readonly<{ sockets: number; left: number }> | null = null;
  let lastOrders = "";
  let sentAt = Number.NEGATIVE_INFINITY;
  /** The latest failure to close connections, for `unableForMs`. */
  let unable: Readonly<{ reason: string; at: number }> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isCrowded = false;
  let looking: Promise<void> = Promise.resolve();
  let isStopped = false;
  const report = reportOnce((reason) => log.warn("Cannot limit the connections that a client holds open.", { reason }));

  /**
   * With more sockets than at the last check, someone may hold more. With the same number, new clients may have replaced
   * those who left, so this is trusted only a few times, and not when the kernel's orders must be repeated.
   */
  const isQuietStill = (sockets: number | null): boolean => {
    if (quiet === null || sockets === null || sockets > quiet.sockets || quiet.left === 0) return false;
    if (performance.now() - sentAt >= CONNECTION_WATCH.repeatEveryMs) return false;
    quiet = { sockets, left: quiet.left - 1 };
    return true;
  };

  /**
   * If connections cannot be closed, the guard cannot correct what it sees too late. The kernel then counts at the SYN, as it does
   * while the guard is down.
   */
  const endExcess = async ({ excess }: ConnectionPlan): Promise<void> => {
    const at = performance.now();
    if (unable !== null && at - unable.at >= CONNECTION_WATCH.unableForMs) unable = null;
    if (excess.length === 0) return;
    const ended = await kernel.end(excess);
    unable = ended.ok ? null : { reason: `${ended.reason} Until then the kernel counts new connections.`, at };
  };

  /** Returns the reason of a failure, or null. */
  const sendOrders = async ({ refused, full }: ConnectionPlan): Promise<string | null> => {
    const watched = unable === null ? ports() : [];
    const text = `${watched.join()} ${full.join()} ${refused.map(({ prefix, port }) => `${prefix} ${port}`).join()}`;
    if (text === lastOrders && performance.now() - sentAt < CONNECTION_WATCH.repeatEveryMs) return null;
    const orders = {
      watched,
      refused: refused.slice(0, CONNECTION_WATCH.mostRefused),
      full,
      known: full.length === 0 ? [] : known().slice(0, CONNECTION_WATCH.mostKnown),
    };
    const sent = await kernel.sendOrders(orders, CONNECTION_WATCH.ordersLastS);
    if (!sent.ok) return sent.reason;
    lastOrders = text;
    sentAt = performance.now();
    return null;
  };

  /** Runs one check. Never throws. */
  const look = async (): Promise<void> => {
    try {
      const sockets = await kernel.sockets();
      if (isQuietStill(sockets)) return;
      const open = await kernel.connections(ports());
      const roomPlan = await room.plan(open);
      isCrowded = roomPlan.isCrowded;
      const crowding = new Set(roomPlan.end);
      const left = open.filter((one) => !crowding.has(one));
      const kept = planConnections(left, before, rules());
      const plan = { ...kept, refused: [...roomPlan.refused, ...kept.refused], excess: [...crowding, ...kept.excess] };
      const excess = new Set(plan.excess.map(connectionName));
      // If closing a connection fails, the next check retries.
      before = new Set(open.map(connectionName).filter((key) => !excess.has(key)));
      const trouble = await sendOrders(plan);
      await endExcess(plan);
      report(trouble ?? unable?.reason ?? null);
      const isWithin = [plan.refused, plan.full, plan.excess].every(({ length }) => length === 0);
      const isQuiet = !isCrowded && trouble === null && isWithin;
      quiet = isQuiet && sockets !== null ? { sockets, left: CONNECTION_WATCH.mostLeftOut } : null;
    } catch (error) {
      quiet = null;
      report(messageOf(error));
    }
  };

  const run = async (): Promise<void> => {
    const from = performance.now();
    await look();
    if (isStopped) return;
    const tookMs = performance.now() - from;
    const perLook = isCrowded ? CONNECTION_WATCH.pausePerCrowdedLook : CONNECTION_WATCH.pausePerLook;
    const pauseMs = Math.min(CONNECTION_WATCH.repeatEveryMs, Math.max(CONNECTION_WATCH.everyMs, perLook * tookMs));
    timer = setTimeout(start, pauseMs);
  };
  const start = (): void => {
    looking = run();
  };

  return {
    look,
    start,
    /** Lets the kernel count from then on. */
    stop: async (): Promise<void> => {
      isStopped = true;
      clearTimeout(timer);
      await looking;
      if (sentAt === Number.NEGATIVE_INFINITY) return;
      const none = { watched: [], refused: [], full: [], known: [] };
      await kernel.sendOrders(none, CONNECTION_WATCH.ordersLastS);
    },
  };
}
