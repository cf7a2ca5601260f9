import { doorOf, isLetIn, type Opening } from "../../../core/firewall/strict.ts";
import { contains, type Ip } from "../../../core/net/ip.ts";
import { ipOf, isOnLoopback, type Listener, parseListeners } from "../../../host/kernel/listeners.ts";
import { IS_IMAGE } from "../../../host/running/checkout.ts";
import { isOn, portsOf, type ServerPort } from "../../../host/running/ports.ts";
import { openPorts } from "../../../mail/probes/port-dialogue.ts";
import { proxiedPorts } from "../../../settings/ports.ts";
import type { Settings } from "../../../settings/schema.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import {
  check,
  type Finding,
  type Machine,
  ok,
  reachableAddresses,
  type Server,
  unknown,
  warning,
  wrong,
} from "./check.ts";
import { kernelState } from "./firewall.ts";

/** The programs of each service, as the kernel names them (proc(5), comm). */
const PROGRAMS: Readonly<Record<string, RegExp>> = {
  postfix: /^(?:master|smtpd)$/,
  dovecot: /^(?:dovecot|imap-login)$/,
  unbound: /^unbound$/,
  web: /^(?:node|MainThread|ghostinbox)/,
  guard: /^(?:node|MainThread|ghostinbox)/,
};

export function judgeListening(promised: readonly ServerPort[], listeners: readonly Listener[]): Finding {
  const silent: string[] = [];
  const taken: string[] = [];
  const held: string[] = [];
  for (const serverPort of promised) {
    const { port, service, setting } = serverPort;
    const found = listeners.filter((one) => listensOn(serverPort, one));
    const ours = PROGRAMS[service];
    const others = found.flatMap(({ programs }) => programs.filter((name) => ours?.test(name) !== true));
    if (found.length === 0) silent.push(`${port} (${setting})`);
    else if (others.length > 0) taken.push(`${port} by ${firstFew([...new Set(others)])}`);
    else held.push(String(port));
  }
  if (taken.length > 0) return wrong(`Another program holds a port: ${firstFew(taken)}.`, "ss -tlnp");
  if (silent.length > 0) return wrong(`Nothing listens on ${firstFew(silent)}.`, `${PROGRAM} status`);
  return ok(`The server's own programs listen on ${held.join(", ")}.`);
}

/** A program at a different address, such as systemd-resolved, is not in the way. */
function listensOn(serverPort: ServerPort, { port, address }: Listener): boolean {
  // ss prints `[::]` for an IPv6-only socket, and `*` for one of both families.
  const isOtherFamily = address === "[::]" && serverPort.address?.includes(":") === false;
  return !isOtherFamily && isOn(serverPort, { port, ip: ipOf(address) });
}

/** Programs with plain HTTP or without a password must listen on this machine only. */
export function judgePrivate(settings: Settings, listeners: readonly Listener[], isImage = IS_IMAGE): Finding {
  const http = settings["ports.http"];
  const inner = [http, settings["ports.login_policy"], settings["ports.sieve_mail"]];
  const open = listeners.filter((one) => inner.includes(one.port) && !isOnLoopback(one));
  // The image listens at every address of its container.
  if (isImage && open.length > 0 && open.every(({ port }) => port === http))
    return unknown(
      `Docker decides who reaches port ${http}, which has no TLS.`,
      `docker port CONTAINER ${http}  # on the host, must print 127.0.0.1 only: docs/docker.md`,
    );
  if (open.length > 0)
    return warning(
      `Others can reach ${firstFew(open.map(({ address, port }) => `${address}:${port}`))} without TLS.`,
      `${PROGRAM} config set http.address 127.0.0.1  # and a proxy in front of it: docs/reverse-proxy.md`,
    );
  return ok(`The ports ${inner.join(", ")} are open to this machine only.`);
}

/** `open`: the ports that a strict firewall opens; null for every port. */
export function judgeOtherPrograms(
  promised: readonly ServerPort[],
  listeners: readonly Listener[],
  open: Opening | null = null,
): Finding {
  const listening = listeners.filter((one) => !isOnLoopback(one) && !promised.some((ours) => listensOn(ours, one)));
  const others = listening.filter(({ port }) => open === null || isReached(port, open));
  const names = [...new Set(others.map(({ port, programs }) => `${port} (${programs.join(", ")})`))];
  if (names.length === 0)
    return listening.length === 0
      ? ok("No other program listens publicly.")
      : ok("The strict firewall closes the ports of all other programs.");
  if (others.every(({ programs }) => programs.length > 0 && programs.every((name) => name === "sshd")))
    return ok(`Apart from the server, only ssh listens: ${firstFew(names)}.`);
  return warning(`Other programs listen publicly: ${firstFew(names)}.`, "ss -tlnp  # stop what no one needs");
}

/** Whether the port is open over at least one address family. */
function isReached(port: number, open: Opening): boolean {
  const at = (family: 4 | 6): boolean => isLetIn(doorOf({ protocol: "tcp", family, first: port, last: port }), open);
  return at(4) || at(6);
}

