import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { connectionName } from "../../core/events/connection.ts";
import { type Connection } from "../../core/firewall/connection-shares.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";

/** A client of an IPv4 address may have an IPv6 socket, so both tables are needed. The second is missing without IPv6. */
export const TCP_TABLES = ["/proc/net/tcp", "/proc/net/tcp6"] as const;

/**
 * Established connections to these ports, from one of `TCP_TABLES` (proc(5)): one line for each socket,
 * addresses in hexadecimal, as 32-bit words in the machine's byte order. Half-open ones (SYN_RECV) have another state.
 */
export function parseConnections(text: string, ports: ReadonlySet<number>, order?: ByteOrder): readonly Connection[] {
  const found: Connection[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const line = text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
    const match = PROC_LINE.exec(line);
    const port = Number.parseInt(match?.[1] ?? "", 16);
    if (match === null || !ports.has(port)) continue;
    const ip = parseKernelIp(match[2] ?? "", order);
    if (ip !== null) found.push({ ip, clientPort: Number.parseInt(match[3] ?? "", 16), port });
  }
  return found;
}

/** A listening socket with its user and its inode. */
export type ListeningSocket = Readonly<{ ip: Ip; port: number; uid: number; inode: string }>;

/** The listening sockets in one of `TCP_TABLES`. The kernel lists them first. */
export function parseListening(text: string, order?: ByteOrder): readonly ListeningSocket[] {
  const found: ListeningSocket[] = [];
  for (const [, local = "", port = "", uid = "", inode = ""] of text.matchAll(LISTENING)) {
    const ip = parseKernelIp(local, order);
    if (ip !== null) found.push({ ip, port: Number.parseInt(port, 16), uid: Number(uid), inode });
  }
  return found;
}

/** The two ends of a connection from loopback to loopback, as its client sees them. */
export type LocalConnection = Readonly<{ ip: Ip; clientPort: number; serverIp: Ip; port: number }>;

/**
 * The user whose program made an established connection, from one of `TCP_TABLES`; null if there is none. Ignores
 * a connection that its client has closed, which the kernel lists as root's.
 */
export function clientUser(text: string, connection: LocalConnection, order?: ByteOrder): number | null {
  for (const [, local = "", from = "", remote = "", to = "", user = ""] of text.matchAll(ESTABLISHED))
    if (
      Number.parseInt(from, 16) === connection.clientPort &&
      Number.parseInt(to, 16) === connection.port &&
      parseKernelIp(local, order) === connection.ip &&
      parseKernelIp(remote, order) === connection.serverIp
    )
      return Number(user);
  return null;
}

/**
 * Returns a function that tells whether a client of this port on 127.0.0.1 runs as this user. The kernel knows who owns a connection, so
 * neither a secret nor the firewall is needed. Throws if the kernel's table cannot be read.
 */
export function runsAs(user: number, port: number) {
  return async ({ ip, clientPort }: Readonly<{ ip: Ip; clientPort: number }>): Promise<boolean> => {
    // Another address of loopback could have the same client port.
    if (ip !== "127.0.0.1") return false;
    const connection = { ip, clientPort, serverIp: ip, port };
    return clientUser(await readFile("/proc/net/tcp", "utf8"), connection) === user;
  };
}

/** 01 is ESTABLISHED. Then queues, timer, retries and the user. */
const ESTABLISHED =
  /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) 01 \S+ \S+ +\S+ +(\d+) /gm;

/** 0A is LISTEN. Then queues, timer, retries, user and timeout, each without a space in it. */
const LISTENING = /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:0000 0A \S+ \S+ +\S+ +(\d+) +\d+ (\d+)/gm;

/** 01 is ESTABLISHED; 08, CLOSE_WAIT: the client has finished, the server has not. */
const PROC_LINE = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) (?:01|08) /;

export type ByteOrder = ReturnType<typeof endianness>;

/** Parses an address of the kernel: 8 or 32 hexadecimal digits in 32-bit words, by default in our byte order. Null if invalid. */
export function parseKernelIp(hex: string, order: ByteOrder = endianness()): Ip | null {
  if (!/^(?:[0-9a-f]{8}|[0-9a-f]{32})$/i.test(hex)) return null;
  const bytes: string[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    const four = [0, 2, 4, 6].map((at) => hex.slice(word + at, word + at + 2));
    bytes.push(...(order === "LE" ? four.reverse() : four));
  }
  if (bytes.length === 4) return parseIp(bytes.map((byte) => Number.parseInt(byte, 16)).join("."));
  const groups = Array.from({ length: 8 }, (_, i) => `${bytes[2 * i] ?? ""}${bytes[2 * i + 1] ?? ""}`);
  return parseIp(groups.join(":"));
}

/**
 * Milliseconds for which the client of each connection has sent nothing, by the connection's name. From the lines of
 * `ss -H -n -t -i -O state established` (ss(8)): two queues, our address, the client's, then tcp(7)'s TCP_INFO. 0 while the
 * client waits for us, because we owe it an answer, or our server on this port `greets` and has not done so yet.
 */
export function parseSilences(text: string, greets: (port: number) => boolean): ReadonlyMap<string, number> {
  const silences = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = SS_LINE.exec(line);
    if (match === null) continue;
    const ip = parseIp(match[3] ?? "");
    if (ip === null) continue;
    const one: Connection = { ip, clientPort: Number(match[4]), port: Number(match[2]) };
    const figure = (name: string): number => Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0);
    const [sent, received] = [figure("lastsnd"), figure("lastrcv")];
    const hasSpoken = figure("bytes_received") > 0;
    // A client may refuse what we sent with a receive window of 0, so that it stays in our queue.
    const isUntaken = Number(match[1]) > 0;
    const isGreeted = figure("bytes_sent") > 0 || isUntaken;
    const isOurTurn = !isUntaken && (hasSpoken ? sent > received : !isGreeted && greets(one.port));
    // A busy server may greet long after the handshake, from which `lastrcv` counts at first.
    const silentMs = !hasSpoken && isGreeted ? Math.min(sent, received) : received;
    silences.set(connectionName(one), isOurTurn ? 0 : silentMs);
  }
  return silences;
}

/** IPv6 is in brackets; IPv4 over an IPv6 socket is `[::ffff:192.0.2.1]`. */
const SS_LINE = /^\s*\d+\s+(\d+)\s+\S+:(\d+)\s+\[?([0-9a-fA-F.:]+?)\]?:(\d+)\s/;

/** TCP sockets in use, from `/proc/net/sockstat` and, with IPv6, `/proc/net/sockstat6` (proc(5)). Null if unknown. */
export function parseSocketsInUse(text: string, text6: string): number | null {
  const inUse = /^TCP: inuse (\d+)\b/m.exec(text)?.[1];
  return inUse === undefined ? null : Number(inUse) + Number(/^TCP6: inuse (\d+)\b/m.exec(text6)?.[1] ?? 0);
}
