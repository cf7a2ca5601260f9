import {
  isV4,
  overlaps,
  type Prefix,
  parseIp,
  parsePrefix,
  prefixLength,
  prefixOf,
  printPrefix,
} from "../../../../core/net/ip.ts";
import { dayAndTime, until } from "../../../../core/time.ts";
import { allBans } from "../../../../guard/explain/stats.ts";
import { callerConnection, peerOf } from "../../../../host/firewall/opening.ts";
import { type Answer, type Call, confirmed, done, type Failure, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { andMore, pageOfReader } from "../../listing.ts";
import { wordsOf } from "../../parse.ts";
import { columns, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";

export async function ban(call: Call): Promise<Answer> {
  const [target = "", note = ""] = call.args;
  const time = call.option("for");
  const isPermanent = call.flag("permanent");
  if (time !== null && isPermanent) return wrongUsage("--for and --permanent exclude each other.", "Use only one.");
  const own = callerIn(call, target);
  if (own !== null)
    return failed(
      `Your SSH connection comes from ${printPrefix(own)}: this ban would lock you out.`,
      `Ban it from elsewhere, such as the console: ${PROGRAM} ban ${oneLine(target)}`,
    );
  const prefix = parsePrefix(target);
  if (prefix !== null && isWide(prefix) && !(await confirmed(call, `${prefix} is ${sizeOf(prefix)}. Ban all of it?`)))
    return failed("Nothing was banned.", `A single address is written without a length: ${PROGRAM} ban IP`);
  const asked = await call.guard.ask({ verb: "ban", target, note, for: isPermanent ? "permanent" : time });
  if (!asked.ok) return asked;
  const { ban: item } = asked.result;
  const text = `${printPrefix(item.prefix)} is banned ${until(item.expiresAt, call.now())}.`;
  return done(asked.result, text, `${PROGRAM} why ${item.ip}`);
}

/**
 * The address of this command's SSH connection, if a ban of `target` would include it. The firewall closes all ports to banned
 * addresses and ends their connections.
 */
export function callerIn(call: Call, target: string): Prefix | null {
  const own = peerOf(callerConnection(call.env));
  if (own === null) return null;
  const ip = parseIp(target);
  const read = settingsOf(call);
  // The guard bans an IPv6 address with its network.
  const length = read.ok ? read.settings["bans.ipv6_prefix"] : 64;
  const network = ip === null ? parsePrefix(target) : prefixOf(ip, length);
  return network !== null && overlaps(own, network) ? own : null;
}

/** Counts the bans in force; null if they cannot be counted. */
export async function countBans(call: Call) {
  try {
    const opened = await call.reader();
    return opened.ok ? opened.reader.queries.figures.banCounts(call.now()) : null;
  } catch {
    return null;
  }
}

export const bans = pageOfReader("bans", "numbers", async (call, { queries }, page) => {
  const now = call.now();
  const { items, next } = queries.bans(now, page);
  const active = allBans(queries.figures.banCounts(now));
  if (items.length === 0) return done({ active, items, next }, active === 0 ? "No ban is in force." : "No older ban.");
  const rows = items.map((item) => [
    printPrefix(item.prefix),
    item.level,
    item.expiresAt === null ? "permanent" : dayAndTime(item.expiresAt),
    item.reason,
    item.source,
  ]);
  const text = columns([["ADDRESS", "LEVEL", "UNTIL", "REASON", "BY"], ...rows]);
  const more = andMore({ next, total: active, shown: items.length }, page.cursor);
  return done({ active, items, next }, text + more, `${PROGRAM} why ${items[0]?.ip ?? "IP"}`);
});

/** Whether the network is larger than one provider, and thus probably a typo: `/8` instead of `/28`. */
function isWide(network: Prefix): boolean {
  return prefixLength(network) < (isV4(network) ? 16 : 32);
}

function sizeOf(network: Prefix): string {
  if (!isV4(network)) return "a large part of the internet";
  return `${(2 ** (32 - prefixLength(network))).toLocaleString("en")} addresses`;
}

function noNetwork(text: string): Failure {
  const says = `"${oneLine(text)}" is not an IP address or network.`;
  return wrongUsage(says, "Write it like 203.0.113.7 or 2001:db8::/64.");
}

/** The words of an option that takes several networks, as they were typed. */
export function networksFrom(call: Call, option: "allow" | "ban"): readonly string[] | Failure {
  const words = wordsOf(call.option(option) ?? "");
  const wrong = words.find((word) => parsePrefix(word) === null);
  return wrong === undefined ? words : noNetwork(wrong);
}

/** Parses `--ip`; null if it was not given. */
export function networkFrom(call: Call): Prefix | null | Failure {
  const text = call.option("ip");
  return text === null ? null : (parsePrefix(text) ?? noNetwork(text));
}