/** Attackers use an open resolver to flood others (RFC 5358). */
function judgeResolver(listeners: readonly Listener[]): Finding {
  const open = listeners.filter(
    (one) => !isOnLoopback(one) && one.programs.some((name) => PROGRAMS["unbound"]?.test(name)),
  );
  if (open.length > 0)
    return wrong(
      `Others can reach the resolver: ${firstFew(open.map(({ address, port }) => `${address}:${port}`))}.`,
      `${PROGRAM} config apply`,
    );
  return ok("The resolver listens for this machine only.");
}

/** Common ports of databases, caches and administration above 1023. */
const USUAL = [
  1433, 1521, 2049, 2375, 2376, 2379, 2525, 3128, 3306, 3389, 4190, 5000, 5432, 5601, 5672, 5900, 5984, 6379, 6443,
  8000, 8006, 8080, 8081, 8443, 8888, 9000, 9090, 9200, 9300, 10_000, 10_250, 11_211, 11_332, 11_333, 11_334, 15_672,
  27_017, 50_000,
];
/** All ports below 1024, and these. */
const SCANNED = [...Array.from({ length: 1_023 }, (_, at) => at + 1), ...USUAL];

/** `open`: open ports at each address, except those of the settings. */
function judgeScan(open: ReadonlyMap<string, readonly number[]>, listeners: readonly Listener[]): Finding {
  const isSsh = (port: number): boolean =>
    listeners.some((one) => one.port === port && one.programs.some((name) => name === "sshd"));
  const found = [...open].flatMap(([host, ports]) =>
    ports.filter((port) => !isSsh(port)).map((port) => `${port} (${host})`),
  );
  if (found.length > 0)
    return warning(
      `Ports that the settings do not name accept connections: ${firstFew(found)}.`,
      "ss -tlnp; nft list ruleset",
    );
  return ok(`At ${firstFew([...open.keys()])} only the ports of the settings and ssh accept connections.`);
}

/** `open`: by address, the ports for proxies that accepted a connection from it, although it is not a proxy's. */
export function judgeProxied(open: ReadonlyMap<string, readonly number[]>): Finding {
  const found = [...open].flatMap(([host, taking]) => taking.map((port) => `${port} (${host})`));
  if (found.length > 0)
    return wrong(
      `Clients other than proxies can connect, and claim any address, at ${firstFew(found)}.`,
      `${PROGRAM} status  # shows the state of the firewall; docs/mail-proxy.md`,
    );
  return ok("The ports that trust a PROXY header accept connections from proxies only.");
}

async function proxied({ machine, settings }: Server): Promise<Finding> {
  const doors = proxiedPorts(settings);
  if (doors === null) return ok("No port trusts a PROXY header.");
  const isProxy = (host: Ip): boolean => settings["proxy.networks"].some((network) => contains(network, host));
  const hosts = reachableAddresses(machine).filter((host) => !isProxy(host));
  if (hosts.length === 0)
    return unknown("Every address of this machine belongs to a proxy, so none is left to test from.");
  const tried = hosts.map(async (host) => [host, await openPorts(host, Object.values(doors))] as const);
  return judgeProxied(new Map(await Promise.all(tried)));
}

async function scan({ machine, settings }: Server): Promise<Finding> {
  const hosts = reachableAddresses(machine);
  if (hosts.length === 0) return unknown("This machine only has loopback addresses.");
  const listening = await listeners(machine);
  if (listening === null) return NO_SS;
  // Other checks cover the ports of the settings, and each connection there adds a log line.
  const all = portsOf(settings);
  const promised = all.filter(({ address }) => address === null || !isOnLoopback({ address })).map(({ port }) => port);
  const scanned = [...new Set([...SCANNED, ...all.map(({ port }) => port)])].filter((port) => !promised.includes(port));
  const open = await Promise.all(hosts.map(async (host) => [host, await openPorts(host, scanned)] as const));
  return judgeScan(new Map(open), listening);
}

const NO_SS = unknown("ss(8) cannot be run.", "apt-get install iproute2");

async function listeners(machine: Machine): Promise<readonly Listener[] | null> {
  const ran = await machine.run("ss", ["-Htlnp"], { timeoutMs: 10_000 });
  return ran.code === 0 ? parseListeners(ran.stdout) : null;
}

function look(judge: (promised: readonly ServerPort[], found: readonly Listener[], settings: Settings) => Finding) {
  return async ({ machine, settings }: Server): Promise<Finding> => {
    const found = await listeners(machine);
    return found === null ? NO_SS : judge(portsOf(settings), found, settings);
  };
}

export const ports = {
  listening: check(
    "Compares the ports of the settings with the programs that listen, as the kernel lists them.",
    look(judgeListening),
  ),
  private: check(
    "Checks that the dashboard and the guard's own port are open to this machine only.",
    look((_, found, settings) => judgePrivate(settings, found)),
  ),
  resolver: check(
    "Checks that the server's resolver listens for this machine only.",
    look((_, found) => judgeResolver(found)),
  ),
  scan: check(
    "Connects to each port below 1024 and to common ports above, at the machine's own addresses, except the ports of the settings.",
    scan,
  ),
  proxies: check("Connects to the ports for proxies from the machine's own addresses that are not a proxy's.", proxied),
  others: check(
    "Looks for other programs that listen publicly and that the firewall lets others reach.",
    async (server) => {
      const { open } = await kernelState(server);
      return look((promised, found) => judgeOtherPrograms(promised, found, open))(server);
    },
  ),
};
