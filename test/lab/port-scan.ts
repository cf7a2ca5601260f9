import type { Host } from "./host.ts";

/** UDP ports at which machines often answer, few enough for the kernel's limit on ICMP answers. */
const USUAL_UDP = [
  53, 67, 68, 69, 111, 123, 137, 161, 389, 500, 514, 520, 623, 1194, 1701, 1900, 3478, 4500, 5060, 5353,
];

type Scanned = Readonly<{ tcp: readonly number[]; udp: readonly number[] }>;

/** Every TCP port and usual UDP ports that nmap(1) does not find closed, from outside. */
export async function scan(from: Host, target: string, udp: readonly number[]): Promise<Scanned> {
  const fast = ["nmap", "-n", "-Pn", "-T4", "-oG", "-"];
  const family = target.includes(":") ? ["-6"] : [];
  const options = { deadlineMs: 120_000 };
  const tcp = await from.mustExec([...fast, ...family, "-sS", "-p-", target], options);
  const asked = [...new Set([...USUAL_UDP, ...udp])].join();
  const datagrams = await from.mustExec([...fast, ...family, "-sU", "-p", asked, target], options);
  return { tcp: notClosed(tcp, "tcp"), udp: notClosed(datagrams, "udp") };
}

/** nmap summarizes closed ports, and lists the others, including filtered ones. */
function notClosed(printed: string, protocol: "tcp" | "udp"): readonly number[] {
  if (/filtered \(\d+\)/.test(printed)) throw new Error(`many ports did not answer:\n${printed}`);
  const found = printed.matchAll(new RegExp(`(\\d+)/((?:open|filtered|unfiltered|\\|)+)/${protocol}/`, "g"));
  return [...found].map(([, port]) => Number(port)).toSorted((a, b) => a - b);
}
