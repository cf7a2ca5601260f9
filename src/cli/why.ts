import { KernelNetworks } from "../adapters/own-networks.ts";
import { contains, type Ip, type Prefix, parseIp, prefixOf } from "../core/ip.ts";
import type { Protection } from "../core/reasons.ts";
import { instant, type Millis } from "../core/time.ts";
import { toPolicy } from "../settings/to-policy.ts";
import { type Answer, type Call, done, wrongUsage } from "./call.ts";
import { settingsOf } from "./config.ts";
import { oneLine } from "./print-text.ts";
import { nextAfterWhy, printWhy, type WhySubject } from "./print-why.ts";

export async function why(call: Call): Promise<Answer> {
  const ip = parseIp(call.args[0] ?? "");
  if (ip === null)
    return wrongUsage(
      `"${oneLine(call.args[0] ?? "")}" is not an IP address.`,
      "Write it like 203.0.113.7 or 2001:db8::7.",
    );
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const { bans, allow } = toPolicy(loaded.settings);
  const now = instant(call.now());
  const report = opened.reader.queries.address(prefixOf(ip, bans.ipv6Prefix), now, bans.memoryMs);
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

/** What the kernel says of it, as the guard would see it. */
function ownProtection(ip: Ip, proxies: readonly Prefix[], now: Millis): Protection | null {
  const own = new KernelNetworks({ now: () => now }, proxies).current();
  return own.find(({ prefix }) => contains(prefix, ip))?.why ?? null;
}
