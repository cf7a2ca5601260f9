import { setTimeout as wait } from "node:timers/promises";
import { isoTime, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Settings } from "../../settings/schema.ts";
import type { CommandError, Reply } from "../../wire/control/control.ts";
import type { KeeperReply } from "../../wire/control/keeper.ts";
import type { PublishedRecord } from "../../wire/control/upkeep.ts";
import type { Keeper } from "../admin-ports.ts";
import type { Clock } from "../ports.ts";

export type UpkeepParts = Readonly<{
  keeper: Keeper;
  clock: Clock;
  /** Those in force. */
  settings: () => Settings;
  /** What is published for a domain of the settings, compared with what should be. `key`: of DKIM. Never rejects. */
  publishedFor: (settings: Settings, domain: string, key: string) => Promise<readonly PublishedRecord[]>;
  /** How long it is waited for; for tests. */
  longestMs?: number;
}>;

/** The web may ask as often as it likes: root and the resolver are asked no more often than this. */
const RECORDS_MS = 5 * SECOND_MS;
const CERTIFICATE_MS = 10 * SECOND_MS;
const DNS_MS = MINUTE_MS;
/** The web waits ten seconds for the guard. What comes later is there for the next who asks. */
const LONGEST_MS = 8 * SECOND_MS;
const LATE = failed("The resolver has not answered for all records yet.", "Ask again in some seconds.");

/** What root's records say of the upkeep of this server, and what the DNS says of its domains. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #records: Remembered<Reply<"upkeep">>;
  readonly #certificate: Remembered<Reply<"certificate">>;
  readonly #audit: Remembered<Reply<"audit_verify">>;
  /** By domain; only those of the settings get in. */
  readonly #dns = new Map<string, Remembered<Reply<"dns_check">>>();

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#records = new Remembered(parts.clock, RECORDS_MS);
    this.#audit = new Remembered(parts.clock, RECORDS_MS);
    this.#certificate = new Remembered(parts.clock, CERTIFICATE_MS);
  }

  records(): Promise<Reply<"upkeep">> {
    return this.#records.get(async () => {
      const told = await this.#parts.keeper.ask({ verb: "upkeep" });
      return told.ok && told.upkeep !== undefined ? { ok: true, result: { upkeep: told.upkeep } } : untold(told);
    });
  }

  certificate(): Promise<Reply<"certificate">> {
    return this.#certificate.get(async () => {
      const told = await this.#parts.keeper.ask({ verb: "certificate" });
      return told.ok && told.certificate !== undefined
        ? { ok: true, result: { certificate: told.certificate } }
        : untold(told);
    });
  }

  /** The keeper tells of its last check: to ask starts none. */
  audit(): Promise<Reply<"audit_verify">> {
    return this.#audit.get(async () => {
      const told = await this.#parts.keeper.ask({ verb: "audit" });
      return told.ok && told.audit !== undefined ? { ok: true, result: { audit: told.audit } } : untold(told);
    });
  }

  /** Null: the first domain. */
  dns(asked: string | null): Promise<Reply<"dns_check">> | CommandError {
    const { domains } = this.#parts.settings();
    for (const known of this.#dns.keys()) if (!domains.includes(known)) this.#dns.delete(known);
    const domain = asked?.toLowerCase() ?? domains[0] ?? "";
    if (!domains.includes(domain)) {
      const next = `It has: ${domains.slice(0, 20).join(", ")}.`;
      return { ok: false, kind: "usage", message: "That is not a mail domain of this server.", next };
    }
    const remembered = this.#dns.get(domain) ?? new Remembered(this.#parts.clock, DNS_MS);
    this.#dns.set(domain, remembered);
    const found = remembered.get(() => this.#compare(domain, domains));
    return Promise.race([found, wait(this.#parts.longestMs ?? LONGEST_MS, LATE, { ref: false })]);
  }

  async #compare(domain: string, domains: readonly string[]): Promise<Reply<"dns_check">> {
    const told = await this.#parts.keeper.ask({ verb: "dkim_keys" });
    if (!told.ok || told.dkimKeys === undefined) return untold(told);
    const key = told.dkimKeys.find((one) => one.domain === domain)?.key ?? "";
    if (key === "") return failed(`${domain} has no key yet.`, "`config apply` on the server makes it.");
    const records = await this.#parts.publishedFor(this.#parts.settings(), domain, key);
    return { ok: true, result: { domain, domains, checkedAt: isoTime(this.#parts.clock.now()), records } };
  }
}

/** An answer that is asked for once, however many ask at the same time, and counts for a while. A failure does not. */
class Remembered<T extends Readonly<{ ok: boolean }>> {
  readonly #clock: Clock;
  readonly #lastsMs: number;
  #answer: Readonly<{ at: Millis; value: Promise<T> }> | null = null;

  constructor(clock: Clock, lastsMs: number) {
    this.#clock = clock;
    this.#lastsMs = lastsMs;
  }

  get(ask: () => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    if (this.#answer !== null && Math.abs(now - this.#answer.at) < this.#lastsMs) return this.#answer.value;
    const mine = { at: now, value: ask() };
    this.#answer = mine;
    const forget = (): void => {
      if (this.#answer === mine) this.#answer = null;
    };
    mine.value.then((value) => value.ok || forget(), forget);
    return mine.value;
  }
}

function untold(told: KeeperReply): CommandError {
  return failed(told.ok ? "The keeper is of another version." : told.reason, "`status` shows what is wrong.");
}

function failed(message: string, next: string): CommandError {
  return { ok: false, kind: "failed", message, next };
}
