import { MOST_SS_BYTES, runTool, TOOL_PATH } from "../../adapters/nft/tools.ts";
import { type Door, doorOf, isLetIn, merged, type Opening, partsOf } from "../../core/firewall/strict.ts";
import { contains, isV4, LOOPBACK, parseIp } from "../../core/net/ip.ts";
import type { Settings } from "../../settings/schema.ts";
import { type ListeningDoor, listeningDoors } from "../../wire/kernel/ss-doors.ts";
import { socketDoorsOf, sshDoorsIn, sshDoorsOf } from "../../wire/kernel/ssh-doors.ts";
import { sshPortsIn } from "../../wire/kernel/ssh-ports.ts";
import { portsOf } from "../set-up/running/ports.ts";

const TOOL_MS = 10_000;
const USUAL_SSH = doorOf({ protocol: "tcp", family: null, first: 22, last: 22 });
/** Answers of DHCP and DHCPv6 are always accepted (wire/kernel/nft-strict.ts). */
const DHCP: readonly string[] = ["68/udp", "546/udp"];

export type StrictSettings = Pick<
  Settings,
  "firewall.mode" | "firewall.enabled" | "firewall.open" | "firewall.trusted_interfaces" | "firewall.confirm_within"
>;

/** The openings of the settings, and SSH. */
export function wantedOpening(settings: Settings, ssh: readonly Door[]): Opening {
  const served = portsOf(settings).flatMap(({ port, address }) => {
    const ip = address === null ? null : parseIp(address);
    if (ip !== null && LOOPBACK.some((network) => contains(network, ip))) return [];
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
 * Where SSH is reached: by its sockets, its configuration, its unit of systemd, and the session of the caller. Port 22 if
 * none of them is known. `session`: the port of the caller's, from sshd's environment; null outside of one.
 */
export async function sshDoors(session: number | null = null): Promise<readonly Door[]> {
  const [sockets, configuration, unit] = await Promise.all([
    sshSockets(),
    run("sshd", ["-T"]),
    run("systemctl", ["show", "--property=Listen", "ssh.socket", "sshd.socket"]),
  ]);
  const own = session === null ? [] : [doorOf({ protocol: "tcp", family: null, first: session, last: session })];
  const found = [...sshDoorsIn(sockets), ...sshDoorsOf(configuration), ...socketDoorsOf(unit), ...own];
  return merged({ doors: found.length === 0 ? [USUAL_SSH] : found, trusted: [] }).doors;
}

/** The ports on which SSH listens here now, and that of the caller's session, for `sshDoors`; none if no server was found. */
export async function sshPorts(session: number | null): Promise<readonly number[]> {
  const own = session === null ? [] : [session];
  return [...new Set([...own, ...sshPortsIn(await sshSockets())])].toSorted((a, b) => a - b);
}

/** Listening ports for others that would now be closed. */
export async function wouldBeShut(opening: Opening): Promise<readonly ListeningDoor[]> {
  const listening = listeningDoors(await run("ss", ["-H", "-l", "-n", "-t", "-u", "-p"]));
  return listening.filter(({ door }) => {
    const { protocol, first } = partsOf(door);
    return !isLetIn(door, opening) && !DHCP.includes(`${first}/${protocol}`);
  });
}

/** `ss -Hantpe` */
function sshSockets(): Promise<string> {
  return run("ss", ["-H", "-a", "-n", "-t", "-p", "-e"]);
}

/** Its output; empty if it is missing. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const options = { path: TOOL_PATH, timeoutMs: TOOL_MS, mostOutputBytes: MOST_SS_BYTES };
  return (await runTool(program, args, options)).stdout;
}
