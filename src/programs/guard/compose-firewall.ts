import { HONEST_FOR_MS, isWanted } from "../../core/decide/honest-mail.ts";
import type { Audit } from "../../core/events/command.ts";
import { shareOfOneClient, shareOfStrangers } from "../../core/firewall/connection-shares.ts";
import { contains, neighbourhoodOf, networkAddress, type Prefix, prefixOf } from "../../core/net/ip.ts";
import { later } from "../../core/time.ts";
import { createLeakMonitor } from "../../guard/enforce/ban-leak-monitor.ts";
import { createBannedSessions } from "../../guard/enforce/banned-sessions.ts";
import { createBlockedPortsWatch } from "../../guard/enforce/blocked-ports.ts";
import { createConnectionWatch } from "../../guard/enforce/connection-watch.ts";
import { BanEnforcer, noEnforcement } from "../../guard/enforce/enforce.ts";
import { createPortRoom } from "../../guard/enforce/port-room.ts";
import type { Committed } from "../../guard/engine.ts";
import type { SmtpProgress } from "../../guard/facts/smtp-sessions.ts";
import type { OpenConnections, OwnNetworks } from "../../guard/network-ports.ts";
import type { ConnectionLimit, LocalShare } from "../../host/firewall/connection-rules.ts";
import { NftFirewall } from "../../host/firewall/firewall.ts";
import type { ProxyAccess } from "../../host/firewall/guard-table.ts";
import { localPorts } from "../../host/firewall/local-ports.ts";
import { createKernelConnections } from "../../host/firewall/open-connections.ts";
import { hasUser, userIds } from "../../host/machine/system-users.ts";
import { resolverUsers } from "../../host/running/processes.ts";
import { proxiedPorts } from "../../settings/ports.ts";
import type { Settings } from "../../settings/schema.ts";
import type { GuardParts } from "./compose-stores.ts";

type FirewallParts = GuardParts &
  Readonly<{
    /** The settings in force. */
    settingsNow: () => Settings;
    own: OwnNetworks;
    progress: SmtpProgress;
  }>;

/** Brings committed bans to the kernel, and watches what it lets through. */
export function composeFirewall(parts: FirewallParts) {
  const { settings, settingsNow, engine, stores, own, keeper, notices, clock, log } = parts;
  const { banLog, store } = stores;
  const allowList = (): readonly Prefix[] => {
    const always = [...own.current(), ...store.allowEntries()].map(({ prefix }) => prefix);
    return [...new Set([...always, ...engine.policy.allow])];
  };
  const audit = (one: Audit): void => void engine.audit(one);
  const firewall = new NftFirewall(() => ({
    ipv6Length: engine.policy.bans.ipv6Prefix,
    connections: { ...connectionLimit(settingsNow()), here: localShares(settingsNow()) },
    proxied: proxyAccess(settings),
    local: localPorts(settingsNow()),
    resolver: { address: settingsNow()["dns.address"], users: resolverUsers() },
  }));
  const hasProxies = proxiedPorts(settings) !== null;
  const enforcer = settings["firewall.enabled"]
    ? new BanEnforcer({ banLog, firewall, allowList, hasProxies, audit, clock, notices, log })
    : noEnforcement;
  // On the other ports the client speaks first, because TLS starts at once.
  const greets = (port: number): boolean =>
    [settingsNow()["ports.smtp"], settingsNow()["ports.submission"]].includes(port);
  const kernel = createKernelConnections({ greets });
  const ports = () => connectionLimit(settingsNow()).ports;
  const connectionWatch = composeConnectionWatch(parts, kernel, ports);
  const bannedSessions = createBannedSessions({
    keeper,
    isBanned: (client) =>
      store.isBanned(client, clock.now()) && !allowList().some((allowed) => contains(allowed, client)),
    log,
  });
  const isEnforcing = () => enforcer.status().state === "enforcing";
  const blockedPorts = createBlockedPortsWatch({ passed: () => kernel.passed(ports()), audit, notices, log });
  const proxyUser = (): string => (hasProxies ? idsOf([settings["proxy.user"]]).join() : "");
  let lastProxyUser = proxyUser();
  /** Whether the kernel itself ends the sessions of banned addresses. */
  const closesSessions = () => !hasProxies && !["unavailable", "off"].includes(enforcer.status().state);
  const rebuild = () => enforcer.rebuild();
  const leakMonitor = createLeakMonitor({ notices, clock, isEnforcing, hasProxies, rebuild });
  const hasBans = () => Iterator.from(banLog.active(clock.now())).some(() => true);
  return {
    enforcer,
    leakMonitor,
    /** Whether the kernel lets only proxies connect to the ports for proxies. */
    guardsProxied: () => hasProxies && isEnforcing(),
    lookAtSessions(): void {
      if (!closesSessions() && hasBans()) bannedSessions.look();
    },
    lookAtProxyUser(): void {
      const user = proxyUser();
      // The proxy's package may be installed after the settings name its user.
      if (user !== lastProxyUser) enforcer.rebuild();
      lastProxyUser = user;
    },
    lookAtBlockedPorts(): void {
      if (isEnforcing()) void blockedPorts.look();
    },
    onCommit({ allowChanged, bansChanged, sighting }: Committed): void {
      if (allowChanged) enforcer.rebuild();
      else if (bansChanged) enforcer.nudge();
      if (bansChanged && !closesSessions()) bannedSessions.look();
      if (sighting !== null) leakMonitor.noteSighting(sighting);
    },
    async start(): Promise<void> {
      await enforcer.start();
      if (settings["firewall.enabled"]) return connectionWatch.start();
      // Removes the table of a run with a firewall, whose bans would last until the machine restarts.
      const removed = await firewall.remove();
      if (!removed.ok)
        log.info("The firewall table of an earlier run, if any, could not be removed; its bans may still apply.", {
          reason: removed.reason,
        });
    },
    async stop(): Promise<void> {
      await connectionWatch.stop();
      await enforcer.stop();
      await firewall.close();
    },
  };
}

