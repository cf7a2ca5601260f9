import type { CommandOf, Reply, WebVerb } from "../../admin/declare/control.ts";
import type { AccountName } from "../../core/net/address.ts";
import type { Ip, Prefix } from "../../core/net/ip.ts";
import type { Answer, ArgumentsOf, Question } from "../../guard/explain/questions.ts";
import type { Clock } from "../../guard/ports.ts";
import type { Queries } from "../../guard/storage-ports.ts";
import type { LocalConnection } from "../../host/kernel/tcp-sockets.ts";
import type { ReplayAsked, ReplayReport } from "../../jobs/replay/run-replay.ts";

/** Ports of the API, each named for the need; `programs/web` implements them. */

/** `mayBeDone`: the guard accepted the command, but its answer is missing. */
export type Unreachable = Readonly<{ ok: false; kind: "unreachable"; message: string; mayBeDone?: true }>;

/** On whose behalf the guard is asked: the web itself, or the caller with this secret, at this address. */
export type Asker = "web" | Readonly<{ as: string; ip: Ip }>;
/** `isDry`: the guard only says what the command would do. */
export type Asking = Readonly<{ asker: Asker; isDry: boolean }>;

/** Implemented by `createGuardPort` (`programs/web/guard.ts`). */
export interface GuardPort {
  /** Never throws: the result says if the guard does not answer. Without `isDry`, the command is carried out. */
  ask<V extends WebVerb>(
    asker: Asker,
    command: CommandOf<V>,
    how?: Pick<Asking, "isDry">,
  ): Promise<Reply<V> | Unreachable>;
}

/** Reports commits of new events: sometimes needlessly and, while the guard does not answer, late. */
export interface News {
  /** Returns a function that ends the subscription. */
  subscribe(onNews: () => void): () => void;
}

/** Queries that read many rows, answered in a separate thread. Rejects with `StoreDown` or `LookupsBusy`. */
export interface Lookups {
  ask<Q extends Question>(question: Q, ...asked: ArgumentsOf<Q>): Promise<Answer<Q>>;
}

export type JudgedFor = Readonly<{ caller: string; isAdministrator: boolean }>;

type NewPassword = Readonly<{ owner: AccountName; password: string }>;

/** Judges new passwords: returns the fault of each in one sentence, or null. */
export interface PasswordJudges {
  /** Rejects with `JudgesBusy`, including when another password of the same caller is waiting. */
  judge(asked: NewPassword, by: JudgedFor): Promise<string | null>;
  /** Judges several in order, as many as the time allows, and none while others wait. Never rejects. */
  judgeSome(asked: readonly NewPassword[], by: JudgedFor, withinMs: number): Promise<readonly (string | null)[]>;
}

/** Programs on this machine as clients of this server. */
export interface LocalClients {
  isHere(ip: Ip): boolean;
  /** The user whose program made the connection; null: it is closed, or unknown. Never rejects. */
  userOf(connection: LocalConnection): Promise<string | null>;
}

export class JudgesBusy extends Error {
  override readonly name = "JudgesBusy";
}

export class LookupsBusy extends Error {
  override readonly name = "LookupsBusy";
}

export class StoreDown extends Error {
  override readonly name = "StoreDown";
}

/** A file of the dashboard, held in memory. */
export type PageFile = Readonly<{ type: string; body: Uint8Array<ArrayBuffer> }>;

/** `busy`: another trial is running. */
export type TrialOutcome = Readonly<{ outcome: "done"; report: ReplayReport } | { outcome: "too_long" | "busy" }>;

export interface Trials {
  /** Takes some seconds at most. Rejects with `StoreDown`. */
  decide(asked: ReplayAsked): Promise<TrialOutcome>;
}

export type ApiParts = Readonly<{
  guard: GuardPort;
  /** Throws `StoreDown` while the database cannot be read. */
  queries: () => Queries;
  lookups: Lookups;
  trials: Trials;
  passwords: PasswordJudges;
  localClients: LocalClients;
  news: News;
  clock: Clock;
  page: ReadonlyMap<string, PageFile>;
  settings: ApiSettings;
  signInRefused: (ip: Ip) => void;
  /** Logs the bug or the IO error behind a 500, which the client does not see. */
  report: (error: unknown) => void;
}>;

export type ApiSettings = Readonly<{
  /** Networks whose X-Forwarded-For and X-Forwarded-Proto are trusted. */
  trustedProxies: readonly Prefix[];
  /** On this machine, a proxy is trusted only if it runs as one of these users. */
  proxyUsers: readonly string[];
  /** Host names under which browsers may reach this server, including names below them. */
  names: readonly string[];
  /** The unit in which IPv6 addresses are judged, and how long offences are remembered. */
  ipv6Prefix: number;
  memoryMs: number;
}>;
