import type { AllowItem } from "../../../admin/bans.ts";
import { ALL } from "../../../admin/declare/paging.ts";
import { INTERVAL_SETS, setOf } from "../../../core/firewall/plan-firewall.ts";
import {
  contains,
  isTooWide,
  isV4,
  LOOPBACK,
  networkAddress,
  overlaps,
  type Prefix,
  parsePrefix,
  prefixOf,
} from "../../../core/net/ip.ts";
import { plural } from "../../../core/text.ts";
import { NftFirewall } from "../../../host/firewall/firewall.ts";
import { onlyBans, TABLE } from "../../../host/firewall/guard-table.ts";
import { callerConnection, peerOf } from "../../../host/firewall/opening.ts";
import { ownNetworks } from "../../../host/machine/own-networks.ts";
import { TIMED_OUT } from "../../../host/machine/run-program.ts";
import { PROGRAM } from "../call.ts";
import { gather } from "../listing.ts";
import { firstFew } from "../print/text.ts";
import { check, type Finding, ok, type Server, unknown, warning, wrong } from "./check.ts";
import { FIREWALL_OFF } from "./firewall.ts";

const FIX = `${PROGRAM} status  # says what keeps the guard from the firewall`;

/** `trouble`: what the kernel lacks of single addresses; null if nothing. `networks`: networks that are in no set of the kernel. */
export function judgeHeldByKernel(total: number, trouble: string | null, networks: readonly string[]): Finding {
  if (trouble !== null) return wrong(trouble, FIX);
  if (networks.length > 0) return wrong(`The kernel does not hold the bans of ${firstFew(networks)}.`, FIX);
  return ok(`The kernel holds ${total === 0 ? "no ban, as there is none" : `each of ${plural(total, "ban")}`}.`);
}

/** Returns the networks that the printed interval set does not cover. */
export function uncovered(wanted: readonly Prefix[], listing: string): readonly Prefix[] {
  const held = [...listing.matchAll(/[0-9a-f:.]+\/\d+/g)]
    .map(([text]) => parsePrefix(text))
    .filter((one) => one !== null);
  return wanted.filter((network) => !held.some((one) => contains(one, networkAddress(network))));
}

export function judgeAllowed(allowed: readonly Pick<AllowItem, "prefix">[]): Finding {
  const networks = allowed.map(({ prefix }) => parsePrefix(prefix)).filter((network) => network !== null);
  const wide = networks.filter(isTooWide);
  if (wide.length > 0) return warning(`The allow list holds ${firstFew(wide)}.`, `${PROGRAM} allow remove NETWORK`);
  return ok(`${plural(allowed.length, "entry")} on the allow list, none of them for a large part of the internet.`);
}

function judgeSelf(banned: readonly string[] | null): Finding {
  if (banned === null) return unknown("nft could not be run.", FIX);
  if (banned.length === 0) return ok("The kernel bans neither this machine nor its gateway.");
  return wrong(`The kernel bans ${firstFew(banned)}, which must never be banned.`, `${PROGRAM} break-glass`);
}

/** Returns which of these are in a set of bans and not in an allow set, which accepts first. `get element` also finds networks (nft(8)). */
async function bannedOf({ machine, settings }: Server, own: readonly Prefix[]): Promise<readonly Prefix[] | null> {
  const hosts = own.filter((prefix) => !LOOPBACK.some((loopback) => overlaps(loopback, prefix)));
  const asked = hosts.map(async (prefix) => {
    const sets = isV4(prefix) ? ["allow4", "ban4", "net4"] : ["allow6", "ban6", "ban6_host", "net6"];
    const address = networkAddress(prefix);
    const counted = networkAddress(prefixOf(address, settings["bans.ipv6_prefix"]));
    const ran = sets.map((set) => {
      const element = `{ ${set === "ban6" ? counted : address} }`;
      return machine.run("nft", ["get", "element", ...TABLE.split(" "), set, element]);
    });
    return { prefix, codes: (await Promise.all(ran)).map(({ code }) => code) };
  });
  const answers = await Promise.all(asked);
  if (answers.some(({ codes }) => codes.some((code) => code >= TIMED_OUT))) return null;
  return answers
    .filter(({ codes: [allowed, ...held] }) => allowed !== 0 && held.includes(0))
    .map(({ prefix }) => prefix);
}

async function heldByKernel({ reader, settings, now, machine }: Server): Promise<Finding> {
  if (!settings["firewall.enabled"]) return FIREWALL_OFF;
  const read = await reader();
  if (read === null) return unknown("The guard does not answer, so its bans are unknown.", `${PROGRAM} status`);
  const ipv6Length = settings["bans.ipv6_prefix"];
  const inForce = read.queries.bans(now, ALL);
  const all = inForce.items.map(({ prefix }) => parsePrefix(prefix)).filter((one) => one !== null);
  const isNetwork = (one: Prefix): boolean => INTERVAL_SETS.some((set) => set === setOf(one, ipv6Length));
  const held = await new NftFirewall(() => onlyBans(ipv6Length)).holds(all.filter((one) => !isNetwork(one)));
  const networks = all.filter(isNetwork);
  if (!held.ok || networks.length === 0) return judgeHeldByKernel(all.length, held.ok ? null : held.reason, []);
  const listings = await Promise.all(
    INTERVAL_SETS.map((set) => machine.run("nft", ["list", "set", ...TABLE.split(" "), set], { timeoutMs: 10_000 })),
  );
  if (listings.some(({ code }) => code !== 0)) return unknown("nft could not be run.", FIX);
  return judgeHeldByKernel(all.length, null, uncovered(networks, listings.map(({ stdout }) => stdout).join("\n")));
}

export const bans = {
  "in-kernel": check("Asks the kernel for each ban in force.", heldByKernel),
  self: check(
    "Asks the kernel whether it holds a ban of this machine, its gateway or the address of this SSH session.",
    async (server) => {
      const own = ownNetworks([]).map(({ prefix }) => prefix);
      const ssh = peerOf(callerConnection(server.env));
      return judgeSelf(await bannedOf(server, [...own, ...(ssh === null ? [] : [ssh])]));
    },
  ),
  "allow-list": check("Looks for networks on the allow list that are too large to trust.", async ({ guard }) => {
    const listed = await gather(ALL, (page) => guard.ask({ verb: "allow_list", ...page }));
    return listed.ok ? judgeAllowed(listed.result.items) : unknown(listed.message, listed.next);
  }),
};
