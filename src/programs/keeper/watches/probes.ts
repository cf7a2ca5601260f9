import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import type { ProbeResult } from "../../../core/alerts/probe-record.ts";
import { PROBE_ADDRESS } from "../../../core/net/ip.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { ServiceName } from "../../../host/running/runit.ts";
import { probeResolver } from "../../../mail/dns/resolver.ts";
import { AUTH, IMAP, MASTER } from "../../../mail/dovecot/probe.ts";
import { PING } from "../../../mail/fail2ban/client.ts";
import { PROBED_BY_MASTER } from "../../../mail/postfix/master-cf.ts";
import { ANVIL, announcing, CLEANUP, SMTP, unlessDiskFull, WOKEN } from "../../../mail/postfix/probe.ts";
import { type Exchange, exchange, pageHead, unlessCrowded } from "../../../mail/probes/exchange.ts";
import { MILTER, POSTGREY, probeSpamd, SPAM_HEAD } from "../../../mail/probes/filters.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Settings } from "../../../settings/schema.ts";

/** A question that only a working part answers. */
export type Probe = Readonly<{
  /** The part, in messages to the owner. */
  name: string;
  /** Restarted if the part hangs; probed only if it is supervised. */
  service: ServiceName;
  notice: KeeperTrouble["code"];
  everyMs: number;
  timeoutMs: number;
  check: (timeoutMs: number) => Promise<ProbeResult>;
  /** Whether the configuration in force uses the part, whatever the current settings. */
  isInUse?: () => boolean;
}>;

/** For a part that answers without a log line. */
const OFTEN = { everyMs: 5 * SECOND_MS, timeoutMs: 3 * SECOND_MS };
/** For a part that starts a new process for each probe. */
const FORKING = { everyMs: 10 * SECOND_MS, timeoutMs: 3 * SECOND_MS };
/** Postfix and Dovecot log each connection to their ports. */
const SELDOM = { everyMs: 30 * SECOND_MS, timeoutMs: 5 * SECOND_MS };

export function probesOf(layout: Layout, settings: Settings): readonly Probe[] {
  const incoming = join(layout.postfixQueue, "incoming");
  return everyProbe(layout, settings).map((probe) => {
    // Other parts of Postfix wait for cleanup(8), which waits for the disk.
    const disk = probe.service === "postfix" ? incoming : layout.data;
    return { ...probe, check: async (ms) => unlessDiskFull(await probe.check(ms), disk) };
  });
}

function everyProbe(layout: Layout, settings: Settings): readonly Probe[] {
  const { postfixQueue, dovecotBase, greylistSocket, postgreyConf } = layout;
  const part = (name: string, service: ServiceName, notice: Probe["notice"], check: Probe["check"]): Probe => {
    return { name, service, notice, ...OFTEN, check };
  };
  const at = (path: string, asked: Exchange) => (ms: number) => exchange({ path }, asked, ms);
  const dovecot = (name: string, socket: string, asked: Exchange): Probe =>
    part(`Dovecot's ${name}`, "dovecot", "dovecot_silent", at(join(dovecotBase, socket), asked));
  const postfix = (name: string, socket: string, asked: Exchange): Probe =>
    part(`Postfix's ${name}`, "postfix", "postfix_silent", at(join(postfixQueue, socket), asked));
  const spam = (service: ServiceName, check: Probe["check"]): Probe =>
    part(service, service, "spam_filter_down", check);
  const onPort = (port: number, places: number, asked: Exchange) => async (ms: number) =>
    unlessCrowded(await exchange({ host: "127.0.0.1", port, localAddress: PROBE_ADDRESS }, asked, ms), port, places);
  const smtpPort = onPort(settings["ports.smtp"], settings["limits.connections.smtp_places"], SMTP);
  const imapPort = onPort(settings["ports.imaps"], settings["limits.connections.imap_places"], IMAP);
  const address = settings["http.address"];
  // On 127.0.0.1 even if it listens on `::`: that needs no IPv6 interface.
  const page = { host: ["0.0.0.0", "::"].includes(address) ? "127.0.0.1" : address, port: settings["ports.http"] };
  const postgrey = join(postgreyConf, "command");
  return [
    part("The resolver", "unbound", "resolver_silent", (ms) => probeResolver(settings["dns.address"], ms)),
    dovecot("master process", "master", MASTER),
    dovecot("auth process", "auth-userdb", AUTH),
    { ...part("The IMAP port", "dovecot", "dovecot_silent", imapPort), ...SELDOM },
    { ...part("The SMTP port", "postfix", "postfix_silent", smtpPort), ...SELDOM },
    postfix("cleanup", "public/cleanup", CLEANUP),
    postfix("trivial-rewrite", "private/rewrite", announcing("trivial_rewrite_protocol")),
    postfix("proxymap", "private/proxymap", announcing("proxymap_protocol")),
    postfix("anvil", "private/anvil", ANVIL),
    postfix("tlsmgr", "private/tlsmgr", announcing("tlsmgr_protocol")),
    postfix("qmgr", "public/qmgr", WOKEN),
    postfix("pickup", "public/pickup", WOKEN),
    {
      ...postfix("master process", `private/${PROBED_BY_MASTER}`, announcing("delivery_request_protocol")),
      ...FORKING,
    },
    part("Rspamd", "rspamd", "verifier_silent", at(layout.rspamdSocket, MILTER)),
    spam("spamd", (ms) => probeSpamd({ spamd: layout.spamdSocket, pulse: layout.spamPulseSocket }, ms)),
    spam("spam-head", at(layout.spamPulseSocket, SPAM_HEAD)),
    spam("spamass-milter", at(layout.spamMilterSocket, MILTER)),
    {
      ...part("Postgrey", "postgrey", "greylist_silent", at(greylistSocket, POSTGREY)),
      isInUse: () => existsSync(postgrey) && readFileSync(postgrey, "utf8").includes(greylistSocket),
    },
    part("Fail2ban", "fail2ban", "fail2ban_silent", at(layout.fail2banSocket, PING)),
    part("The dashboard", "web", "web_silent", (ms) => exchange(page, pageHead(settings.hostname), ms)),
  ];
}

/** How long a part that has just been started may take. */
const PATIENCE_MS = 30 * SECOND_MS;
const PAUSE_MS = SECOND_MS;

/** Waits until each of these parts has answered. Returns null, or the first that did not. */
export async function awaitAnswers(probes: readonly Probe[], patienceMs = PATIENCE_MS, pauseMs: number = PAUSE_MS) {
  const deadline = performance.now() + patienceMs;
  for (const { name, timeoutMs, check, isInUse } of probes) {
    if (isInUse?.() === false) continue;
    let result = await check(timeoutMs);
    while (!result.ok) {
      if (performance.now() > deadline) return `${name} does not answer after the restart: ${result.says}`;
      await pause(pauseMs);
      result = await check(timeoutMs);
    }
  }
  return null;
}
