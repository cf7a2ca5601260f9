import { parseAccountName } from "../../../core/net/address.ts";
import { contains, type Ip, parseIp, parsePrefix, prefixOf } from "../../../core/net/ip.ts";
import { instant } from "../../../core/time.ts";
import { whyAddress, whyMessage } from "../../../engine/explain/why.ts";
import type { Queries } from "../../../engine/storage-ports.ts";
import { showSettings } from "../../../settings/show.ts";
import { toPolicy } from "../../../settings/to-policy.ts";
import type { AddressAnswer } from "../../../wire/control/items.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM, wrongUsage } from "../../call.ts";
import { oneLine } from "../../print/text.ts";
import { printMessage, type SettingsInForce } from "../../print/timeline.ts";
import { nextAfterWhy, printWhy, type WhySubject } from "../../print/why.ts";
import { settingsOf, type ValidSettings } from "../settings/server-settings.ts";
import { eventsNaming } from "./events.ts";
import { whyAccount } from "./why-account.ts";

export async function why(call: CommandCall): Promise<CommandOutcome> {
  const [asked] = call.args;
  const ip = asked === undefined ? null : parseIp(asked);
  const isMessage = asked !== undefined && ip === null && (asked.startsWith("<") || QUEUE_ID.test(asked));
  const account = call.option("account");
  const message = call.option("message") ?? (isMessage ? asked : null);
  if (asked !== undefined && ip === null && LIKE_IP.test(asked) && parsePrefix(asked) === null)
    return wrongUsage(`"${oneLine(asked)}" is not an IP address.`, "Write it like 203.0.113.7 or 2001:db8::7.");
  if (asked !== undefined && ip === null && !isMessage && account === null && message === null) return find(call);
  const address = isMessage ? undefined : asked;
  if ([address, account, message].filter((one) => one !== undefined && one !== null).length !== 1)
    return wrongUsage("why needs one of IP, --account ADDRESS and --message ID.", `See \`${PROGRAM} help why\`.`);
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const { queries } = opened.reader;
  const loaded = settingsOf(call);
  if (ip !== null) return loaded.ok ? whyIp(call, queries, loaded, ip) : loaded;
  const values: SettingsInForce = loaded.ok ? inForce(loaded.sources) : new Map();
  if (account !== null) return whyAccount(call, opened.reader, account, values);
  const report = whyMessage(queries, message ?? "");
  const [queueId] = report.queueIds;
  const next = queueId === undefined ? `${PROGRAM} logs --grep ID` : `${PROGRAM} logs --queue-id ${queueId}`;
  return done(report, printMessage(report, values), next);
}

/** Meant as an address, whether or not it is one. */
const LIKE_IP = /^(?:[\d./]+|[\da-f:./]*:[\da-f:./]*)$/i;
/** As Postfix names mails, with `enable_long_queue_ids` or without (postconf(5)). */
const QUEUE_ID = /^(?:[0-9A-F]{8,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,20})$/;

/** `find TEXT`, and `why TEXT` of what is not an IP address: an account, or else events that name a sender, a domain, a recipient, or come from a network. */
export async function find(call: CommandCall): Promise<CommandOutcome> {
  const text = call.args.join(" ");
  if (text.trim() === "") return wrongUsage("find needs a text.", `See \`${PROGRAM} help find\`.`);
  if (parseIp(text) !== null || text.startsWith("<") || QUEUE_ID.test(text)) return why(call);
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const { reader } = opened;
  const name = parseAccountName(text);
  const loaded = settingsOf(call);
  const values: SettingsInForce = loaded.ok ? inForce(loaded.sources) : new Map();
  if (name !== null && reader.account(name) !== null) return whyAccount(call, reader, text, values);
  return eventsNaming(call, reader, text);
}

async function whyIp(
  call: CommandCall,
  queries: Queries,
  { settings, sources }: ValidSettings,
  ip: Ip,
): Promise<CommandOutcome> {
  const { bans, allow } = toPolicy(settings);
  const now = instant(call.now());
  const report = whyAddress(queries, prefixOf(ip, bans.ipv6Prefix), now, bans.memoryMs);
  const asked = await call.guard.ask<"protection">({ verb: "protection", target: ip });
  const subject: WhySubject = {
    ip,
    report,
    listedInSettings: allow.find((network) => contains(network, ip)) ?? null,
    protection: asked.ok ? asked.result.reason : "unknown",
    memoryMs: bans.memoryMs,
    nowMs: now,
    inForce: inForce(sources),
  };
  const answer: AddressAnswer = {
    ...report,
    protection: asked.ok ? asked.result.reason : null,
    protectionUnknown: !asked.ok,
  };
  return done({ ip, ...answer }, printWhy(subject), nextAfterWhy(subject));
}

function inForce(sources: ValidSettings["sources"]): SettingsInForce {
  return new Map(showSettings(sources).map(({ key, value }) => [key, value]));
}
