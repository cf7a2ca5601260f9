import type { AllowItem } from "../../../admin/bans.ts";
import { ALL, PAGE } from "../../../admin/declare/paging.ts";
import { INTERVAL_SETS, setOf } from "../../../core/firewall/plan-firewall.ts";
import { beyond, isNothing, type Opening } from "../../../core/firewall/strict.ts";
import type { Isolation } from "../../../core/incident/incident.ts";
import {
  contains,
  hostPrefix,
  isTooWide,
  isV4,
  LOOPBACK,
  networkAddress,
  overlaps,
  type Prefix,
  parseIp,
  parsePrefix,
} from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import { NftFirewall } from "../../../host/firewall/firewall.ts";
import { type FirewallState, firewallState } from "../../../host/firewall/firewall-state.ts";
import { onlyBans, TABLE } from "../../../host/firewall/guard-table.ts";
import { readIsolation } from "../../../host/firewall/isolation.ts";
import { requiredOpening, sshDoors } from "../../../host/firewall/opening.ts";
import { readStrict } from "../../../host/firewall/strict.ts";
import { STRICT_TABLE } from "../../../host/firewall/strict-rules.ts";
import { ownNetworks } from "../../../host/machine/own-networks.ts";
import type { Finished } from "../../../host/machine/run-program.ts";
import { PROGRAM } from "../call.ts";
import { eachPage } from "../listing.ts";
import { firstFew } from "../print/text.ts";
import { shownOpening, shownState } from "../verbs/settings/firewall.ts";
import { check, type Finding, type Machine, ok, type Server, unknown, warning, wrong } from "./check.ts";

const TIMEOUT_MS = 10_000;
const FIX = `${PROGRAM} status  # says why the firewall cannot be used; the guard rebuilds the table automatically`;

/** The guard checks the kernel's sets and chains, not each rule. */
const REBUILD = `${PROGRAM} restart  # the guard rebuilds the table`;

/** What the guard accepts before any ban (host/firewall/guard-table.ts): loopback, neighbour discovery, the allow list. */
const OURS = /^(?:iif "lo"|icmpv6 type \{[^}]*\}|ip saddr @allow4|ip6 saddr @allow6) accept$|policy accept/;
/** Answers to this machine's own connections, which a ban spares. */
const ANSWERS =
  /^(?:tcp sport 1-1023 tcp dport >= \d+ tcp flags != syn \/ syn,ack|udp sport \{ 53, 123 \} udp dport >= 1024) accept$/;
/** Verdicts other than drop and reject by which a packet leaves a chain before its last rule (nft(8)). */
const LEAVES = /\b(?:accept|return|goto|jump|queue|vmap)\b/;
/** Drops every packet: no condition precedes it. */
const DROPS_ALL = /^(?:counter (?:name "?\w+"? |packets \d+ bytes \d+ )?)?drop$/;

/** As chosen: `open-ports` says what it means. */
export const FIREWALL_OFF = ok("The firewall is off (firewall.enabled), so the kernel holds no bans.");

/** `chain`: the chain as nft(8) prints it, empty if it does not exist; `banned`: the chain for banned packets. */
export function judgeChain(chain: string, banned: string, trouble: string): Finding {
  if (chain === "") return wrong(`The kernel has no table ${TABLE} (${trouble}).`, FIX);
  const sets = ["ban4", "ban6", "net4", "net6"];
  const missing = sets.filter((set) => !chain.includes(`@${set} goto banned`));
  if (missing.length > 0)
    return wrong(`The chain input of ${TABLE} does not drop addresses in ${missing.join(", ")}.`, FIX);
  const early = chain
    .slice(0, chain.lastIndexOf("goto banned"))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => LEAVES.test(line) && !OURS.test(line) && !line.endsWith(" goto banned"));
  if (early.length > 0) return wrong(`The chain input of ${TABLE} has rules before the bans: ${firstFew(early)}.`, FIX);
  if (!/type filter hook input priority/.test(chain)) return wrong(`The chain input of ${TABLE} is not hooked.`, FIX);
  const rules = rulesOf(banned);
  const loose = rules.filter((rule) => LEAVES.test(rule) && !ANSWERS.test(rule));
  if (loose.length > 0) return wrong(`The chain banned of ${TABLE} lets packets through: ${firstFew(loose)}.`, REBUILD);
  if (!DROPS_ALL.test(rules.at(-1) ?? ""))
    return wrong(`The chain banned of ${TABLE} does not end with a drop, so bans have no effect.`, REBUILD);
  return ok(`The table ${TABLE} is hooked at input and drops what is in ${sets.join(", ")}.`);
}

