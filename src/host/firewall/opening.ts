import { type Door, doorOf, isLetIn, merged, type Opening, partsOf } from "../../core/firewall/strict.ts";
import { hostPrefix, isLoopback, isV4, type Prefix, parseIp } from "../../core/net/ip.ts";
import type { Settings } from "../../settings/schema.ts";
import {
  connectionsIn,
  type ListeningDoor,
  listeningDoors,
  socketDoorsOf,
  sshDoorsIn,
  sshDoorsOf,
} from "../kernel/listeners.ts";
import { textOrNothing } from "../machine/read-text.ts";
import { portsOf } from "../running/ports.ts";
import { statOf } from "../running/read-processes.ts";
import { runTool } from "./run-nft.ts";

const TIMEOUT_MS = 10_000;
const USUAL_SSH = doorOf({ protocol: "tcp", family: null, first: 22, last: 22 });
/** Answers of DHCP and DHCPv6 are always accepted (host/firewall/strict-rules.ts). */
const DHCP: readonly string[] = ["68/udp", "546/udp"];

/** The ports that the settings open, and SSH. */
export function requiredOpening(settings: Settings, ssh: readonly Door[]): Opening {
  const served = portsOf(settings).flatMap(({ port, address }) => {
    const ip = address === null ? null : parseIp(address);
    if (ip !== null && isLoopback(ip)) return [];
    // `::` accepts IPv4 too.
    const family = ip === null || ip === "::" ? null : isV4(ip) ? 4 : 6;
    return [doorOf({ protocol: "tcp", family, first: port, last: port })];
  });
  return merged({
    doors: [...served, ...ssh, ...settings["firewall.open"]],
    trusted: settings["firewall.trusted_interfaces"],
  });
}

/**
 * Where SSH is reached, according to its sockets, its configuration, its systemd unit, and the caller's session. Returns `otherwise`
 * if none of them is known. `session`: the port of the caller's session, from sshd's environment; null outside of one.
 */
export async function sshDoors(
  session: number | null = null,
  otherwise: readonly Door[] = [USUAL_SSH],
): Promise<readonly Door[]> {
  const [sockets, configuration, unit] = await Promise.all([
    sshSockets(),
    outputOf("sshd", ["-T"]),
    outputOf("systemctl", ["show", "--property=Listen", "ssh.socket", "sshd.socket"]),
  ]);
  const own = session === null ? [] : [doorOf({ protocol: "tcp", family: null, first: session, last: session })];
  const found = [...sshDoorsIn(sockets), ...sshDoorsOf(configuration), ...socketDoorsOf(unit), ...own];
  return merged({ doors: found.length === 0 ? otherwise : found, trusted: [] }).doors;
}

/** The ports on which SSH listens now, and that of the caller's session, as in `sshDoors`. Empty if there is neither. */
export async function sshPorts(session: number | null): Promise<readonly number[]> {
  const found = sshDoorsIn(await sshSockets()).map((one) => partsOf(one).first);
  return [...new Set(session === null ? found : [...found, session])].toSorted((a, b) => a - b);
}

/** Ports on which programs listen for others, and which this opening would close. */
export async function wouldBeShut(opening: Opening): Promise<readonly ListeningDoor[]> {
  const listening = listeningDoors(await outputOf("ss", ["-H", "-l", "-n", "-t", "-u", "-p"]));
  return listening.filter(({ door }) => {
    const { protocol, first } = partsOf(door);
    return !isLetIn(door, opening) && !DHCP.includes(`${first}/${protocol}`);
  });
}

/** `ss -Hantpe` */
function sshSockets(): Promise<string> {
  return outputOf("ss", ["-H", "-a", "-n", "-t", "-p", "-e"]);
}

/** The output of a program; empty if it is missing. */
async function outputOf(program: string, args: readonly string[]): Promise<string> {
  return (await runTool(program, args, { timeoutMs: TIMEOUT_MS })).stdout;
}

const MOST_ANCESTORS = 100;

/** Established TCP connections to ports other than these, in the form of `SSH_CONNECTION`. Null if they cannot all be listed. */
export async function openConnections(except: readonly number[], path?: string): Promise<readonly string[] | null> {
  const listed = await runTool("ss", ["-H", "-n", "-t", "state", "established"], { timeoutMs: TIMEOUT_MS, path });
  if (listed.code !== 0) return null;
  return connectionsIn(listed.stdout).filter((one) => !except.includes(Number(one.split(" ")[3])));
}

/**
 * The SSH connection through which this command came; null if there is none. sudo(8) removes the variable, so the
 * parent processes are read too (proc(5), environ).
 */
export function callerConnection(env: NodeJS.ProcessEnv, parent: number = process.ppid): string | null {
  const own = env["SSH_CONNECTION"] ?? "";
  if (own !== "") return withoutZone(own);
  for (let [pid, left] = [parent, MOST_ANCESTORS]; pid > 1 && left > 0; left -= 1) {
    const found = /(?:^|\0)SSH_CONNECTION=([^\0]*)/.exec(textOrNothing(`/proc/${pid}/environ`))?.[1];
    if (found !== undefined) return withoutZone(found);
    pid = statOf(pid)?.parent ?? 0;
  }
  return null;
}

/** The address of the other end of such a connection. */
export function peerOf(connection: string | null): Prefix | null {
  const ip = parseIp(connection?.split(" ")[0] ?? "");
  return ip === null ? null : hostPrefix(ip);
}

/** The port at which SSH accepted such a connection. */
export function ownPortOf(connection: string | null): number | null {
  const port = Number(connection?.split(" ")[3]);
  return port > 0 && port < 65_536 ? port : null;
}

/** Removes the zone of a link-local address, which ss writes in a different place. */
function withoutZone(connection: string): string {
  return connection.replaceAll(/%\S+/g, "");
}
