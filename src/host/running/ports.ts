import { createServer } from "node:net";
import { type Ip, isV4, parseIp } from "../../core/net/ip.ts";
import { type PortSetting, PROXIED_KEYS, proxiedPorts, SIEVE_MAIL_ADDRESS } from "../../settings/ports.ts";
import type { Settings } from "../../settings/schema.ts";
import { type ListeningSocket, parseListening, TCP_TABLES } from "../kernel/tcp-sockets.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { allPids, commandOf, openFiles } from "./read-processes.ts";
import type { ServiceName } from "./runit.ts";

/** One port of the server. `address`: null for every address of the machine. */
export type ServerPort = Readonly<{
  /** The setting that changes it. */
  setting: PortSetting | "dns.address";
  port: number;
  address: string | null;
  says: string;
  service: ServiceName;
}>;

export function portsOf(settings: Settings): readonly ServerPort[] {
  const serverPort = (
    setting: PortSetting,
    service: ServiceName,
    says: string,
    address: string | null = null,
  ): ServerPort => ({ setting, port: settings[setting], address, says, service });
  const proxiedPort = (setting: (typeof PROXIED_KEYS)[number]): ServerPort =>
    serverPort(setting, setting === "ports.proxied_imaps" ? "dovecot" : "postfix", "mail that comes through a proxy");
  return [
    serverPort("ports.smtp", "postfix", "mail from other servers (SMTP)"),
    serverPort("ports.submissions", "postfix", "mail from users (SMTP over TLS)"),
    serverPort("ports.submission", "postfix", "mail from users (SMTP with STARTTLS)"),
    serverPort("ports.imaps", "dovecot", "mailboxes (IMAP over TLS)"),
    ...(proxiedPorts(settings) === null ? [] : PROXIED_KEYS.map(proxiedPort)),
    serverPort("ports.http", "web", "dashboard and API (HTTP)", settings["http.address"]),
    serverPort("ports.login_policy", "guard", "Dovecot asking the guard", "127.0.0.1"),
    serverPort("ports.sieve_mail", "postfix", "mail from Sieve scripts (SMTP)", SIEVE_MAIL_ADDRESS),
    {
      setting: "dns.address",
      port: 53,
      address: settings["dns.address"],
      says: "our own resolver (DNS)",
      service: "unbound",
    },
  ];
}

/** A port that cannot be opened now, because another program holds it or its address is missing. `says`: why, and what to do. */
export type BusyPort = Readonly<{ serverPort: ServerPort; says: string }>;

export async function busyPorts(serverPorts: readonly ServerPort[]): Promise<readonly BusyPort[]> {
  const busy: BusyPort[] = [];
  for (const serverPort of serverPorts) {
    // The web listens only on IPv4 if the kernel has no IPv6.
    const isEvery = serverPort.address === null || serverPort.address === "::";
    for (const address of isEvery ? ["0.0.0.0", "::"] : [serverPort.address]) {
      const error = await tryToListen(serverPort.port, address);
      const isWithoutFamily = error === "EADDRNOTAVAIL" || error === "EAFNOSUPPORT";
      if (error === null || (isEvery && isWithoutFamily)) continue;
      busy.push({ serverPort, says: whyBusy(serverPort, error) });
      break;
    }
  }
  return busy;
}

function whyBusy(serverPort: ServerPort, error: string): string {
  const { port, setting, says, address, service } = serverPort;
  if (error === "EADDRNOTAVAIL" && service === "web")
    return `This machine does not have the address ${address} for ${says} now: add it, or choose another with http.address.`;
  if ((error === "EAFNOSUPPORT" || error === "EINVAL") && service === "web")
    return `The address ${address} cannot be used for ${says} (${error}): choose another with http.address.`;
  const other = `choose another with ${setting}`;
  if (error !== "EADDRINUSE") return `Port ${port} for ${says} cannot be opened (${error}); ${other}.`;
  const holder = holderOf(socketsOn(serverPort, listeners()));
  const by = holder === null ? "" : ` by ${holder.name} (pid ${holder.pid})`;
  return `Port ${port} for ${says} is in use${by}: stop that program, or ${other}.`;
}

function tryToListen(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true, ipv6Only: host === "::" }, () => server.close(() => resolve(null)));
  });
}

/**
 * All listening sockets of this network namespace. Asks the kernel, so that no server notices. The kernel walks its tables, which takes
 * a few milliseconds on a machine with much memory, so use one answer for all ports.
 */
export function listeners(): readonly ListeningSocket[] {
  return TCP_TABLES.flatMap((table) => parseListening(textOrNothing(table)));
}

/** The inodes of the sockets in `listening` that have this port at our address, or at every address. */
export function socketsOn(
  ours: Pick<ServerPort, "port" | "address">,
  listening: readonly ListeningSocket[],
): readonly string[] {
  const found = listening.filter((one) => isOn(ours, one));
  // If there is also an IPv4 socket, one at `::` is only for IPv6.
  const v4 = ours.address?.includes(":") === false ? found.filter(({ ip }) => isV4(ip)) : [];
  return (v4.length > 0 ? v4 : found).map(({ inode }) => inode);
}

/** Whether a socket has this port at our address, or at every address (`ip` null). */
export function isOn(
  { port, address }: Pick<ServerPort, "port" | "address">,
  socket: Readonly<{ port: number; ip: Ip | null }>,
): boolean {
  if (socket.port !== port) return false;
  const ours = address === null ? null : parseIp(address);
  return ours === null || socket.ip === null || conflict(socket.ip, ours);
}

export type Holder = Readonly<{ pid: number; name: string }>;

/**
 * A process that has one of these sockets, if /proc shows it. `before`: the last answer, which is checked first, because the files
 * of all processes take long to read on a busy machine.
 */
export function holderOf(sockets: readonly string[], before: Holder | null = null): Holder | null {
  if (sockets.length === 0) return null;
  const stillHolds = before !== null && sockets.some(socketsOf(before.pid));
  const pid = stillHolds ? before.pid : allPids().find((one) => sockets.some(socketsOf(one)));
  return pid === undefined ? null : { pid, name: commandOf(pid) };
}

/** Whether sockets of these two addresses conflict. `::` includes IPv4 by default. */
function conflict(a: Ip, b: Ip): boolean {
  const covers = (all: Ip, one: Ip): boolean => all === "::" || (all === "0.0.0.0" && isV4(one));
  return a === b || covers(a, b) || covers(b, a);
}

/** Returns a function that tells whether the process has the socket with an inode open now, if /proc shows it. */
export function socketsOf(pid: number): (inode: string) => boolean {
  const files = openFiles(pid);
  return (inode) => files.includes(`socket:[${inode}]`);
}
