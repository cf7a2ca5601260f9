import { doorOf, merged, type Opening, parseInterface, partsOf } from "../../core/firewall/strict.ts";
import { removeTable } from "./run-nft.ts";

/** Comes after the guard's table, which drops packets of banned addresses whatever is open here. */
export const STRICT_TABLE = "inet ghostinbox_strict";

/**
 * A packet with ACK or RST gets the same answer whether or not a program listens, so accepting it reveals nothing and keeps open
 * sessions alive without connection tracking. A packet that opens a connection has neither flag.
 * DHCP answers broadcasts and DHCPv6 answers multicasts (RFC 8415), so connection tracking does not recognise them as answers.
 */
const ALWAYS = [
  "tcp flags & (ack | rst) != 0 accept",
  "ct state established,related accept",
  "udp sport 67 udp dport 68 accept",
  "ip6 daddr fe80::/10 udp dport 546 accept",
] as const;
/** Refuses like a port at which nothing listens. Does not judge traffic without ports, such as ICMP, neighbour discovery and tunnels. */
const REFUSES = ["meta l4proto tcp reject with tcp reset", "meta l4proto { udp, udplite, sctp, dccp } reject"] as const;

/** The opening on trial, and how many seconds it lasts. */
export type Trial = Readonly<{ opening: Opening; timeoutS: number }>;

/**
 * For `nft -f`. The elements of `trial` expire by the kernel's own clock, whatever happens to our programs. After that, the opening
 * that was confirmed before is in force again, or nothing is refused.
 */
export function nftStrict(confirmed: Opening | null, trial: Trial | null): string {
  return `${removeTable(STRICT_TABLE)}table ${STRICT_TABLE} {
${trial === null ? "" : trialSet(trial.timeoutS) + chain("trial", trial.opening)}${
  confirmed === null ? "" : chain("confirmed", confirmed)
}  chain input {
    type filter hook input priority filter - 5; policy accept;
    iif lo accept
${trial === null ? "" : "    meta nfproto @trial goto trial\n"}${confirmed === null ? "" : "    goto confirmed\n"}  }
}
`;
}

function trialSet(timeoutS: number): string {
  const elements = ["ipv4", "ipv6"].map((family) => `${family} timeout ${timeoutS}s`).join(", ");
  return `  set trial { type nf_proto; flags timeout; elements = { ${elements} } }\n`;
}

function chain(name: string, { doors, trusted }: Opening): string {
  const rules = [
    ...trusted.map((one) => `iifname "${one}" accept`),
    ...ALWAYS,
    ...doors.map((one) => {
      const { protocol, family, first, last } = partsOf(one);
      const ports = first === last ? String(first) : `${first}-${last}`;
      return `${family === null ? "" : `meta nfproto ipv${family} `}${protocol} dport ${ports} accept`;
    }),
    ...REFUSES,
  ];
  return `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join("")}  }\n`;
}

/** `open`: what is accepted now; null if everything is. `remainingS`: seconds until the kernel ends the trial. */
export type StrictListing = Readonly<{
  open: Opening | null;
  remainingS: number | null;
  /** What someone else has changed. */
  faults: readonly string[];
}>;

const DOOR_RULE = /^(?:meta nfproto ipv([46]) )?(tcp|udp) dport (\d+)(?:-(\d+))? accept$/;
const INTERFACE_RULE = /^iifname "([^"]+)" accept$/;
/** Our rules as nft(8) prints them. Its versions write flags and states in different ways. */
const OURS =
  /^(?:tcp flags .*|ct state (?:established,related|\{ established, related \})|udp sport 67 udp dport 68|ip6 daddr fe80::\/10 udp dport 546) accept$/;
const REFUSAL = /^meta l4proto (?:tcp|6) reject with tcp reset$|^meta l4proto \{[^}]*\budp\b[^}]*\} reject\b/;

/** Reads the output of `nft list table`; null if there is no table. */
export function parseStrict(listing: string): StrictListing | null {
  const input = rulesOf(listing, "input");
  if (input === null)
    return /^table /m.test(listing) ? { open: null, remainingS: null, faults: ["no chain input"] } : null;
  const remainingS = remaining(listing);
  const isTried = remainingS !== null && input.includes("meta nfproto @trial goto trial");
  const activeChain = isTried ? "trial" : input.includes("goto confirmed") ? "confirmed" : null;
  const rules = activeChain === null ? null : rulesOf(listing, activeChain);
  const known = /^(?:type filter hook .*|iif (?:"lo"|lo) accept|meta nfproto @trial goto trial|goto confirmed)$/;
  const faults = [
    ...(input.some((rule) => rule.startsWith("type filter hook input ")) ? [] : ["the chain input is not hooked"]),
    ...input.filter((rule) => !known.test(rule)),
    ...(rules === null ? [] : faultsOf(rules)),
  ];
  return { open: rules === null ? null : openingOf(rules), remainingS, faults };
}

function faultsOf(rules: readonly string[]): readonly string[] {
  const unknown = rules.filter((rule) => ![DOOR_RULE, INTERFACE_RULE, OURS, REFUSAL].some((ours) => ours.test(rule)));
  const refusals = rules.slice(-REFUSES.length).filter((rule) => REFUSAL.test(rule));
  return [...unknown, ...(refusals.length === REFUSES.length ? [] : ["connections to other ports are not refused"])];
}

function openingOf(rules: readonly string[]): Opening {
  return merged({
    doors: rules.flatMap((rule) => {
      const [, family, protocol, first = "", last = first] = DOOR_RULE.exec(rule) ?? [];
      if (protocol !== "tcp" && protocol !== "udp") return [];
      const number = family === "4" ? 4 : family === "6" ? 6 : null;
      return [doorOf({ protocol, family: number, first: Number(first), last: Number(last) })];
    }),
    trusted: rules.flatMap((rule) => parseInterface(INTERFACE_RULE.exec(rule)?.[1] ?? "") ?? []),
  });
}

/** The lines of a chain, trimmed; null if the chain does not exist. */
function rulesOf(listing: string, name: string): readonly string[] | null {
  const text = new RegExp(`^\\s*chain ${name} \\{\\n([^]*?)^\\s*\\}$`, "m").exec(listing)?.[1];
  return text === undefined ? null : (text.match(/\S(?:[^\n]*\S)?/g) ?? []);
}

/** Seconds, rounded up; null if no element is left. */
function remaining(listing: string): number | null {
  const [, text = ""] = /ipv4 timeout \S+ expires ([\dhms]+)/.exec(listing) ?? [];
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  const parts = [...text.matchAll(/(\d+)(ms|[hms])/g)].map(([, n, unit = ""]) => Number(n) * (units[unit] ?? 0));
  return parts.length === 0 ? null : Math.ceil(parts.reduce((sum, part) => sum + part, 0));
}
