import { existsSync, readFileSync, statSync } from "node:fs";
import { type Isolation, isolationSchema, SHUT } from "../../core/incident/incident.ts";
import { isV4, isV6 } from "../../core/net/ip.ts";
import { parseAs } from "../../core/parse-as.ts";
import { instant, isoTime } from "../../core/time.ts";
import type { Outcome } from "../../guard/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { hostAndPort, proxiedPorts } from "../../settings/ports.ts";
import type { Settings } from "../../settings/schema.ts";
import { removeFile } from "../root-files/files.ts";
import { writeRecord } from "../root-files/record-file.ts";
import { listTable, loadNft, removeTable, setText } from "./run-nft.ts";

const SSH = 22;
const SMTP = 25;

/** Null if the server is not isolated. An unreadable file exists for a reason, so it closes all but SSH, as of its last change. */
export function readIsolation({ isolation: file }: Pick<Layout, "isolation">): Isolation | null {
  if (!existsSync(file)) return null;
  const read = parseAs(isolationSchema, readFileSync(file, "utf8"));
  if (read !== null) return read;
  const since = isoTime(instant(Math.floor(statSync(file).mtimeMs)));
  return { incident: "unknown", since, allow: [], ssh: [SSH], shut: SHUT };
}

/** Stores an isolation for the next start and `config apply`; null if the server is open again. */
export function keepIsolation({ isolation: file }: Pick<Layout, "isolation">, isolation: Isolation | null): void {
  if (isolation === null) removeFile(file);
  else writeRecord(file, isolation);
}

/** Creates the firewall table of an isolation. `settings`: null if not read yet, so that port 25 is the only known port of ours. */
export function applyIsolation(isolation: Isolation, settings: Settings | null): Promise<Outcome> {
  const ports = settings === null ? { smtp: [SMTP], signIn: [], relay: null } : isolatedPorts(settings);
  return loadNft(nftIsolate(isolation, ports));
}

/** Removes the table of an isolation, if it exists. */
export function clearIsolation(): Promise<Outcome> {
  return loadNft(removeTable(ISOLATION_TABLE));
}

export async function isIsolationApplied(): Promise<boolean> {
  return isComplete((await listTable(ISOLATION_TABLE)) ?? "");
}

/** Whether the table exists, by its listing, and no chain is empty: `nft flush` leaves chains that accept everything. */
export function isComplete(listed: string): boolean {
  return /hook input/.test(listed) && !/chain \w+ \{\s*(?:type [^\n]*\s*)?\}/.test(listed);
}

export function isolatedPorts(settings: Settings): IsolatedPorts {
  const proxied = proxiedPorts(settings);
  const relay = hostAndPort(settings["outbound.relay"]).port || SMTP;
  return {
    smtp: [settings["ports.smtp"], ...(proxied === null ? [] : [proxied.smtp])],
    signIn: [
      settings["ports.submission"],
      settings["ports.submissions"],
      settings["ports.imaps"],
      settings["ports.http"],
      ...(proxied === null ? [] : [proxied.submission, proxied.submissions, proxied.imaps]),
    ],
    relay: relay === SMTP ? null : relay,
  };
}

/**
 * The table of an isolated server. It is separate from the guard's, so that neither the guard nor `break-glass` opens it. It comes
 * before the guard's, which still judges packets that pass here.
 */
export const ISOLATION_TABLE = "inet ghostinbox_isolation";
const RANGES = "flags interval; auto-merge";

type IsolatedPorts = Readonly<{
  smtp: readonly number[];
  /** Where users sign in, including the dashboard. */
  signIn: readonly number[];
  /** The port of the relay through which mail is sent; null if mail goes to port 25 of each server. */
  relay: number | null;
}>;

/**
 * For `nft -f`. Refuses a stranger's connection rather than dropping it, up to a rate, so that a sending server learns at once that it
 * must try again later. Only for TCP, because no port of this server serves UDP to the outside, and answers to its own queries pass.
 */
export function nftIsolate({ allow, ssh, shut }: Isolation, ports: IsolatedPorts): string {
  const ours = (isShut: boolean): readonly number[] => [
    ...(shut.includes("receive") === isShut ? ports.smtp : []),
    ...(shut.includes("sign-in") === isShut ? ports.signIn : []),
  ];
  const open = [...ssh, ...ours(false)];
  const closed = ours(true).filter((port) => !ssh.includes(port));
  const refused = [
    ...(closed.length === 0 ? [] : [`tcp dport { ${closed.join(", ")} } goto refuse`]),
    ...(shut.every((one) => one === "send") ? [] : [refuseOthers(open)]),
  ];
  const allowed = [
    setText("allow4", `ipv4_addr; ${RANGES}`, allow.filter(isV4)),
    setText("allow6", `ipv6_addr; ${RANGES}`, allow.filter(isV6)),
  ].join("");
  return `${removeTable(ISOLATION_TABLE)}table ${ISOLATION_TABLE} {
  counter refused { }
${allowed}  chain refuse {
    limit rate 200/second counter name refused reject with tcp reset
    counter name refused drop
  }
  chain input {
    type filter hook input priority filter - 20; policy accept;
    iif lo accept
    ip saddr @allow4 accept
    ip6 saddr @allow6 accept
${refused.map((rule) => `    ${rule}\n`).join("")}  }
${shut.includes("send") ? outputChain(ports.relay) : ""}}
`;
}

/** Refuses new connections to anything else that listens here. Open ones stay, such as an SSH session or one that this server opened. */
function refuseOthers(open: readonly number[]): string {
  const but = open.length === 0 ? "" : `tcp dport != { ${open.join(", ")} } `;
  return `${but}tcp flags & (syn | ack) == syn goto refuse`;
}

/** Also stops mail that is being sent now, and mail of other programs. The guard's alerts may leave. */
function outputChain(relay: number | null): string {
  const toRelay =
    relay === null ? "" : `    meta skuid postfix tcp dport ${relay} counter name refused reject with tcp reset\n`;
  return `  chain output {
    type filter hook output priority filter - 20; policy accept;
    oif lo accept
    tcp dport 25 counter name refused reject with tcp reset
${toRelay}  }
`;
}
