import type { Ip, Prefix } from "../../core/net/ip.ts";
import type { Clock } from "../../engine/ports.ts";
import type { Queries } from "../../engine/storage-ports.ts";
import type { Command, Reply, Verb, WebVerb } from "../../wire/control/control.ts";

/** What the API needs from outside. Each port is named for the need; `daemon/web` supplies them. */

export type Unreachable = Readonly<{ ok: false; kind: "unreachable"; message: string }>;
export type CommandOf<V extends Verb> = Extract<Command, { verb: V }>;

export interface GuardPort {
  /** Never throws: a guard that does not answer is a value. `by` says for whom. */
  ask<V extends WebVerb>(by: string, command: CommandOf<V>): Promise<Reply<V> | Unreachable>;
}

/** Called when new events were committed. It may be called too often and, while the guard is away, too late. */
export interface News {
  /** Returns a function that ends the subscription. */
  subscribe(onNews: () => void): () => void;
}

/** Throws `StoreDown` while the database cannot be read. */
export interface Credentials {
  /** The administrator's password hash; null if none was set. */
  adminHash(): string | null;
  /** The name of the token with this SHA-256 digest (hex); null if there is none. */
  tokenNamed(digest: string): string | null;
}

export interface Passwords {
  verify(hash: string, password: string): Promise<boolean>;
  /** A hash that matches no password, at the same cost: an unset password takes as long as a wrong one. */
  readonly decoy: string;
}

export class StoreDown extends Error {
  override readonly name = "StoreDown";
}

/** A file of the dashboard, held in memory. */
export type PageFile = Readonly<{ type: string; body: Uint8Array<ArrayBuffer> }>;

export type ApiParts = Readonly<{
  guard: GuardPort;
  /** Throws `StoreDown` while the database cannot be read. */
  queries: () => Queries;
  credentials: Credentials;
  passwords: Passwords;
  news: News;
  clock: Clock;
  page: ReadonlyMap<string, PageFile>;
  version: string;
  settings: ApiSettings;
  /** Called for each wrong password. */
  signInRefused: (ip: Ip) => void;
  /** Called for a bug or broken IO behind a 500. The client learns nothing of it. */
  report: (error: unknown) => void;
}>;

export type ApiSettings = Readonly<{
  /** Networks whose X-Forwarded-For and X-Forwarded-Proto are believed. */
  trustedProxies: readonly Prefix[];
  /** Names under which browsers may call this server, with everything below them. */
  names: readonly string[];
  /** The unit in which IPv6 addresses are judged, and how long offences are remembered. */
  ipv6Prefix: number;
  memoryMs: number;
}>;
