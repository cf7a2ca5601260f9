import { readFileSync, statfsSync } from "node:fs";
import { lazily } from "../../../admin/declare/fields.ts";
import { CHECK_STATES } from "../../../admin/declare/reports.ts";
import { type Ip, PROBE_ADDRESS } from "../../../core/net/ip.ts";
import { asSentence } from "../../../core/text.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { IMAGE_LISTS } from "../../../host/debian/updates.ts";
import { toolEnvironment } from "../../../host/firewall/run-nft.ts";
import { outgoingAddresses, ownAddresses } from "../../../host/machine/own-addresses.ts";
import { type RunOptions, runProgram } from "../../../host/machine/run-program.ts";
import { IS_IMAGE } from "../../../host/running/checkout.ts";
import { type Handshake, handshake, type Offer, type TlsPort } from "../../../mail/probes/port-dialogue.ts";
import type { Settings } from "../../../settings/schema.ts";
import type { Call, Reader } from "../call.ts";

export type State = (typeof CHECK_STATES)[number];

/** `saw` is the evidence. `fix` is the command or page that helps, empty if nothing needs to be done. */
export type Finding = Readonly<{ state: State; saw: string; fix: string }>;

export function ok(saw: string): Finding {
  return { state: "ok", saw, fix: "" };
}

export function unknown(saw: string, fix = ""): Finding {
  return { state: "unknown", saw, fix };
}

export function warning(saw: string, fix: string): Finding {
  return { state: "warning", saw, fix };
}

export function wrong(saw: string, fix: string): Finding {
  return { state: "wrong", saw, fix };
}

/** Returns the worst state with the evidence of all findings of that state. `saw`: the evidence if there are no findings. */
export function worstOf(findings: readonly Finding[], saw = ""): Finding {
  const state = CHECK_STATES.findLast((one) => findings.some((finding) => finding.state === one)) ?? "ok";
  const those = findings.filter((finding) => finding.state === state);
  const [first] = those;
  if (first === undefined) return ok(saw);
  const sentences = those.map((finding) => asSentence(finding.saw));
  return { state, saw: [...new Set(sentences)].join(" "), fix: first.fix };
}

export type Shaken = ReadonlyMap<TlsPort, Handshake>;
export type Server = ReturnType<typeof serverOf>;

/** `does`: a sentence that is printed with every result. */
export type Check = Readonly<{ does: string; look: (server: Server) => Finding | Promise<Finding> }>;

export function check(does: string, look: Check["look"]): Check {
  return { does, look };
}

type Ports = Pick<Call, "layout" | "env" | "guard" | "keeper" | "reader" | "now">;

const HANDSHAKE_MS = 10 * SECOND_MS;

/**
 * The running system under check. Fetches data that several checks need once; null if the guard does not answer. `sendsTest`: whether to
 * send a test through each alert channel.
 */
export function serverOf({ layout, env, guard, keeper, reader, now }: Ports, settings: Settings, sendsTest: boolean) {
  return {
    layout,
    settings,
    machine,
    now: now(),
    env,
    guard,
    keeper,
    sendsTest,
    health: lazily(async () => {
      const asked = await guard.ask({ verb: "health" });
      return asked.ok ? asked.result : null;
    }),
    alerts: lazily(async () => {
      const asked = await guard.ask({ verb: "alerts_list", limit: 1, cursor: null });
      return asked.ok ? asked.result : null;
    }),
    reader: lazily(async () => {
      const opened = await reader();
      return opened.ok ? opened.reader : null;
    }),
    shaken: lazily(() => shakeAll(settings)),
  };
}

export async function shakeAll(settings: Settings, offer?: Offer): Promise<Shaken> {
  const options = { localAddress: PROBE_ADDRESS, servername: settings.hostname, timeoutMs: HANDSHAKE_MS, offer };
  const shaken = tlsPortsOf(settings).map(async (tlsPort) => [tlsPort, await handshake(tlsPort, options)] as const);
  return new Map(await Promise.all(shaken));
}

/** Bytes and inodes of a file system. */
export type Room = Readonly<{ free: number; all: number }>;

export type Machine = typeof machine;

/** The machine that runs the server, as its programs and its kernel describe it. */
export const machine = {
  /** Runs an administrator's tool of the machine, whose output we parse, until it exits. Never throws. */
  run: (program: string, args: readonly string[], options: RunOptions = {}) =>
    runProgram(program, args, { env: toolEnvironment(), ...options }),
  /** Free and total amounts for files of root. */
  room: (path: string): Readonly<{ bytes: Room; inodes: Room }> => {
    const { bavail, blocks, bsize, ffree, files } = statfsSync(path);
    return { bytes: { free: bavail * bsize, all: blocks * bsize }, inodes: { free: ffree, all: files } };
  },
  /** `/proc/self/mountinfo` (proc(5)). */
  mounts: () => readFileSync("/proc/self/mountinfo", "utf8"),
  addresses: ownAddresses,
  outgoingAddresses,
  /** Where apt stores its downloads (apt.conf(5), Dir::State::lists). */
  packageLists: IS_IMAGE ? IMAGE_LISTS : "/var/lib/apt/lists",
};

const MOST_ADDRESSES = 4;

/** The machine's addresses that others may reach, without link-local ones, which need the link's name too. */
export function reachableAddresses(of: Machine): readonly Ip[] {
  return of
    .addresses()
    .filter((address) => !address.startsWith("fe80:"))
    .slice(0, MOST_ADDRESSES);
}

/** The mail ports, and how TLS starts at each (RFC 3207, RFC 8314). */
export function tlsPortsOf(settings: Settings): readonly TlsPort[] {
  return [
    { name: "SMTP", port: settings["ports.smtp"], tlsStart: "starttls", goodbye: "QUIT" },
    { name: "submission", port: settings["ports.submission"], tlsStart: "starttls", goodbye: "QUIT" },
    { name: "submissions", port: settings["ports.submissions"], tlsStart: "at_once", goodbye: "QUIT" },
    { name: "IMAPS", port: settings["ports.imaps"], tlsStart: "at_once", goodbye: "a LOGOUT" },
  ];
}

/** A check that reads the databases; unknown while the guard does not answer. */
export function fromDatabases(judge: (reader: Reader, server: Server) => Finding | Promise<Finding>): Check["look"] {
  return async (server) => {
    const reader = await server.reader();
    return reader === null ? unknown("The guard does not answer.") : judge(reader, server);
  };
}