function proxyAccess(settings: Settings): ProxyAccess | null {
  const ports = proxiedPorts(settings);
  if (ports === null) return null;
  return { ports: Object.values(ports), networks: settings["proxy.networks"], users: idsOf([settings["proxy.user"]]) };
}

const MAIL_PORTS = ["ports.smtp", "ports.submission", "ports.submissions", "ports.imaps"] as const;

function placesOf(now: Settings, port: (typeof MAIL_PORTS)[number]): number {
  return now[`limits.connections.${port === "ports.imaps" ? "imap" : "smtp"}_places`];
}

/**
 * Maximum open connections from users of this machine to the dashboard, together and for each user. Its queue holds twice as many
 * (surfaces/api/server.ts). With a range in subuid(5), one user has 65,536 ids.
 */
const FROM_USERS = 2_048;
const FROM_ONE_USER = 64;

/** The ids of users by name or id. Users need not exist: a proxy on a different machine has none here. */
function idsOf(users: readonly string[]): readonly number[] {
  return users.flatMap((user) => (/^\d+$/.test(user) ? Number(user) : hasUser(user) ? userIds(user).uid : []));
}

function connectionLimit(now: Settings): ConnectionLimit {
  return {
    most: now["limits.connections.concurrent"],
    ports: MAIL_PORTS.map((key) => now[key]),
    perPort: now["limits.connections.per_port"],
  };
}

/** Only for the kernel's table, because it looks up the machine's users. */
function localShares(now: Settings): readonly LocalShare[] {
  const mail = { of: "all", spared: [] } as const;
  const pages = { port: now["ports.http"], spared: idsOf(now["http.proxy_users"]) };
  return [
    ...MAIL_PORTS.map((key) => ({ port: now[key], most: shareOfOneClient(placesOf(now, key)), ...mail })),
    // Comes first, so that connections that it refuses do not count for all.
    { ...pages, most: FROM_ONE_USER, of: "each user" },
    { ...pages, most: FROM_USERS, of: "all" },
  ];
}

function composeConnectionWatch(parts: FirewallParts, kernel: OpenConnections, ports: () => readonly number[]) {
  const { settingsNow, engine, stores, progress, notices, clock, log } = parts;
  const { accountHistory: accounts, honest } = stores;
  const knownSince = () => later(clock.now(), -engine.policy.accounts.knownForMs);
  const known = (): readonly Prefix[] => accounts.networksSince(knownSince());
  const accountsAt = (prefix: Prefix): readonly string[] =>
    accounts.accountsOf(prefixOf(networkAddress(prefix), engine.policy.bans.ipv6Prefix), knownSince());
  const rules = () => {
    const now = settingsNow();
    const places = MAIL_PORTS.map((key) => [now[key], placesOf(now, key)] as const);
    // On the SMTP port every other server is a stranger.
    const ofUsers = places.filter(([port]) => port !== now["ports.smtp"]);
    return {
      places: new Map(places),
      ...connectionLimit(now),
      mostKnown: Math.max(now["limits.connections.concurrent"], now["limits.connections.known"]),
      shares: new Map(ofUsers.map(([port, most]) => [port, shareOfStrangers(most)])),
      prefixOf: engine.prefixOf.bind(engine),
      isKnown: (prefix: Prefix) => accountsAt(prefix).length > 0,
      isExempt: engine.isProtected.bind(engine),
    };
  };
  const isWantedServer = (prefix: Prefix): boolean => {
    const network = neighbourhoodOf(networkAddress(prefix), engine.policy.bans.ipv6Prefix);
    const server = honest.server(prefix, network, later(clock.now(), -HONEST_FOR_MS));
    return server !== null && isWanted(server);
  };
  const ownerOf = (prefix: Prefix): string => {
    const owners = accountsAt(prefix);
    return owners.length === 1 ? (owners[0] ?? prefix) : prefix;
  };
  const portRules = () => ({ ...rules(), isWanted: isWantedServer, ownerOf });
  const room = createPortRoom({ kernel, rules: portRules, progress, notices, clock });
  return createConnectionWatch({ kernel, rules, ports, known, room, log });
}