/** The rules of one chain, as nft(8) prints it within its table. */
function rulesOf(chain: string): readonly string[] {
  const lines = chain.split("\n").map((line) => line.trim());
  return lines.filter((line) => !["", "}"].includes(line) && !line.endsWith("{"));
}

/** `chains`: the output of `nft list chains`. Does not judge what other tables open. */
export function judgeOthers(chains: string | null): Finding {
  if (chains === null) return unknown("nft could not be run.", FIX);
  let table = "";
  const strict: string[] = [];
  for (const line of chains.split("\n")) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    if (table !== TABLE && /hook input .*policy drop/.test(line)) strict.push(table);
  }
  if (strict.length === 0) return ok("No other firewall table drops traffic by default.");
  return unknown(
    `Another firewall drops everything it does not accept (${firstFew(strict)}); whether it accepts mail can only be seen from outside.`,
    "nft list ruleset  # look for ports 25, 465, 587 and 993",
  );
}

/** `reached`: whether another user's program could connect to the port where Dovecot asks the guard. */
function judgeInner(port: number, isEnabled: boolean, reached: boolean | null): Finding {
  if (!isEnabled)
    return unknown(
      `The firewall is off (firewall.enabled), so only the secret protects port ${port}, and while the guard is down any user can answer Dovecot there.`,
    );
  if (reached === null) return unknown(`Whether other users can reach port ${port} could not be tested.`);
  if (reached) return wrong(`Programs of any user can reach port ${port}, where Dovecot asks the guard.`, FIX);
  return ok(`An unprivileged program cannot reach port ${port}, where Dovecot asks the guard.`);
}

/** The users nobody and nogroup on every Debian (base-passwd). */
const NOBODY = 65_534;

/** bash opens the connection itself and closes it at once. */
async function isReached({ machine, settings }: Server): Promise<boolean | null> {
  const connect = `exec 3<>/dev/tcp/127.0.0.1/${settings["ports.login_policy"]}`;
  const ran = await machine.run("bash", ["-c", connect], { uid: NOBODY, gid: NOBODY, timeoutMs: TIMEOUT_MS });
  if (ran.code === 0) return true;
  return /refused/i.test(ran.stderr) ? false : null;
}

/** `required`: the ports that the settings and SSH need. */
export function judgeOpenPorts(state: FirewallState, required: Opening, isolation: Isolation | null = null): Finding {
  const said = shownState(state, isolation).replace(/^Firewall: /, "");
  switch (state.state) {
    case "confirmed": {
      const lacks = beyond(required, state.open ?? required);
      if (!isNothing(lacks))
        return wrong(`The strict firewall closes ${shownOpening(lacks)}.`, `${PROGRAM} firewall try`);
      const more = beyond(state.open ?? required, required);
      if (isNothing(more)) return ok(said);
      return warning(
        `The firewall still accepts ${shownOpening(more)}, which the settings do not name and SSH does not need.`,
        `${PROGRAM} firewall try  # closes it, and is undone unless you confirm`,
      );
    }
    case "bans":
      return ok(said);
    case "off":
    case "unknown":
      return unknown(said);
    case "trial":
      return warning(said, `${PROGRAM} firewall confirm  # from a new SSH session`);
    case "unconfirmed":
      return wrong(said, `${PROGRAM} firewall try`);
    case "broken":
      return wrong(said, `nft delete table ${STRICT_TABLE}  # the keeper recreates it if it is needed`);
  }
}

