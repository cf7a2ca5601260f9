import { type Door, doorOf } from "../../core/firewall/strict.ts";
import { isLoopback } from "./ss-listeners.ts";

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
