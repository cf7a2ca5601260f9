import { NOTE_CHARACTERS } from "../../../../admin/declare/kinds.ts";
import { isV4, parseIp, parsePrefix, prefixLength } from "../../../../core/net/ip.ts";
import { dayAndTime, parseDuration, shown, until } from "../../../../core/time.ts";
import { allBans } from "../../../../guard/explain/stats.ts";
import { type Answer, type Call, confirmed, done, type Failure, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { andMore, pageFrom } from "../../listing.ts";
import { columns, oneLine } from "../../print/text.ts";

export async function ban(call: Call): Promise<Answer> {
  const target = targetFrom(call.args[0]);
  if (typeof target !== "string") return target;
  const time = banTime(call);
  if (typeof time === "object" && time !== null) return time;
  const note = noteFrom(call.args[1]);
  if (typeof note !== "string") return note;
  if (isWide(target) && !(await confirmed(call, `${target} is ${sizeOf(target)}. Ban all of it?`)))
    return failed("Nothing was banned.", `A single address is written without a length: ${PROGRAM} ban IP`);
  const asked = await call.guard.ask({ verb: "ban", target, note, for: time });
  if (!asked.ok) return asked;
  const { ban: item } = asked.result;
  return done(
    asked.result,
    `${shown(item.prefix)} is banned ${until(item.expiresAt, call.now())}.`,
    `${PROGRAM} why ${item.ip}`,
  );
}

export async function bans(call: Call): Promise<Answer> {
  const page = pageFrom(call, "bans", "numbers");
  if ("ok" in page) return page;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const { queries } = opened.reader;
  const now = call.now();
  const { items, next } = queries.bans(now, page);
  const active = allBans(queries.figures.bansInForce(now));
  if (items.length === 0) return done({ active, items, next }, active === 0 ? "No ban is in force." : "No older ban.");
  const rows = items.map((item) => [
    shown(item.prefix),
    item.level,
    item.expiresAt === null ? "for good" : dayAndTime(item.expiresAt),
    item.reason,
    item.source,
  ]);
  const text = columns([["ADDRESS", "LEVEL", "UNTIL", "REASON", "BY"], ...rows]);
  const more = andMore({ next, total: active, shown: items.length }, page.cursor);
  return done({ active, items, next }, text + more, `${PROGRAM} why ${items[0]?.ip ?? "IP"}`);
}

/** More than one provider's customers, so probably a slip of the finger: `/8` instead of `/28`. */
function isWide(target: string): boolean {
  const network = parsePrefix(target);
  return network !== null && prefixLength(network) < (isV4(network) ? 16 : 32);
}

function sizeOf(target: string): string {
  const network = parsePrefix(target);
  if (network === null || !isV4(network)) return "a large part of the internet";
  return `${(2 ** (32 - prefixLength(network))).toLocaleString("en")} addresses`;
}

/** The typed address or network, in canonical text. The guard knows which network an address stands for. */
export function targetFrom(text: string | undefined): string | Failure {
  const parsed = parseIp(text ?? "") ?? parsePrefix(text ?? "");
  if (parsed !== null) return parsed;
  return wrongUsage(
    `"${oneLine(text ?? "")}" is not an IP address or network.`,
    "Write it like 203.0.113.7 or 2001:db8::/64.",
  );
}

/** Null: the default of the settings. */
function banTime(call: Call): string | null | Failure {
  const text = call.option("for");
  const isPermanent = call.flag("permanent");
  if (text === null) return isPermanent ? "permanent" : null;
  if (isPermanent) return wrongUsage("--for and --permanent exclude each other.", "Use only one.");
  if ((parseDuration(text) ?? 0) > 0) return text.trim();
  return wrongUsage(`"${text}" is not a time.`, "Write it like 30m, 2h or 7d.");
}

function noteFrom(text = ""): string | Failure {
  if (text.length <= NOTE_CHARACTERS && !/\p{Cc}/u.test(text)) return text.trim();
  return wrongUsage(
    "The reason is too long or contains control characters.",
    `Use one line of at most ${NOTE_CHARACTERS} letters.`,
  );
}