export async function kernelState({ machine, settings, layout }: Server): Promise<FirewallState> {
  const ran = await machine.run("nft", ["list", "table", ...STRICT_TABLE.split(" ")], { timeoutMs: TIMEOUT_MS });
  const isGone = ran.code !== 0 && /No such file/.test(ran.stderr);
  return firewallState(settings, readStrict(layout), ran.code === 0 ? ran.stdout : isGone ? "" : null);
}

export const firewall = {
  "inner-port": check(
    "Connects without privileges to the port where only Dovecot may ask the guard.",
    async (server) => {
      const { settings } = server;
      return judgeInner(settings["ports.login_policy"], settings["firewall.enabled"], await isReached(server));
    },
  ),
  "open-ports": check(
    "Reads from the kernel which ports the firewall accepts, and compares them with the settings and SSH.",
    async (server) => {
      const state = await kernelState(server);
      return judgeOpenPorts(
        state,
        requiredOpening(server.settings, state.state === "confirmed" ? await sshDoors() : []),
        readIsolation(server.layout),
      );
    },
  ),
  "other-tables": check(
    "Looks for other firewall tables on the machine that drop traffic by default.",
    async ({ machine }) => {
      const ran = await machine.run("nft", ["list", "chains"], { timeoutMs: TIMEOUT_MS });
      return judgeOthers(ran.code === 0 ? ran.stdout : null);
    },
  ),
  table: check("Reads the server's own chains from the kernel.", async ({ machine, settings }) => {
    if (!settings["firewall.enabled"]) return FIREWALL_OFF;
    const listed = async (chain: string): Promise<Finished> =>
      machine.run("nft", ["list", "chain", ...TABLE.split(" "), chain], { timeoutMs: TIMEOUT_MS });
    const [input, banned] = await Promise.all([listed("input"), listed("banned")]);
    const text = ({ code, stdout }: Finished): string => (code === 0 ? stdout : "");
    return judgeChain(text(input), text(banned), input.stderr.split("\n", 1)[0] ?? "");
  }),
};

const STATUS = `${PROGRAM} status  # says what keeps the guard from the firewall`;

/** `trouble` null: the kernel holds all single addresses. `networks`: those missing from every set. */
export function judgeHeldByKernel(total: number, trouble: string | null, networks: readonly string[]): Finding {
  if (trouble !== null) return wrong(trouble, STATUS);
  if (networks.length > 0) return wrong(`The kernel does not hold the bans of ${firstFew(networks)}.`, STATUS);
  return ok(`The kernel holds ${total === 0 ? "no ban, as there is none" : `each of ${plural(total, "ban")}`}.`);
}

/** Returns the networks that the printed interval set does not cover. */
export function uncovered(wanted: readonly Prefix[], listing: string): readonly Prefix[] {
  const held = [...listing.matchAll(/[0-9a-f:.]+\/\d+/g)]
    .map(([text]) => parsePrefix(text))
    .filter((one) => one !== null);
  return wanted.filter((network) => !held.some((one) => contains(one, networkAddress(network))));
}

export function judgeAllowed(allowed: readonly Readonly<{ prefix: string; note: string }>[]): Finding {
  const wide = allowed.filter(({ prefix }) => {
    const network = parsePrefix(prefix);
    return network !== null && isTooWide(network);
  });
  if (wide.length > 0)
    return warning(
      `The allow list holds ${firstFew(wide.map(({ prefix }) => prefix))}.`,
      `${PROGRAM} allow remove NETWORK`,
    );
  return ok(`${plural(allowed.length, "entry")} on the allow list, none of them for a large part of the internet.`);
}

