import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import type { ProbeResult } from "../../../core/alerts/probe-record.ts";
import { PROBE_ADDRESS } from "../../../core/net/ip.ts";
import { SECOND_MS } from "../../../core/time.ts";
import type { ServiceName } from "../../../host/running/runit.ts";
import { probeResolver } from "../../../mail/dns/resolver.ts";
import { probeDovecotAuth, probeDovecotMaster, probeImap } from "../../../mail/dovecot/probe.ts";
import { probeFail2ban } from "../../../mail/fail2ban/client.ts";
import { PROBED_BY_MASTER } from "../../../mail/postfix/master-cf.ts";
import {
  probeAnvil,
  probeCleanup,
  probePostfixService,
  probeSmtp,
  probeTrigger,
  unlessDiskFull,
} from "../../../mail/postfix/probe.ts";
import { probeWeb, unlessCrowded } from "../../../mail/probes/exchange.ts";
import { probeMilter, probePostgrey, probeSpamd, probeSpamHead } from "../../../mail/probes/filters.ts";
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

/**
 * Where a server that listens on this address is reached: on 127.0.0.1 if it listens on `0.0.0.0`, or on `::`, which needs no
 * IPv6 interface.
 */
function reachable(address: string): string {
  return address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address;
}

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
  type ProbeSocket = (path: string, ms: number) => Promise<ProbeResult>;
  const dovecot = (name: string, socket: string, check: ProbeSocket): Probe =>
    part(`Dovecot's ${name}`, "dovecot", "dovecot_silent", (ms) => check(join(dovecotBase, socket), ms));
  const postfix = (name: string, socket: string, check: ProbeSocket): Probe =>
    part(`Postfix's ${name}`, "postfix", "postfix_silent", (ms) => check(join(postfixQueue, socket), ms));
  const announcing = (protocol: string) => (path: string, ms: number) => probePostfixService(path, protocol, ms);
  const spam = (service: ServiceName, check: Probe["check"]): Probe =>
    part(service, service, "spam_filter_down", check);
  const onPort = (port: number, places: number, check: typeof probeSmtp) => async (ms: number) =>
    unlessCrowded(await check({ host: "127.0.0.1", port, localAddress: PROBE_ADDRESS }, ms), port, places);
  const smtpPort = onPort(settings["ports.smtp"], settings["limits.connections.smtp_places"], probeSmtp);
  const imapPort = onPort(settings["ports.imaps"], settings["limits.connections.imap_places"], probeImap);
  const page = {
    host: reachable(settings["http.address"]),
    port: settings["ports.http"],
    name: settings.hostname,
  };
  const postgrey = join(postgreyConf, "command");
  return [
    part("The resolver", "unbound", "resolver_silent", (ms) => probeResolver(settings["dns.address"], ms)),
    dovecot("master process", "master", probeDovecotMaster),
    dovecot("auth process", "auth-userdb", probeDovecotAuth),
    { ...part("The IMAP port", "dovecot", "dovecot_silent", imapPort), ...SELDOM },
    { ...part("The SMTP port", "postfix", "postfix_silent", smtpPort), ...SELDOM },
    postfix("cleanup", "public/cleanup", probeCleanup),
    postfix("trivial-rewrite", "private/rewrite", announcing("trivial_rewrite_protocol")),
    postfix("proxymap", "private/proxymap", announcing("proxymap_protocol")),
    postfix("anvil", "private/anvil", probeAnvil),
    postfix("tlsmgr", "private/tlsmgr", announcing("tlsmgr_protocol")),
    postfix("qmgr", "public/qmgr", probeTrigger),
    postfix("pickup", "public/pickup", probeTrigger),
    {
      ...postfix("master process", `private/${PROBED_BY_MASTER}`, announcing("delivery_request_protocol")),
      ...FORKING,
    },
    part("Rspamd", "rspamd", "verifier_silent", (ms) => probeMilter(layout.rspamdSocket, ms)),
    spam("spamd", (ms) => probeSpamd({ spamd: layout.spamdSocket, pulse: layout.spamPulseSocket }, ms)),
    spam("spam-head", (ms) => probeSpamHead(layout.spamPulseSocket, ms)),
    spam("spamass-milter", (ms) => probeMilter(layout.spamMilterSocket, ms)),
    {
      ...part("Postgrey", "postgrey", "greylist_silent", (ms) => probePostgrey(greylistSocket, ms)),
      isInUse: () => existsSync(postgrey) && readFileSync(postgrey, "utf8").includes(greylistSocket),
    },
    part("Fail2ban", "fail2ban", "fail2ban_silent", (ms) => probeFail2ban(layout.fail2banSocket, ms)),
    part("The dashboard", "web", "web_silent", (ms) => probeWeb(page, ms)),
  ];
}

/** How long a part that has just been started may take. */
const PATIENCE_MS = 30 * SECOND_MS;
const PAUSE_MS = SECOND_MS;

/** Waits until each of these parts has answered. Returns null, or the first that did not. */
export async function awaitAnswers(
  probes: readonly Probe[],
  patienceMs: number = PATIENCE_MS,
  pauseMs: number = PAUSE_MS,
): Promise<string | null> {
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
