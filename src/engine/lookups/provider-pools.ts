import type { Ip, Prefix } from "../../core/net/ip.ts";
import { NetworkSet } from "../../core/net/network-set.ts";
import { DAY_MS, HOUR_MS, later, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Clock, Log } from "../ports.ts";
import { expandSpf, type NameLookup } from "./expand-spf.ts";

/** What a provider published last. */
export type Pool = Readonly<{ domain: string; networks: readonly Prefix[]; fetchedAt: Millis }>;

/** Keeps them over a restart. Writers throw when the database takes nothing. */
export interface PoolStore {
  pools(): readonly Pool[];
  keepPool(pool: Pool): void;
}

export type PoolParts = Readonly<{
  lookup: NameLookup;
  store: PoolStore;
  /** Whose pools to know; asked before each round. */
  domains: () => readonly string[];
  clock: Clock;
  log: Log;
}>;

export const POOL_TIMES = { freshMs: DAY_MS, firstRetryMs: 2 * SECOND_MS, lastRetryMs: HOUR_MS } as const;

type State = { pool: Pool | null; dueAt: Millis; failures: number };

/**
 * The networks from which large providers send, by the SPF records that they publish: read anew each day, and what
 * was known last holds for as long as they cannot be read.
 */
export class ProviderPools {
  readonly #parts: PoolParts;
  readonly #states = new Map<string, State>();
  #set = new NetworkSet([]);
  #timer: NodeJS.Timeout | null = null;
  #working: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    for (const pool of parts.store.pools())
      this.#states.set(pool.domain, { pool, dueAt: later(pool.fetchedAt, POOL_TIMES.freshMs), failures: 0 });
    this.#gather();
  }

  includes(ip: Ip): boolean {
    return this.#set.includes(ip);
  }

  /** Looks after what is due, and goes on doing so. The domains may be others than before. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#working ??= this.#round().finally(() => {
      this.#working = null;
      this.#schedule();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#working;
  }

  async #round(): Promise<void> {
    const domains = this.#parts.domains();
    for (const domain of this.#states.keys()) if (!domains.includes(domain)) this.#states.delete(domain);
    for (const domain of domains) {
      const state = this.#states.get(domain) ?? { pool: null, dueAt: later(this.#parts.clock.now(), 0), failures: 0 };
      this.#states.set(domain, state);
      if (state.dueAt <= this.#parts.clock.now() && !this.#stopped) await this.#refresh(domain, state);
    }
    this.#gather();
  }

  async #refresh(domain: string, state: State): Promise<void> {
    const { lookup, store, clock, log } = this.#parts;
    const expanded = await expandSpf(domain, lookup);
    if (this.#stopped) return;
    if (!expanded.ok) {
      if (state.failures === 0) log.warn("The pool of a provider could not be read.", { domain, why: expanded.reason });
      const delayMs = POOL_TIMES.firstRetryMs * 2 ** state.failures++;
      state.dueAt = later(clock.now(), Math.min(POOL_TIMES.lastRetryMs, delayMs));
      return;
    }
    const pool = { domain, networks: expanded.found, fetchedAt: clock.now() };
    Object.assign(state, { pool, dueAt: later(pool.fetchedAt, POOL_TIMES.freshMs), failures: 0 });
    // Whoever asks next need not wait for the other domains.
    this.#gather();
    try {
      store.keepPool(pool);
    } catch (error) {
      log.warn("The pool of a provider could not be kept.", { domain, why: String(error) });
    }
  }

  #gather(): void {
    this.#set = new NetworkSet([...this.#states.values()].flatMap(({ pool }) => pool?.networks ?? []));
  }

  #schedule(): void {
    if (this.#stopped || this.#states.size === 0) return;
    const dueAt = Math.min(...[...this.#states.values()].map((state) => state.dueAt));
    const inMs = Math.max(0, dueAt - this.#parts.clock.now());
    this.#timer = setTimeout(() => this.wake(), Math.min(inMs, POOL_TIMES.lastRetryMs)).unref();
  }
}
