import type { Site } from "../configuration/site.ts";

/**
 * unbound.conf(5): asks the name servers of the internet directly and validates their answers (RFC 4035). By default nothing is forwarded
 * to a public resolver, because block lists refuse those.
 */
export function renderUnbound({ dns, ipv6 }: Site): string {
  // The cache of records should be twice that of messages (unbound.conf(5), rrset-cache-size).
  const messages = Math.floor(dns.cacheBytes / 3);
  const reserved = dns.ownRoot ? NOTHING_SPECIAL : "";
  // Of several stub-zone blocks with one name, unbound uses only the last.
  const zones = [...Map.groupBy(dns.stubs, ({ zone }) => zone)];
  const unsigned = zones.map(([zone]) => askedOfItsServer(zone)).join("");
  const stubs = zones
    .map(([zone, servers]) => {
      const addresses = servers.map(({ address }) => `  stub-addr: ${address}\n`).join("");
      return `stub-zone:\n  name: "${zone}"\n${addresses}`;
    })
    .join("");
  return `server:
  interface: ${dns.address}
  port: 53
  access-control: 127.0.0.0/8 allow
  do-ip6: ${ipv6 ? "yes" : "no"}
  # runit already starts it as its own user, with the capability to open the port.
  username: ""
  chroot: ""
  directory: ""
  pidfile: ""
  do-daemonize: no
  use-syslog: no
  verbosity: 0
  num-threads: 1
  msg-cache-size: ${messages}
  rrset-cache-size: ${dns.cacheBytes - messages}
  # A family's server makes few queries; the default caches would hold answers that are never used again.
  key-cache-size: 1m
  neg-cache-size: 512k
  infra-cache-numhosts: 2000
  # Otherwise name servers that were silent while our line was down may not be asked again for 15 minutes (infra-host-ttl).
  infra-keep-probing: yes
  # Ports: 16 times the queries, because one query to silent servers holds several ports for seconds. While no port is free, all
  # queries wait. unbound(8) uses as many by default.
  outgoing-range: 4096
  num-queries-per-thread: 256
  # At the limit Unbound closes the oldest connection unanswered: with the default of 10, a few slow servers would close all others.
  outgoing-num-tcp: 256
  module-config: "validator iterator"
  root-hints: "${dns.rootHints}"
  trust-anchor-file: "${dns.trustAnchor}"
  qname-minimisation: yes
  minimal-responses: yes
  harden-glue: yes
  harden-dnssec-stripped: yes
  harden-below-nxdomain: yes
  hide-identity: yes
  hide-version: yes
  # DNS flag day 2020: larger answers come over TCP instead of in fragments.
  edns-buffer-size: 1232
  # Otherwise the NSEC records of our own signed domain answer the guard's probe (guard/lookups/watch-dns.ts) while the DNS fails.
  aggressive-nsec: no
${reserved}${unsigned}${stubs}${forwarded(dns.forward)}remote-control:
  control-enable: no
`;
}

/** If all of them fail, the name servers themselves are tried. */
function forwarded(resolvers: readonly string[]): string {
  if (resolvers.length === 0) return "";
  const addresses = resolvers.map((address) => `  forward-addr: ${address}\n`).join("");
  return `forward-zone:\n  name: "."\n${addresses}  forward-first: yes\n`;
}

/**
 * The answers of a stub's server need no signatures. By default unbound may answer some of its names itself: `transparent` lets the stub's
 * names through if a built-in zone is at or above it (`corp.home.arpa`), and `nodefault` removes each built-in zone below it
 * (`172.in-addr.arpa`), under its built-in name.
 */
function askedOfItsServer(zone: string): string {
  const below = BUILT_IN_ZONES.filter((name) => name.endsWith(`.${zone}`));
  const own = `  domain-insecure: "${zone}"\n  local-zone: "${zone}." transparent\n`;
  return own + below.map((name) => `  local-zone: "${name}." nodefault\n`).join("");
}

/** By default unbound itself answers for reserved names and networks (RFC 6303, RFC 6761); a custom root decides instead. */
const NOTHING_SPECIAL = `  unblock-lan-zones: yes
  local-zone: "test." nodefault
  local-zone: "home.arpa." nodefault
`;

/** The zones that unbound 1.17 has built in (unbound.conf(5), local-zone): RFC 6303, 6761, 7686, 8375. */
export const BUILT_IN_ZONES: readonly string[] = [
  "localhost",
  "test",
  "invalid",
  "onion",
  "home.arpa",
  ...["0", "10", "127", "254.169", "168.192", "2.0.192", "100.51.198", "113.0.203", "255.255.255.255"].map(inAddr),
  ...numbers(16, 31).map((number) => inAddr(`${number}.172`)),
  ...numbers(64, 127).map((number) => inAddr(`${number}.100`)),
  ...[`0${".0".repeat(31)}`, `1${".0".repeat(31)}`, "d.f", "8.e.f", "9.e.f", "a.e.f", "b.e.f", "8.b.d.0.1.0.0.2"].map(
    (name) => `${name}.ip6.arpa`,
  ),
];

function inAddr(name: string): string {
  return `${name}.in-addr.arpa`;
}

function numbers(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
