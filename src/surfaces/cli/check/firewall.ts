import { HASH_SETS, INTERVAL_SETS } from "../../../core/firewall/plan-firewall.ts";
import { beyond, isNothing, type Opening } from "../../../core/firewall/strict.ts";
import type { Isolation } from "../../../core/incident/incident.ts";
import { type FirewallState, firewallState } from "../../../host/firewall/firewall-state.ts";
import { TABLE } from "../../../host/firewall/guard-table.ts";
import { readIsolation } from "../../../host/firewall/isolation.ts";
import { requiredOpening, sshDoors } from "../../../host/firewall/opening.ts";
import { readStrict } from "../../../host/firewall/strict.ts";
import { STRICT_TABLE } from "../../../host/firewall/strict-rules.ts";
import type { Finished } from "../../../host/machine/run-program.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import { shownOpening, shownState } from "../verbs/settings/firewall.ts";
import { check, type Finding, ok, type Server, unknown, warning, wrong } from "./check.ts";

const TIMEOUT_MS = 10_000;
const FIX = `${PROGRAM} status  # says why the firewall cannot be used; the guard rebuilds the table automatically`;

/** The guard checks the kernel's sets and chains, not each rule. */
const REBUILD = `${PROGRAM} restart  # the guard rebuilds the table`;

/** The guard's own rules before the bans (host/firewall/guard-table.ts): proxies, loopback, neighbour discovery, the allow list. */
const OURS =
  /^(?:tcp dport @proxied jump from_proxies|(?:iif "lo"|icmpv6 type \{[^}]*\}|ip saddr @allow4|ip6 saddr @allow6) accept)$|policy accept/;
/** Rules for answers to this machine's own connections, which a ban does not block. */
const ANSWERS =
  /^(?:tcp sport 1-1023 tcp dport >= \d+ tcp flags != syn \/ syn,ack|udp sport \{ 53, 123 \} udp dport >= 1024) accept$/;
/** Verdicts other than drop and reject by which a packet leaves a chain before its last rule (nft(8)). */
const LEAVES = /\b(?:accept|return|goto|jump|queue|vmap)\b/;
/** A rule that drops every packet, because no condition precedes the verdict. */
const DROPS_ALL = /^(?:counter (?:name "?\w+"? |packets \d+ bytes \d+ )?)?drop$/;

/** Not a fault, because the owner chose it. `open-ports` says what it means. */
export const FIREWALL_OFF = ok("The firewall is off (firewall.enabled), so the kernel holds no bans.");

/** `chain`: the chain as nft(8) prints it, empty if it does not exist; `banned`: the chain for banned packets. */
export function judgeChain(chain: string, banned: string, trouble: string): Finding {
  if (chain === "") return wrong(`The kernel has no table ${TABLE} (${trouble}).`, FIX);
  const sets = [...HASH_SETS, ...INTERVAL_SETS];
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

/** `chains`: the output of `nft list chains`. Does not judge which ports other tables open. */
export function judgeOtherTables(chains: string | null): Finding {
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

/** `reached`: whether another user's program could connect to the port where Dovecot asks the guard; null if unknown. */
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
  const description = shownState(state, isolation).replace(/^Firewall: /, "");
  switch (state.state) {
    case "confirmed": {
      const lacks = beyond(required, state.open ?? required);
      if (!isNothing(lacks))
        return wrong(`The strict firewall closes ${shownOpening(lacks)}.`, `${PROGRAM} firewall try`);
      const more = beyond(state.open ?? required, required);
      if (isNothing(more)) return ok(description);
      return warning(
        `The firewall still accepts ${shownOpening(more)}, which the settings do not name and SSH does not need.`,
        `${PROGRAM} firewall try  # closes it, and is undone unless you confirm`,
      );
    }
    case "bans":
      return ok(description);
    case "off":
    case "unknown":
      return unknown(description);
    case "trial":
      return warning(description, `${PROGRAM} firewall confirm  # from a new SSH session`);
    case "unconfirmed":
      return wrong(description, `${PROGRAM} firewall try`);
    case "broken":
      return wrong(description, `nft delete table ${STRICT_TABLE}  # the keeper recreates it if it is needed`);
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
      const required = requiredOpening(server.settings, state.state === "confirmed" ? await sshDoors() : []);
      return judgeOpenPorts(state, required, readIsolation(server.layout));
    },
  ),
  "other-tables": check(
    "Looks for other firewall tables on the machine that drop traffic by default.",
    async ({ machine }) => {
      const ran = await machine.run("nft", ["list", "chains"], { timeoutMs: TIMEOUT_MS });
      return judgeOtherTables(ran.code === 0 ? ran.stdout : null);
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
