import { KernelDoors } from "../../adapters/nft/doors.ts";
import { PLACES, shareOfStrangers } from "../../core/firewall/doors.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { later } from "../../core/time.ts";
import { DoorWatch } from "../../engine/enforce/door-watch.ts";
import type { Engine } from "../../engine/engine.ts";
import type { AccountHistory, Clock, Log } from "../../engine/ports.ts";
import type { Settings } from "../../settings/schema.ts";
import type { ConnectionLimit } from "../../wire/kernel/nft-doors.ts";

const MAIL_PORTS = ["ports.smtp", "ports.submission", "ports.submissions", "ports.imaps"] as const;

/** For the kernel's table. */
export function connectionLimit(settings: Settings): ConnectionLimit {
  return { most: settings["limits.connections.concurrent"], ports: MAIL_PORTS.map((key) => settings[key]) };
}

export type DoorParts = Readonly<{
  /** The settings in force, read at each check. */
  settings: () => Settings;
  engine: Engine;
  accounts: AccountHistory;
  clock: Clock;
  log: Log;
}>;

export function composeDoors({ settings, engine, accounts, clock, log }: DoorParts): DoorWatch {
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
  return new DoorWatch({ doors: new KernelDoors(), rules, ports, known, log });
}
