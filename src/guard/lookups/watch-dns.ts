import { randomUUID } from "node:crypto";
import { MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Names } from "../network-ports.ts";
import type { Clock, Notices } from "../ports.ts";

type DnsWatchParts = Readonly<{ names: Names; domain: () => string | undefined; notices: Notices; clock: Clock }>;

const EVERY_MS = MINUTE_MS;
const AGAIN_MS = 10 * SECOND_MS;
/** In a row, before the owner hears of it: a single question may be lost. */
const FAILURES = 3;

/**
 * Asks the DNS for a name below our first domain that no one has asked for, so that no cache can answer. The probe of the resolver
 * (mail/dns/resolver.ts) sees only whether it runs.
 */
export class DnsWatch {
  readonly #parts: DnsWatchParts;
  #askedAt: Millis | null = null;
  #failures = 0;

  constructor(parts: DnsWatchParts) {
    this.#parts = parts;
  }

  /** Call it every few seconds. The question ends within seconds, so two never overlap. */
  async look(): Promise<void> {
    const { names, domain, notices, clock } = this.#parts;
    const zone = domain();
    const waitMs = this.#failures === 0 ? EVERY_MS : AGAIN_MS;
    const isDue = this.#askedAt === null || Math.abs(clock.now() - this.#askedAt) >= waitMs;
    if (zone === undefined || !isDue) return;
    this.#askedAt = clock.now();
    const answer = await names.addresses(`${randomUUID().slice(0, 8)}.${zone}`);
    this.#failures = answer.type === "failed" ? this.#failures + 1 : 0;
    if (answer.type !== "failed") notices.clear("dns_failing");
    else if (this.#failures >= FAILURES) notices.raise("dns_failing", `names of ${zone}: ${answer.why}`);
  }
}