function judgeSelf(banned: readonly string[] | null): Finding {
  if (banned === null) return unknown("nft could not be run.", STATUS);
  if (banned.length === 0) return ok("The kernel bans neither this machine nor its gateway.");
  return wrong(`The kernel bans ${firstFew(banned)}, which must never be banned.`, `${PROGRAM} break-glass`);
}

/** Returns which of these a set of bans holds, without those that an allow set accepts first; `get element` works for networks too (nft(8)). */
async function bannedOf(machine: Machine, own: readonly Prefix[]): Promise<readonly Prefix[] | null> {
  const hosts = own.filter((prefix) => !LOOPBACK.some((loopback) => overlaps(loopback, prefix)));
  const asked = hosts.map(async (prefix) => {
    const sets = isV4(prefix) ? ["allow4", "ban4", "net4"] : ["allow6", "ban6", "ban6_host", "net6"];
    const ran = sets.map((set) =>
      machine.run("nft", ["get", "element", ...TABLE.split(" "), set, `{ ${networkAddress(prefix)} }`]),
    );
    return { prefix, codes: (await Promise.all(ran)).map(({ code }) => code) };
  });
  const answers = await Promise.all(asked);
  if (answers.some(({ codes }) => codes.some((code) => code >= 124))) return null;
  return answers
    .filter(({ codes: [allowed, ...held] }) => allowed !== 0 && held.includes(0))
    .map(({ prefix }) => prefix);
}

async function heldByKernel({ reader, settings, now, machine }: Server): Promise<Finding> {
  if (!settings["firewall.enabled"]) return FIREWALL_OFF;
  const read = await reader();
  if (read === null) return unknown("The guard does not answer, so its bans are unknown.", `${PROGRAM} status`);
  const ipv6Length = settings["bans.ipv6_prefix"];
  const standing = read.queries.bans(now, ALL);
  const all = standing.items.map(({ prefix }) => parsePrefix(prefix)).filter((one) => one !== null);
  const isNetwork = (one: Prefix): boolean => INTERVAL_SETS.some((set) => set === setOf(one, ipv6Length));
  const held = await new NftFirewall(() => onlyBans(ipv6Length)).holds(all.filter((one) => !isNetwork(one)));
  const networks = all.filter(isNetwork);
  if (!held.ok || networks.length === 0) return judgeHeldByKernel(all.length, held.ok ? null : held.reason, []);
  const listings = await Promise.all(
    INTERVAL_SETS.map((set) => machine.run("nft", ["list", "set", ...TABLE.split(" "), set], { timeoutMs: 10_000 })),
  );
  if (listings.some(({ code }) => code !== 0)) return unknown("nft could not be run.", STATUS);
  return judgeHeldByKernel(all.length, null, uncovered(networks, listings.map(({ stdout }) => stdout).join("\n")));
}

export const bans = {
  "in-kernel": check("Asks the kernel for each ban in force.", heldByKernel),
  self: check(
    "Asks the kernel whether it holds a ban of this machine, its gateway or the address of this SSH session.",
    async ({ machine, env }) => {
      const own = ownNetworks([]).map(({ prefix }) => prefix);
      const ssh = parseIp(env["SSH_CLIENT"]?.split(" ")[0] ?? "");
      return judgeSelf(await bannedOf(machine, [...own, ...(ssh === null ? [] : [hostPrefix(ssh)])]));
    },
  ),
  "allow-list": check("Looks for networks on the allow list that are too large to trust.", async ({ guard }) => {
    const allowed: AllowItem[] = [];
    const failure = await eachPage(
      null,
      (cursor) => guard.ask({ verb: "allow_list", limit: PAGE.most, cursor }),
      ({ items }) => allowed.push(...items),
    );
    return failure === null ? judgeAllowed(allowed) : unknown(failure.message, failure.next);
  }),
};
