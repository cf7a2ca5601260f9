import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { BoundedMap } from "../../core/bounded-map.ts";
import { contains, type Ip, type Prefix, prefixOf } from "../../core/net/ip.ts";
import { type Millis, SECOND_MS } from "../../core/time.ts";
import { type Caller, identityOf } from "./access.ts";
import { parseSocketIp } from "./client-address.ts";
import { API_LIMITS, type ApiLimits } from "./limits.ts";
import type { ApiSettings } from "./ports.ts";
import { problem } from "./problem.ts";

type Limits = Pick<ApiLimits, "connections" | "connectionsAnAddress">;
type Settings = Pick<ApiSettings, "ipv6Prefix" | "trustedProxies">;

/** `unit`: the client. `isProxys`: opened by a trusted proxy, and no request has named the client yet. */
type Held = { unit: Prefix; isProxys: boolean; asked: Asked | null };
type Asked = Readonly<{ request: IncomingMessage; response: ServerResponse }>;

/**
 * Shares the connections among clients. If there are too many, the client with the most loses the one that has waited longest for it
 * (idle, or slow to send or read). So no one can lock others out by holding connections, not even through a proxy.
 */
export function createConnectionShares(limits: Limits, { ipv6Prefix, trustedProxies }: Settings) {
  /** Open connections, the longest idle first. */
  const open = new Map<Socket, Held>();
  /** How many requests of each client are in progress. */
  const running = new Map<Prefix, number>();

  function opened(socket: Socket): void {
    const ip = parseSocketIp(socket.remoteAddress);
    // The client closed it before it was counted.
    if (ip === null) return void socket.destroy();
    const isProxys = trustedProxies.some((network) => contains(network, ip));
    const held = { unit: prefixOf(ip, ipv6Prefix), isProxys, asked: null };
    open.set(socket, held);
    socket.once("close", () => open.delete(socket));
    if (!makeRoom(socket, held)) close(socket);
  }

  function asked(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const held = open.get(socket);
    if (held === undefined) return;
    // Browsers and proxies do not pipeline (RFC 9112, 9.3.2). Otherwise thousands of requests would count as one connection.
    if (held.asked !== null && !held.asked.response.writableEnded) return close(socket);
    held.asked = { request, response };
    response.once("close", () => {
      // The next request may have arrived while the client read this answer.
      if (held.asked?.response !== response) return;
      held.asked = null;
      if (open.delete(socket) && !socket.destroyed) open.set(socket, held);
    });
  }

  function makeRoom(socket: Socket, held: Held): boolean {
    const ofUnit = [...open].filter(([, one]) => nameOf(one) === nameOf(held));
    if (!held.isProxys && ofUnit.length > limits.connectionsAnAddress) return closeFirst(ofUnit, socket);
    if (open.size <= limits.connections) return true;
    const units = Map.groupBy(open, ([, one]) => nameOf(one));
    const greediest = [...units.values()].toSorted((a, b) => b.length - a.length);
    return greediest.some((unit) => closeFirst(unit, socket));
  }

  /** Closes the first connection that waits for its client, except the new one. False if none waits. */
  function closeFirst(held: readonly (readonly [Socket, Held])[], except: Socket): boolean {
    const waiting = held.find(([socket, one]) => socket !== except && waitsForClient(one));
    if (waiting !== undefined) close(waiting[0]);
    return waiting !== undefined;
  }

  /** Stops counting it at once, because its close event comes later. */
  function close(socket: Socket): void {
    open.delete(socket);
    socket.destroy();
  }

  return {
    watch: (server: Server): void => {
      server.on("connection", opened);
      // Prepended, so that no handler runs for a connection that `asked` closes.
      server.prependListener("request", asked);
    },
    /** Runs a client's request, up to as many at once as it may have connections, because abandoned ones run to their end. */
    run: async <T>(client: Ip, work: () => Promise<T>): Promise<T | "too_many"> => {
      const unit = prefixOf(client, ipv6Prefix);
      const count = running.get(unit) ?? 0;
      if (count >= limits.connectionsAnAddress) return "too_many";
      running.set(unit, count + 1);
      try {
        return await work();
      } finally {
        const left = (running.get(unit) ?? 1) - 1;
        if (left === 0) running.delete(unit);
        else running.set(unit, left);
      }
    },
    /** Counts the connection for the client that a request names. False if all connections of the client are busy. */
    isWithin: (socket: Socket, client: Ip): boolean => {
      const held = open.get(socket);
      if (held === undefined) return true;
      held.unit = prefixOf(client, ipv6Prefix);
      held.isProxys = false;
      return makeRoom(socket, held);
    },
  };
}

