import { type Door, doorOf, merged } from "../../core/firewall/strict.ts";
import { type Ip, isLoopback, isV4, parseIp } from "../../core/net/ip.ts";

/** A listening TCP socket and the programs that hold it. `address` is as ss prints it: `0.0.0.0`, `[::]`, `*`, `127.0.0.1`. */
export type Listener = Readonly<{ address: string; port: number; programs: readonly string[] }>;

/** A socket that others can reach, and the programs that hold it. None if the kernel itself does, as for WireGuard. */
export type ListeningDoor = Readonly<{ door: Door; programs: readonly string[] }>;

/** Parses the output of `ss -Htlnp`. */
export function parseListeners(sockets: string): readonly Listener[] {
  return rowsOf(sockets, 3).flatMap(({ first, address, port, programs }) =>
    first === "LISTEN" ? [{ address, port, programs }] : [],
  );
}

export function isOnLoopback({ address }: Pick<Listener, "address">): boolean {
  const ip = ipOf(address);
  return ip !== null && isLoopback(ip);
}

/** The first port that Linux gives clients (ip_local_port_range). */
export const FIRST_OF_CLIENTS = 32_768;

/** Sockets in the output of `ss -Hlntup`, without those on loopback and those of UDP clients. */
export function listeningDoors(sockets: string): readonly ListeningDoor[] {
  return rowsOf(sockets, 4).flatMap(({ first: protocol, address, port, programs }) => {
    const door = protocol === "tcp" || protocol === "udp" ? doorOn(protocol, address, port) : null;
    const isClient = protocol === "udp" && port >= FIRST_OF_CLIENTS && programs.length > 0;
    return door === null || isClient ? [] : [{ door, programs }];
  });
}

/** `address` as ss and sshd print it. Null if others cannot reach it. */
function doorOn(protocol: "tcp" | "udp", address: string, port: number): Door | null {
  if (!(port > 0 && port < 65_536) || isOnLoopback({ address })) return null;
  const ip = ipOf(address);
  return doorOf({ protocol, family: ip === null ? null : isV4(ip) ? 4 : 6, first: port, last: port });
}

/** Connections in the output of `ss -Hnt state established`, in the form of `SSH_CONNECTION`: peer and port, our address and port. */
export function connectionsIn(sockets: string): readonly string[] {
  return sockets.split("\n").flatMap((line) => {
    // ss omits the column of the state if it lists only one.
    const [, , local = "", peer = ""] = line.trim().split(/\s+/);
    const [ours, theirs] = [addressAndPort(local), addressAndPort(peer)];
    return ours !== null && theirs !== null ? [`${theirs} ${ours}`] : [];
  });
}

function addressAndPort(text: string): string | null {
  const [, v6, v4, port] = /^(?:\[([^\]%]+)(?:%[^\]]*)?\](?:%[^:]*)?|([^:%]+)(?:%[^:]*)?):(\d+)$/.exec(text) ?? [];
  const address = v4 ?? v6?.replace(/^::ffff:(?=\d+\.)/, "");
  return address === undefined || port === undefined ? null : `${address} ${port}`;
}

/** SSH servers. `sshd-session` runs the sessions since OpenSSH 9.8. */
const SERVERS = ["sshd", "sshd-session", "dropbear"];

/**
 * Where SSH is reached, from the output of `ss -Hantpe`: the ports on which its servers listen, and those of open sessions for
 * which another program listens, as systemd does for ssh.socket. Skips forwarded connections, which have the same program, and
 * sockets of users other than root, whose ids ss prints, because a user can give a program any name and have SSH listen for
 * other people (`ssh -R`).
 */
export function sshDoorsIn(sockets: string): readonly Door[] {
  const ofRoot = rowsOf(sockets, 3).filter((row) => !/ uid:[1-9]/.test(row.line) && !isOnLoopback(row));
  const ofSsh = ofRoot.filter(({ programs }) => programs.some((name) => SERVERS.includes(name)));
  const ports = new Set(ofSsh.map(({ port }) => port));
  return doorsAt(ofRoot.filter(({ first, port }) => first === "LISTEN" && ports.has(port)));
}

/** Where SSH will be reached after its next start, from the output of `sshd -T` (sshd_config(5)). */
export function sshDoorsOf(configuration: string): readonly Door[] {
  const found = [...configuration.matchAll(/^listenaddress (\S+):(\d+)\s*$/gim)];
  return doorsAt(found.map(([, address = "", port]) => ({ address, port: Number(port) })));
}

/** Where systemd listens for SSH, from the output of `systemctl show --property=Listen ssh.socket`. */
export function socketDoorsOf(unit: string): readonly Door[] {
  const found = [...unit.matchAll(/^Listen=(?:(\S*):)?(\d+) \(Stream\)$/gm)];
  // `[::]` is one socket for both families (systemd.socket(5), BindIPv6Only=).
  return doorsAt(
    found.map(([, address = "*", port]) => ({ address: address === "[::]" ? "*" : address, port: Number(port) })),
  );
}

function doorsAt(places: readonly Pick<Listener, "address" | "port">[]): readonly Door[] {
  return merged({ doors: places.flatMap(({ address, port }) => doorOn("tcp", address, port) ?? []), trusted: [] })
    .doors;
}

/** The address that ss and sshd print. Null for `*`, which is every address of both families. */
export function ipOf(address: string): Ip | null {
  return parseIp(address.replace(/^\[(.*)\]$/, "$1"));
}

type Row = Listener & Readonly<{ first: string; line: string }>;

/**
 * The sockets that ss(8) lists with `-H` and `-n`. `column`: that of our own address. Programs are known only with `-p`, and only if
 * their /proc may be read.
 */
function rowsOf(sockets: string, column: 3 | 4): readonly Row[] {
  return sockets.split("\n").flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const [, address = "", port = ""] = /^(.+?)(?:%[^:\]]*)?:(\d+)$/.exec(columns[column] ?? "") ?? [];
    if (port === "") return [];
    const programs = new Set([...line.matchAll(/\("([^"]*)",pid=/g)].map(([, name = ""]) => name));
    return [{ first: columns[0] ?? "", address, port: Number(port), programs: [...programs], line }];
  });
}
