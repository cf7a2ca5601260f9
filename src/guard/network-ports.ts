import type { BanItem } from "../admin/bans.ts";
import type { OwnNetwork } from "../core/decide/sparing.ts";
import type { Listing, Recipient } from "../core/events/mail.ts";
import type { Connection, ConnectionOrders } from "../core/firewall/connection-shares.ts";
import type { FirewallBan } from "../core/firewall/plan-firewall.ts";
import type { Ip, Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import type { Outcome } from "./ports.ts";

/** What the engine needs from the network: the DNS and the firewall of this machine. */

/** The IPv4 addresses of a name. `failed`: no answer, or one that cannot be trusted. */
export type NameAnswer =
  | Readonly<{ type: "addresses"; addresses: readonly string[]; ttlMs: number }>
  | Readonly<{ type: "none" }>
  | Readonly<{ type: "failed"; why: string }>;

/** Looks names up in the DNS. Never rejects. */
export interface Names {
  v4Addresses(name: string): Promise<NameAnswer>;
}

/** `ok` without results: the name has no such record. Not `ok`: the answer is unknown, or only `partial` of it is; ask again later. */
export type DnsAnswer<T> =
  | Readonly<{ ok: true; found: readonly T[] }>
  | Readonly<{ ok: false; reason: string; partial?: readonly T[] }>;

/** Reads DNS records. Never throws. */
export interface NameLookup {
  /** TXT records, the strings of each joined (RFC 7208, 3.3). */
  texts(name: string): Promise<DnsAnswer<string>>;
  addresses(name: string): Promise<DnsAnswer<Ip>>;
  exchanges(name: string): Promise<DnsAnswer<string>>;
}

/** Resolves null if no list contains the address, or no list answered in time. Never rejects; takes less than a second. */
export interface BlockLists {
  ask(ip: Ip): Promise<Listing | null>;
}

/** Whether a domain accepts mail (RFC 5321, 5.1; RFC 7505). Never rejects; takes less than 1.5 seconds. */
export interface SenderDomains {
  /** `ip`: the client that names the domain. Null if the DNS gave no answer. A sender is not refused for that. */
  exists(domain: string, ip: Ip): Promise<boolean | null>;
}

/** Whether a client may send for the sender's domain. Never rejects; takes less than 1.5 seconds. */
export interface SenderProofs {
  /** Asks the DNS only if the answer matters, and otherwise returns false. */
  prove(event: Recipient): Promise<boolean>;
}

/** The start or end of a ban, numbered in commit order: a row of `ban_step`. */
export type BanStep =
  | Readonly<{ id: number; type: "add"; prefix: Prefix; expiresAt: Millis | null }>
  | Readonly<{ id: number; type: "delete"; prefix: Prefix }>;

/** `uncounted`: the reason why open connections cannot be counted here, although bans work. */
export type ResetOutcome = Outcome | Readonly<{ ok: true; uncounted: string }>;

/** `isLost`: someone changed or removed the table. Otherwise a failed check says nothing about it. */
export type CheckOutcome = Outcome | Readonly<{ ok: false; reason: string; isLost: true }>;

/** `quick`: misses emptied sets of bans, but takes 20 ms, however many bans there are. `whole`: takes 0.1 s with 20,000 networks. */
export type CheckDepth = "quick" | "whole";

export interface Firewall {
  /**
   * Makes the kernel's sets equal to these bans, whatever they contained. `allow` always passes. `bans` may be read over
   * several turns of the event loop, and more than once.
   */
  reset(bans: Iterable<FirewallBan>, allow: readonly Prefix[], now: Millis): Promise<ResetOutcome>;
  apply(steps: readonly BanStep[], now: Millis): Promise<Outcome>;
  /** Reads back whether the kernel holds a ban on each of these. Cheap for a few hundred. */
  holds(prefixes: readonly Prefix[]): Promise<Outcome>;
  /** Ends established connections of these networks. */
  cut(prefixes: readonly Prefix[]): Promise<Outcome>;
  /** Whether the table from `reset` is still complete; someone may have flushed it by hand. */
  check(depth: CheckDepth): Promise<CheckOutcome>;
  close(): Promise<void>;
}

/** The open connections, and which clients may open more. */
export interface OpenConnections {
  /** Established connections from clients to these local ports. */
  connections(ports: readonly number[]): Promise<readonly Connection[]>;
  /** All TCP sockets in use, including those that listen; null if unknown. Costs almost nothing. */
  sockets(): Promise<number | null>;
  /** How long each client has sent nothing while it was its turn, by `connectionName`. Milliseconds; empty if unknown. */
  silences(ports: readonly number[]): Promise<ReadonlyMap<string, number>>;
  /** Replaces the earlier orders. They expire after `timeoutS` seconds. */
  sendOrders(orders: ConnectionOrders, timeoutS: number): Promise<Outcome>;
  end(connections: readonly Connection[]): Promise<Outcome>;
}

/** Addresses that must never be banned, because they are the machine itself or hide all its clients. */
export interface OwnNetworks {
  current(): readonly OwnNetwork[];
}

/** New bans in force, and networks that are no longer banned, up to a step. `isAll` false: there are more steps. */
export type BanChanges = Readonly<{
  added: readonly BanItem[];
  removed: readonly string[];
  upto: number;
  isAll: boolean;
}>;
