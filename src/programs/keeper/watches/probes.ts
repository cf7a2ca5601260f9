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
  const port = (name: "smtp" | "imaps") => ({
    host: "127.0.0.1",
    port: settings[`ports.${name}`],
    localAddress: PROBE_ADDRESS,
  });
  const page = {
    host: reachable(settings["http.address"]),
    port: settings["ports.http"],
    name: settings.hostname,
  };
  const postfix = { service: "postfix", notice: "postfix_silent" } as const;
  const postfixPart = (name: string, socket: string, check: (path: string, ms: number) => Promise<ProbeResult>) => ({
    name: `Postfix's ${name}`,
    ...postfix,
    ...OFTEN,
    check: (ms: number) => check(join(postfixQueue, socket), ms),
  });
  const announcing = (protocol: string) => (path: string, ms: number) => probePostfixService(path, protocol, ms);
  const dovecot = { service: "dovecot", notice: "dovecot_silent" } as const;
  const spam = { notice: "spam_filter_down", ...OFTEN } as const;
  const postgrey = join(postgreyConf, "command");
  return [
    {
      name: "The resolver",
      service: "unbound",
      notice: "resolver_silent",
      ...OFTEN,
      check: (ms) => probeResolver(settings["dns.address"], ms),
    },
    {
      name: "Dovecot's master process",
      ...dovecot,
      ...OFTEN,
      check: (ms) => probeDovecotMaster(join(dovecotBase, "master"), ms),
    },
    {
      name: "Dovecot's auth process",
      ...dovecot,
      ...OFTEN,
      check: (ms) => probeDovecotAuth(join(dovecotBase, "auth-userdb"), ms),
    },
    {
      name: "The IMAP port",
      ...dovecot,
      ...SELDOM,
      check: async (ms) =>
        unlessCrowded(
          await probeImap(port("imaps"), ms),
          settings["ports.imaps"],
          settings["limits.connections.imap_places"],
        ),
    },
    {
      name: "The SMTP port",
      ...postfix,
      ...SELDOM,
      check: async (ms) =>
        unlessCrowded(
          await probeSmtp(port("smtp"), ms),
          settings["ports.smtp"],
          settings["limits.connections.smtp_places"],
        ),
    },
    postfixPart("cleanup", "public/cleanup", probeCleanup),
    postfixPart("trivial-rewrite", "private/rewrite", announcing("trivial_rewrite_protocol")),
    postfixPart("proxymap", "private/proxymap", announcing("proxymap_protocol")),
    postfixPart("anvil", "private/anvil", probeAnvil),
    postfixPart("tlsmgr", "private/tlsmgr", announcing("tlsmgr_protocol")),
    postfixPart("qmgr", "public/qmgr", probeTrigger),
    postfixPart("pickup", "public/pickup", probeTrigger),
    {
      ...postfixPart("master process", `private/${PROBED_BY_MASTER}`, announcing("delivery_request_protocol")),
      ...FORKING,
    },
    {
      name: "Rspamd",
      service: "rspamd",
      notice: "verifier_silent",
      ...OFTEN,
      check: (ms) => probeMilter(layout.rspamdSocket, ms),
    },
    {
      name: "spamd",
      service: "spamd",
      ...spam,
      check: (ms) => probeSpamd({ spamd: layout.spamdSocket, pulse: layout.spamPulseSocket }, ms),
    },
    {
      name: "spam-head",
      service: "spam-head",
      ...spam,
      check: (ms) => probeSpamHead(layout.spamPulseSocket, ms),
    },
    {
      name: "spamass-milter",
      service: "spamass-milter",
      ...spam,
      check: (ms) => probeMilter(layout.spamMilterSocket, ms),
    },
    {
      name: "Postgrey",
      service: "postgrey",
      notice: "greylist_silent",
      ...OFTEN,
      check: (ms) => probePostgrey(greylistSocket, ms),
      isInUse: () => existsSync(postgrey) && readFileSync(postgrey, "utf8").includes(greylistSocket),
    },
    {
      name: "Fail2ban",
      service: "fail2ban",
      notice: "fail2ban_silent",
      ...OFTEN,
      check: (ms) => probeFail2ban(layout.fail2banSocket, ms),
    },
    { name: "The dashboard", service: "web", notice: "web_silent", ...OFTEN, check: (ms) => probeWeb(page, ms) },
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
  for (const { name, timeoutMs, check, isInUse: isWanted } of probes) {
    if (isWanted?.() === false) continue;
    let result = await check(timeoutMs);
    while (!result.ok) {
      if (performance.now() > deadline) return `${name} does not answer after the restart: ${result.says}`;
      await pause(pauseMs);
      result = await check(timeoutMs);
    }
  }
  return null;
}
