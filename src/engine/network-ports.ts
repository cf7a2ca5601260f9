import type { OwnNetwork } from "../core/decide/sparing.ts";
import type { Listing, Recipient } from "../core/events/mail.ts";
import type { Connection, ConnectionOrders } from "../core/firewall/open-connections.ts";
import type { Ip, Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import type { Outcome } from "./ports.ts";

/** What the engine needs of the network: the DNS, and the firewall of this machine. */

/** The addresses that a name has (IPv4). `failed`: no answer, or none that can be believed. */
export type NameAnswer =
  | Readonly<{ type: "addresses"; addresses: readonly string[]; ttlMs: number }>
  | Readonly<{ type: "none" }>
  | Readonly<{ type: "failed"; why: string }>;

/** Looks names up in the DNS. Never rejects. */
export interface Names {
  addresses(name: string): Promise<NameAnswer>;
}

/** Resolves null where no list names the address, or none answered in time. Never rejects, and within a second. */
export interface BlockLists {
  ask(ip: Ip): Promise<Listing | null>;
}

/** Whether a domain takes mail (RFC 5321, 5.1; RFC 7505). Never rejects, and within a second and a half. */
export interface SenderDomains {
  /** Null where the DNS did not tell: nobody is refused for that. */
  exists(domain: string): Promise<boolean | null>;
}

/** Whether a client speaks for the domain of a sender. Never rejects, and within a second and a half. */
export interface SenderProofs {
  /** Asks only where it matters; else not proven. */
  prove(event: Recipient): Promise<boolean>;
}

/** One step of the ban table, in the order of its commits. */
export type BanStep =
  | Readonly<{ id: number; type: "add"; prefix: Prefix; expiresAt: Millis | null }>
  | Readonly<{ id: number; type: "delete"; prefix: Prefix }>;

export type FirewallBan = Readonly<{ prefix: Prefix; expiresAt: Millis | null }>;

/** `uncounted`: bans are kept, but why connections held at once cannot be counted here. */
export type ResetOutcome = Outcome | Readonly<{ ok: true; uncounted: string }>;

export interface Firewall {
  /** Makes the kernel's sets equal to these bans, whatever they were. `allow` always passes. */
  reset(bans: readonly FirewallBan[], allow: readonly Prefix[], now: Millis): Promise<ResetOutcome>;
  apply(steps: readonly BanStep[], now: Millis): Promise<Outcome>;
  /** Whether the kernel holds each of these, read back. Cheap for some hundreds. */
  holds(prefixes: readonly Prefix[]): Promise<Outcome>;
  /** Ends established connections of these networks. */
  cut(prefixes: readonly Prefix[]): Promise<Outcome>;
  /** Whether what `reset` made still stands; someone may have flushed it by hand. Cheap. */
  check(): Promise<Outcome>;
  close(): Promise<void>;
}

/** Connections that stand, and who may open more. */
export interface OpenConnections {
  /** Established connections of clients to these ports of ours. */
  connections(ports: readonly number[]): Promise<readonly Connection[]>;
  /** Takes the place of what was said before, and is forgotten after so many seconds. */
  say(words: ConnectionOrders, lastsS: number): Promise<Outcome>;
  end(connections: readonly Connection[]): Promise<Outcome>;
}

/** Addresses that must never be banned, because the machine itself or all its clients stand behind them. */
export interface OwnNetworks {
  current(): readonly OwnNetwork[];
}
