import { KernelConnections } from "../../adapters/nft/open-connections.ts";
import { HONEST_FOR_MS, isWanted } from "../../core/decide/honest-mail.ts";
import type { Passed } from "../../core/firewall/blocked-ports.ts";
import { shareOfStrangers } from "../../core/firewall/open-connections.ts";
import { neighbourhoodOf, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { later } from "../../core/time.ts";
import type { Keeper } from "../../engine/admin-ports.ts";
import { ConnectionWatch } from "../../engine/enforce/connection-watch.ts";
import { PortRoom } from "../../engine/enforce/port-room.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Clock, Log, Notices } from "../../engine/ports.ts";
import type { AccountHistory, HonestMail } from "../../engine/storage-ports.ts";
import type { Settings } from "../../settings/schema.ts";
import type { ConnectionLimit } from "../../wire/kernel/nft-connections.ts";

const MAIL_PORTS = ["ports.smtp", "ports.submission", "ports.submissions", "ports.imaps"] as const;

/** For the kernel's table. */
export function connectionLimit(now: Settings): ConnectionLimit {
  return {
    most: now["limits.connections.concurrent"],
    ports: MAIL_PORTS.map((key) => now[key]),
    perPort: now["limits.connections.per_port"],
  };
}

/** How far connections to the mail ports have come since the last call. */
export function passedConnections(settings: Settings): Promise<ReadonlyMap<number, Passed>> {
  return new KernelConnections().passed(connectionLimit(settings).ports);
}

export type ConnectionParts = Readonly<{
  /** The settings in force, read at each check. */
  settings: () => Settings;
  engine: Engine;
  accounts: AccountHistory;
  honest: Pick<HonestMail, "server">;
  keeper: Keeper;
  notices: Notices;
  clock: Clock;
  log: Log;
}>;

export function composeConnectionWatch(parts: ConnectionParts): ConnectionWatch {
  const { settings, engine, accounts, honest, keeper, notices, clock, log } = parts;
  const knownSince = () => later(clock.now(), -engine.policy.accounts.knownForMs);
  const known = (): readonly Prefix[] => accounts.networksSince(knownSince());
  const rules = () => {
    const now = settings();
    const places = MAIL_PORTS.map(
      (key) => [now[key], now[`limits.connections.${key === "ports.imaps" ? "imap" : "smtp"}_places`]] as const,
    );
    return {
      places: new Map(places),
      ...connectionLimit(now),
      mostKnown: Math.max(now["limits.connections.concurrent"], now["limits.connections.known"]),
      shares: new Map([
        [now["ports.submission"], shareOfStrangers(now["limits.connections.smtp_places"])],
        [now["ports.submissions"], shareOfStrangers(now["limits.connections.smtp_places"])],
        [now["ports.imaps"], shareOfStrangers(now["limits.connections.imap_places"])],
      ]),
      unitOf: engine.subject.bind(engine),
      isKnown: (unit: Prefix) => accounts.accountsOf(unit, knownSince()).length > 0,
      isExempt: engine.isProtected.bind(engine),
    };
  };
  const isWantedServer = (unit: Prefix): boolean => {
    const network = neighbourhoodOf(networkAddress(unit), engine.policy.bans.ipv6Prefix);
    const server = honest.server(unit, network, later(clock.now(), -HONEST_FOR_MS));
    return server !== null && isWanted(server);
  };
  const crowdRules = () => ({ ...rules(), isWanted: isWantedServer });
  const ports = () => connectionLimit(settings()).ports;
  const kernel = new KernelConnections();
  const progressOf = engine.progressOf.bind(engine);
  const imap = () => settings()["ports.imaps"];
  const shareImap = async (): Promise<string> => {
    const shared = await keeper.ask({ verb: "share_imap" });
    if (!shared.ok) log.warn("Sessions of accounts with very many stay open.", { reason: shared.reason });
    return shared.ok ? shared.detail : "";
  };
  const room = new PortRoom({ kernel, rules: crowdRules, progressOf, imap, shareImap, notices, clock });
  return new ConnectionWatch({ kernel, rules, ports, known, room, log });
}
