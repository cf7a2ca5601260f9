import { RENDERED_BY, type Site } from "./site.ts";

/**
 * unbound.conf (unbound.conf(5)): asks the name servers of the internet itself and validates what they say (RFC 4035).
 * Nothing is forwarded to a public resolver: block lists refuse what comes through one.
 */
export function renderUnbound({ dns, ipv6 }: Site): string {
  return [
    `# ${RENDERED_BY}`,
    "server:",
    ...indented([
      `interface: ${dns.address}`,
      "port: 53",
      "access-control: 127.0.0.0/8 allow",
      `do-ip6: ${ipv6 ? "yes" : "no"}`,
      // runit starts it as its own user already, with the one right to open the port.
      'username: ""',
      'chroot: ""',
      'directory: ""',
      'pidfile: ""',
      "do-daemonize: no",
      "use-syslog: no",
      "verbosity: 0",
      "num-threads: 1",
      ...SMALL,
      'module-config: "validator iterator"',
      `root-hints: "${dns.rootHints}"`,
      `trust-anchor-file: "${dns.trustAnchor}"`,
      ...CAREFUL,
      ...(dns.ownRoot ? NOTHING_SPECIAL : []),
      // What a stub's server says of its own zone is nobody else's to sign, and its name may be a reserved one.
      ...dns.stubs.flatMap(({ zone }) => [`domain-insecure: "${zone}"`, `local-zone: "${zone}." nodefault`]),
    ]),
    ...dns.stubs.flatMap(({ zone, address }) => [
      "stub-zone:",
      ...indented([`name: "${zone}"`, `stub-addr: ${address}`]),
    ]),
    "remote-control:",
    "  control-enable: no",
    "",
  ].join("\n");
}

/** A family's server asks little; the default caches would hold what nobody asks for again. */
const SMALL: readonly string[] = [
  "msg-cache-size: 4m",
  "rrset-cache-size: 8m",
  "key-cache-size: 1m",
  "neg-cache-size: 512k",
  "infra-cache-numhosts: 2000",
  "outgoing-range: 256",
  "num-queries-per-thread: 256",
];

const CAREFUL: readonly string[] = [
  "qname-minimisation: yes",
  "minimal-responses: yes",
  "harden-glue: yes",
  "harden-dnssec-stripped: yes",
  "harden-below-nxdomain: yes",
  "hide-identity: yes",
  "hide-version: yes",
  // DNS flag day 2020: larger answers come over TCP instead of in fragments.
  "edns-buffer-size: 1232",
];

/** By default unbound itself answers for reserved names and networks (RFC 6303, RFC 6761); an own root decides. */
export const NOTHING_SPECIAL: readonly string[] = [
  "unblock-lan-zones: yes",
  'local-zone: "test." nodefault',
  'local-zone: "home.arpa." nodefault',
];

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