function nameOf({ unit, isProxys }: Held): string {
  return isProxys ? `through ${unit}` : unit;
}

/** Whether nothing is in progress: no complete request has arrived, or the answer waits to be read. */
function waitsForClient({ asked }: Held): boolean {
  return asked === null || !asked.request.complete || asked.response.writableEnded;
}

/**
 * Limits the requests of each caller (`identityOf`) per minute, so that a busy one leaves time for others. The headers are those of
 * draft-ietf-httpapi-ratelimit-headers.
 */
export function createRates() {
  const spent = new BoundedMap<string, { readonly since: Millis; count: number }>(API_LIMITS.callers);
  return (caller: string, now: Millis) => {
    const { requests, requestsMs } = API_LIMITS;
    const known = spent.get(caller);
    const isPast = known === undefined || now < known.since || now - known.since >= requestsMs;
    const window = isPast ? { since: now, count: 0 } : known;
    window.count += 1;
    if (isPast) spent.set(caller, window);
    const resetSeconds = Math.ceil((window.since + requestsMs - now) / SECOND_MS);
    const left = Math.max(0, requests - window.count);
    const headers = {
      "ratelimit-policy": `"caller";q=${requests};w=${requestsMs / SECOND_MS}`,
      ratelimit: `"caller";r=${left};t=${resetSeconds}`,
    };
    return { isOver: window.count > requests, resetSeconds, headers };
  };
}

type Turns = ReturnType<typeof createTurns>;

/**
 * Returns a function that runs up to `atOnce` tasks at once; others wait in order for a limited time. It resolves with the result of
 * the task, or `no_turn` if no place became free in time.
 */
export function createTurns(atOnce: number, waitMs: number) {
  const waiting = new Set<() => void>();
  let running = 0;
  const enter = async (): Promise<boolean> => {
    if (running < atOnce) {
      running += 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const proceed = (): void => resolve(true);
    const timer = setTimeout(() => {
      waiting.delete(proceed);
      resolve(false);
    }, waitMs);
    waiting.add(proceed);
    return promise.finally(() => clearTimeout(timer));
  };
  /** Passes the place on to the next waiting task. */
  const leave = (): void => {
    for (const proceed of waiting) {
      waiting.delete(proceed);
      return proceed();
    }
    running -= 1;
  };
  return async <R>(work: () => Promise<R>): Promise<R | "no_turn"> => {
    if (!(await enter())) return "no_turn";
    try {
      return await work();
    } finally {
      leave();
    }
  };
}

/** `turns`: used only for users of mailboxes. */
type Share = { count: number; readonly turns: Turns };

/** Limits the pending queries of each caller, so that a busy one leaves room for others. */
export function createReadShares() {
  const { readsOfOne, mailboxReadsOfOne, mailboxReads, mailboxReadWaitMs } = API_LIMITS;
  const shares = new Map<string, Share>();
  const mailboxes = createTurns(mailboxReads, mailboxReadWaitMs);

  /** Lets reads wait, because a page sends several at once: first in the user's own queue, so that a busy user does not delay others. */
  async function inTurn(own: Turns, read: () => Promise<Response>): Promise<Response> {
    const answered = await own(() => mailboxes(read));
    return answered === "no_turn" ? tooMany("mailbox users") : answered;
  }

  return async (reader: Caller, read: () => Promise<Response>): Promise<Response> => {
    const name = identityOf(reader);
    const share = shares.get(name) ?? { count: 0, turns: createTurns(mailboxReadsOfOne, mailboxReadWaitMs) };
    if (share.count >= readsOfOne) return tooMany("this session or token");
    shares.set(name, share);
    share.count += 1;
    try {
      return reader.account === null ? await read() : await inTurn(share.turns, read);
    } finally {
      share.count -= 1;
      if (share.count === 0) shares.delete(name);
    }
  };
}

function tooMany(whose: string): Response {
  return problem("busy", `Too many requests of ${whose} are in progress.`, { headers: { "retry-after": "2" } });
}
