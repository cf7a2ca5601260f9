import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { contains, type Ip, type Prefix, parseIp, prefixOf } from "../../core/net/ip.ts";

type Limits = Readonly<{
  /** Total connections. */
  connections: number;
  /** Connections that one client, or one IPv6 unit, may hold at once. */
  connectionsAnAddress: number;
}>;
type Settings = Readonly<{ ipv6Prefix: number; trustedProxies: readonly Prefix[] }>;

/** `unit`: the client; `isProxys`: a trusted proxy, until a request names the client. */
type Held = { unit: Prefix; isProxys: boolean; asked: Asked | null };
type Asked = Readonly<{ request: IncomingMessage; response: ServerResponse }>;

/**
 * Shares the connections of a server among clients. If there are too many, the longest waiting connection of the greediest client is
 * closed: one that is idle, sends slowly or reads slowly. So clients that keep connections open cannot keep others out, even if they
 * share the address of a proxy or of loopback.
 */
export class ConnectionShares {
  readonly #limits: Limits;
  readonly #settings: Settings;
  /** Longest idle first. */
  readonly #open = new Map<Socket, Held>();

  constructor(limits: Limits, settings: Settings) {
    this.#limits = limits;
    this.#settings = settings;
  }

  watch(server: Server): void {
    server.on("connection", (socket: Socket) => this.#opened(socket));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#asked(request, response));
  }

  /** Counts the connection for the client that a request names. False: all places of the client are at work. */
  isWithin(socket: Socket, client: Ip): boolean {
    const held = this.#open.get(socket);
    if (held === undefined) return true;
    held.unit = prefixOf(client, this.#settings.ipv6Prefix);
    held.isProxys = false;
    return this.#makeRoom(socket, held);
  }

  #opened(socket: Socket): void {
    const ip = parseIp(socket.remoteAddress?.replace(/%.*$/, "") ?? "");
    // Closed before it was counted.
    if (ip === null) return void socket.destroy();
    const isProxys = this.#settings.trustedProxies.some((network) => contains(network, ip));
    const held = { unit: prefixOf(ip, this.#settings.ipv6Prefix), isProxys, asked: null };
    this.#open.set(socket, held);
    socket.once("close", () => this.#open.delete(socket));
    if (!this.#makeRoom(socket, held)) this.#close(socket);
  }

  #asked(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const held = this.#open.get(socket);
    if (held === undefined) return;
    held.asked = { request, response };
    response.once("close", () => {
      held.asked = null;
      if (this.#open.delete(socket) && !socket.destroyed) this.#open.set(socket, held);
    });
  }

  #makeRoom(socket: Socket, held: Held): boolean {
    const isFull = this.#open.size > this.#limits.connections;
    const ofUnit = this.#of(held);
    if (!held.isProxys && ofUnit.length > this.#limits.connectionsAnAddress) return this.#closeFirst(ofUnit, socket);
    if (!isFull) return true;
    const units = Map.groupBy(this.#open, ([, one]) => nameOf(one));
    const greediest = [...units.values()].toSorted((a, b) => b.length - a.length);
    return greediest.some((unit) => this.#closeFirst(unit, socket));
  }

  /** Closes the first connection that waits for its client, except the new one. False: none waits. */
  #closeFirst(held: readonly (readonly [Socket, Held])[], except: Socket): boolean {
    const waiting = held.find(([socket, one]) => socket !== except && waitsForClient(one));
    if (waiting !== undefined) this.#close(waiting[0]);
    return waiting !== undefined;
  }

  /** It no longer counts from now on: its close event comes later, and more clients may arrive before. */
  #close(socket: Socket): void {
    this.#open.delete(socket);
    socket.destroy();
  }

  #of(held: Held): readonly (readonly [Socket, Held])[] {
    return [...this.#open].filter(([, one]) => nameOf(one) === nameOf(held));
  }
}

function nameOf({ unit, isProxys }: Held): string {
  return isProxys ? `through ${unit}` : unit;
}

/** Nothing is being processed: no complete request has arrived, or the answer waits to be read. */
function waitsForClient({ asked }: Held): boolean {
  return asked === null || !asked.request.complete || asked.response.writableEnded;
}
