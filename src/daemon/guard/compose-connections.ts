import { KernelConnections } from "../../adapters/nft/open-connections.ts";
import { PLACES, shareOfStrangers } from "../../core/firewall/open-connections.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { later } from "../../core/time.ts";
import { ConnectionWatch } from "../../engine/enforce/connection-watch.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Clock, Log } from "../../engine/ports.ts";
import type { AccountHistory } from "../../engine/storage-ports.ts";
import type { Settings } from "../../settings/schema.ts";
import type { ConnectionLimit } from "../../wire/kernel/nft-connections.ts";

const MAIL_PORTS = ["ports.smtp", "ports.submission", "ports.submissions", "ports.imaps"] as const;

/** For the kernel's table. */
export function connectionLimit(settings: Settings): ConnectionLimit {
  return { most: settings["limits.connections.concurrent"], ports: MAIL_PORTS.map((key) => settings[key]) };
}

export type ConnectionParts = Readonly<{
  /** The settings in force, read at each check. */
  settings: () => Settings;
  engine: Engine;
  accounts: AccountHistory;
  clock: Clock;
  log: Log;
}>;

export function composeConnectionWatch({ settings, engine, accounts, clock, log }: ConnectionParts): ConnectionWatch {
  const knownSince = () => later(clock.now(), -engine.policy.accounts.knownForMs);
  const known = (): readonly Prefix[] => accounts.networksSince(knownSince());
  const rules = () => {
    const now = settings();
    return {
      most: now["limits.connections.concurrent"],
      mostKnown: Math.max(now["limits.connections.concurrent"], now["limits.connections.known"]),
      shares: new Map([
        [now["ports.submission"], shareOfStrangers(PLACES.smtpd)],
        [now["ports.submissions"], shareOfStrangers(PLACES.smtpd)],
        [now["ports.imaps"], shareOfStrangers(PLACES.imapLogin)],
      ]),
      unitOf: engine.subject.bind(engine),
      isKnown: (unit: Prefix) => accounts.accountsOf(unit, knownSince()).length > 0,
      isExempt: engine.isProtected.bind(engine),
    };
  };
  const ports = () => connectionLimit(settings()).ports;
  return new ConnectionWatch({ kernel: new KernelConnections(), rules, ports, known, log });
}
