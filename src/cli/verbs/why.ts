import { KernelNetworks } from "../../adapters/machine/own-networks.ts";
import type { Protection } from "../../core/events/reasons.ts";
import { contains, type Ip, type Prefix, parseIp, prefixOf } from "../../core/net/ip.ts";
import { instant, type Millis } from "../../core/time.ts";
import { whyAccount, whyAddress, whyMessage } from "../../engine/explain/why.ts";
import type { Queries } from "../../engine/ports.ts";
import { toPolicy } from "../../settings/to-policy.ts";
import type { AccountReport } from "../../wire/control/items.ts";
import { type Answer, type Call, done, PROGRAM, wrongUsage } from "../call.ts";
import { oneLine } from "../print/text.ts";
import { printAccount, printMessage } from "../print/timeline.ts";
import { nextAfterWhy, printWhy, type WhySubject } from "../print/why.ts";
import { settingsOf } from "./config.ts";

export async function why(call: Call): Promise<Answer> {
  const [address] = call.args;
  const account = call.option("account");
  const message = call.option("message");
  if ([address, account, message].filter((one) => one !== undefined && one !== null).length !== 1)
    return wrongUsage("why needs one of IP, --account ADDRESS and --message ID.", `See \`${PROGRAM} help why\`.`);
  const ip = address === undefined ? null : parseIp(address);
  if (address !== undefined && ip === null)
    return wrongUsage(`"${oneLine(address)}" is not an IP address.`, "Write it like 203.0.113.7 or 2001:db8::7.");
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const { queries } = opened.reader;
  if (ip !== null) return whyIp(call, queries, ip);
  if (account !== null) {
    const report = whyAccount(queries, account);
    return done(report, printAccount(report), nextAfterAccount(report));
  }
  const report = whyMessage(queries, message ?? "");
  const [queueId] = report.queueIds;
  const next = queueId === undefined ? `${PROGRAM} logs --grep ID` : `${PROGRAM} logs --queue-id ${queueId}`;
  return done(report, printMessage(report), next);
}

function nextAfterAccount({ account, addresses }: AccountReport): string {
  const suspect = addresses.find(({ failed }) => failed > 0);
  return suspect === undefined ? `${PROGRAM} logs --account ${account}` : `${PROGRAM} why ${suspect.ip}`;
}

function whyIp(call: Call, queries: Queries, ip: Ip): Answer {
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const { bans, allow } = toPolicy(loaded.settings);
  const now = instant(call.now());
  const report = whyAddress(queries, prefixOf(ip, bans.ipv6Prefix), now, bans.memoryMs);
  const subject: WhySubject = {
    ip,
    report,
    listedInSettings: allow.find((network) => contains(network, ip)) ?? null,
    protection: ownProtection(ip, loaded.settings["http.trusted_proxies"], now),
    memoryMs: bans.memoryMs,
    nowMs: now,
  };
  return done({ ip, protection: protectionOf(subject), ...report }, printWhy(subject), nextAfterWhy(subject));
}

function protectionOf({ protection, report, listedInSettings }: WhySubject): Protection | null {
  return protection ?? (report.allowed !== null || listedInSettings !== null ? "allow_listed" : null);
}

/** What the kernel knows about it, as the guard would see it. */
function ownProtection(ip: Ip, proxies: readonly Prefix[], now: Millis): Protection | null {
  const own = new KernelNetworks({ now: () => now }, proxies).current();
  return own.find(({ prefix }) => contains(prefix, ip))?.why ?? null;
}
