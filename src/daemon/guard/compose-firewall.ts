import { hasUser, userIds } from "../../adapters/machine/system-users.ts";
import { NftFirewall } from "../../adapters/nft/firewall.ts";
import type { Audit } from "../../core/events/command.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { Keeper } from "../../engine/admin-ports.ts";
import { BanLeakMonitor } from "../../engine/alerts/ban-leak-monitor.ts";
import { BlockedPorts } from "../../engine/enforce/blocked-ports.ts";
import { createEnforcer, noEnforcement } from "../../engine/enforce/enforce.ts";
import { Kicker } from "../../engine/enforce/kick-banned.ts";
import type { Committed, Engine } from "../../engine/engine.ts";
import type { OwnNetworks } from "../../engine/network-ports.ts";
import type { Clock, Log, Notices } from "../../engine/ports.ts";
import { proxiedPorts } from "../../settings/proxied.ts";
import type { Settings } from "../../settings/schema.ts";
import type { ProxyDoors } from "../../wire/kernel/nft-proxied.ts";
import { localPorts } from "../firewall/local-ports.ts";
import { composeConnectionWatch, connectionLimit, passedConnections } from "./compose-connections.ts";
import type { Stores } from "./compose-stores.ts";

export type FirewallParts = Readonly<{
  /** The settings at the start. */
  settings: Settings;
  inForce: () => Settings;
  engine: Engine;
  stores: Stores;
  own: OwnNetworks;
  keeper: Keeper;
  notices: Notices;
  clock: Clock;
  log: Log;
}>;

/** Brings committed bans to the kernel, and watches what it lets through. */
export function composeFirewall(parts: FirewallParts) {
  const { settings, inForce, engine, stores, own, keeper, notices, clock, log } = parts;
  const { banLog, store, history } = stores;
  const allowList = (): readonly Prefix[] => {
    const always = [...own.current(), ...store.allowed()].map(({ prefix }) => prefix);
    return [...new Set([...always, ...engine.policy.allow])];
  };
  const audit = (one: Audit): void => void engine.audit(one);
  const doors = proxyDoors(settings);
  const firewall = new NftFirewall({
    ipv6Prefix: () => engine.policy.bans.ipv6Prefix,
    connections: () => connectionLimit(inForce()),
    proxied: () => doors,
    local: () => localPorts(settings),
  });
  const enforcer = settings["firewall.enabled"]
    ? createEnforcer({ banLog, firewall, allowList, audit, clock, notices, log })
    : noEnforcement;
  const connectionWatch = composeConnectionWatch({
    settings: inForce,
    engine,
    accounts: history,
    honest: stores.honest,
    keeper,
    notices,
    clock,
    log,
  });
  const kicker = new Kicker({ banLog, keeper, log });
  const isEnforcing = () => enforcer.status().state === "enforcing";
  const blockedPorts = new BlockedPorts({ passed: () => passedConnections(inForce()), audit, notices, log });
  const hasProxies = doors !== null;
  const leakMonitor = new BanLeakMonitor({ notices, clock, isEnforcing, hasProxies, renew: () => enforcer.renew() });
  return {
    enforcer,
    leakMonitor,
    /** Whether the kernel lets only proxies connect to the ports for proxies. */
    guardsProxied: () => hasProxies && isEnforcing(),
    blockedPorts: {
      look(): void {
        if (isEnforcing()) void blockedPorts.look();
      },
    },
    committed({ allowChanged, bansChanged, sightings }: Committed): void {
      if (allowChanged) enforcer.allowChanged();
      else if (bansChanged) enforcer.nudge();
      if (bansChanged) kicker.nudge(hasProxies || ["unavailable", "off"].includes(enforcer.status().state));
      for (const sighting of sightings) leakMonitor.seen(sighting);
    },
    async start(): Promise<void> {
      await enforcer.start();
      if (settings["firewall.enabled"]) return connectionWatch.start();
      // Left by a run with a firewall: its bans would last as long as the machine.
      const removed = await firewall.remove();
      if (!removed.ok) log.info("Whether the kernel holds earlier bans is unknown.", { reason: removed.reason });
    },
    async stop(): Promise<void> {
      await connectionWatch.stop();
      await enforcer.stop();
      await firewall.close();
    },
  };
}

function proxyDoors(settings: Settings): ProxyDoors | null {
  const ports = proxiedPorts(settings);
  if (ports === null) return null;
  const user = settings["proxy.user"];
  // It need not exist: a proxy on a different machine has no user here.
  const users = hasUser(user) ? [userIds(user).uid] : [];
  return { ports: Object.values(ports), networks: settings["proxy.networks"], users };
}
