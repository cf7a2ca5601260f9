import { type Door, doorOf, merged } from "../../core/firewall/strict.ts";

/** A listening TCP socket and the programs that hold it. `address` as ss prints it: `0.0.0.0`, `[::]`, `*`, `127.0.0.1`. */
export type Listener = Readonly<{ address: string; port: number; programs: readonly string[] }>;

/** What `ss -Htlnp` prints (ss(8)); programs only for those whose /proc may be read. */
export function parseListeners(text: string): readonly Listener[] {
  return text.split("\n").flatMap((line) => {
    const [state, , , local = "", , users = ""] = line.trim().split(/\s+/);
    const [, address = "", port = ""] = /^(.+):(\d+)$/.exec(local) ?? [];
    if (state !== "LISTEN" || port === "") return [];
    const programs = [...users.matchAll(/\("([^"]*)"/g)].map(([, name = ""]) => name);
    return [{ address: address.replace(/%.*/, ""), port: Number(port), programs: [...new Set(programs)] }];
  });
}

export function isLoopback({ address }: Pick<Listener, "address">): boolean {
  return address.startsWith("127.") || address === "[::1]" || address.startsWith("[::ffff:127.");
}

/** A socket that others can reach, and the programs that hold it; none: the kernel itself, as for WireGuard. */
export type ListeningDoor = Readonly<{ door: Door; programs: readonly string[] }>;

/** Linux gives programs that ask questions ports from here on (ip_local_port_range). */
const FIRST_OF_CLIENTS = 32_768;

/** Sockets in what `ss -Hlntup` prints, without those on loopback and those of programs that ask by UDP. */
export function listeningDoors(sockets: string): readonly ListeningDoor[] {
  return sockets.split("\n").flatMap((line) => {
    const [protocol = "", , , , local = ""] = line.trim().split(/\s+/);
    const [, address = "", digits = ""] = /^(.+?)(?:%[^:\]]*)?:(\d+)$/.exec(local) ?? [];
    const port = Number(digits);
    const door = protocol === "tcp" || protocol === "udp" ? doorOn(protocol, address, port) : null;
    if (door === null) return [];
    const programs = [...new Set([...line.matchAll(/\("([^"]*)",pid=/g)].map(([, name = ""]) => name))];
    if (protocol === "udp" && port >= FIRST_OF_CLIENTS && programs.length > 0) return [];
    return [{ door, programs }];
  });
}

/** `address` as ss and sshd print it: `*` takes both families. Null if others cannot reach it. */
export function doorOn(protocol: "tcp" | "udp", address: string, port: number): Door | null {
  if (!(port > 0 && port < 65_536) || isLoopback({ address })) return null;
  const family = address.startsWith("*") ? null : address.startsWith("[") && !address.startsWith("[::ffff:") ? 6 : 4;
  return doorOf({ protocol, family, first: port, last: port });
}

/** What `ss -Hnt state established` prints, each connection as sshd writes `SSH_CONNECTION`: peer, its port, ours, its port. */
export function connectionsIn(sockets: string): readonly string[] {
  return sockets.split("\n").flatMap((line) => {
    // ss leaves the column of the state out where it lists but one.
    const [, , local = "", peer = ""] = line.trim().split(/\s+/);
    const [ours, theirs] = [endOf(local), endOf(peer)];
    return ours !== null && theirs !== null ? [`${theirs} ${ours}`] : [];
  });
}

function endOf(text: string): string | null {
  const [, v6, v4, port] = /^(?:\[([^\]%]+)(?:%[^\]]*)?\](?:%[^:]*)?|([^:%]+)(?:%[^:]*)?):(\d+)$/.exec(text) ?? [];
  const address = v4 ?? v6?.replace(/^::ffff:(?=\d+\.)/, "");
  return address === undefined || port === undefined ? null : `${address} ${port}`;
}

/** Programs that take SSH. `sshd-session` has the sessions since OpenSSH 9.8. */
const SERVERS = /"(?:sshd|sshd-session|dropbear)"/;

/** `address` as ss prints it. */
export type RootSocket = Readonly<{ address: string; port: number; listens: boolean; isSsh: boolean }>;

/**
 * The sockets of root in what `ss -Hantpe` prints, which names the owner only if that is another user; without those on
 * loopback.
 */
export function socketsOfRoot(sockets: string): readonly RootSocket[] {
  return sockets.split("\n").flatMap((line) => {
    const [state = "", , , local = ""] = line.trim().split(/\s+/);
    const [, address = "", digits = ""] = /^(.+):(\d+)$/.exec(local) ?? [];
    const port = Number(digits);
    if (!(port > 0) || / uid:[1-9]/.test(line) || isLoopback({ address })) return [];
    return [{ address, port, listens: state === "LISTEN", isSsh: SERVERS.test(line) }];
  });
}

/**
 * The ports of SSH in what `ss -Hantpe` prints: those on which its servers listen, and those of open sessions where another program
 * listens for them, as systemd does for ssh.socket. Forwarded connections have the same program and are skipped. So is what belongs
 * to another user than root, who may give a program any name and lets SSH listen for others (`ssh -R`).
 */
export function sshPortsIn(sockets: string): readonly number[] {
  const found = socketsOfRoot(sockets);
  const listening = new Set(found.filter(({ listens }) => listens).map(({ port }) => port));
  const ports = found.filter(({ port, isSsh }) => isSsh && listening.has(port)).map(({ port }) => port);
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

/** Where SSH is reached, by what `ss -Hantpe` prints: its ports, over the families on which a program of root listens there. */
export function sshDoorsIn(sockets: string): readonly Door[] {
  const ports = sshPortsIn(sockets);
  const doors = socketsOfRoot(sockets)
    .filter(({ port, listens }) => listens && ports.includes(port))
    .flatMap(({ address, port }) => doorAt(address, port));
  return merged({ doors, trusted: [] }).doors;
}

/** Where it will be reached once it is started again, by what `sshd -T` prints (sshd_config(5)). */
export function sshDoorsOf(configuration: string): readonly Door[] {
  const doors = [...configuration.matchAll(/^listenaddress (\S+):(\d+)\s*$/gim)].flatMap(([, address = "", port]) =>
    doorAt(address, Number(port)),
  );
  return merged({ doors, trusted: [] }).doors;
}

/** Where systemd listens for it, by what `systemctl show --property=Listen ssh.socket` prints. */
export function socketDoorsOf(unit: string): readonly Door[] {
  const doors = [...unit.matchAll(/^Listen=(?:(\S*):)?(\d+) \(Stream\)$/gm)].flatMap(([, address = "*", port]) =>
    // One socket for both families (systemd.socket(5), BindIPv6Only=).
    doorAt(address === "[::]" ? "*" : address, Number(port)),
  );
  return merged({ doors, trusted: [] }).doors;
}

function doorAt(address: string, port: number): readonly Door[] {
  const door = doorOn("tcp", address, port);
  return door === null ? [] : [door];
}
