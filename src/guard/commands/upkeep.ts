import { setTimeout as wait } from "node:timers/promises";
import type { KeyCounts } from "../../admin/declare/account-key.ts";
import type { CommandError, Reply, Verb } from "../../admin/declare/control.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import type { PublishedRecord, Told } from "../../admin/declare/reports.ts";
import { isoTime, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Settings } from "../../settings/schema.ts";
import type { Keeper } from "../admin-ports.ts";
import type { Clock } from "../ports.ts";
import { failed, keeperFault, usage } from "./refusals.ts";

/** How long to remember an answer, and a failure: almost zero if asking again is cheap. */
export type Lasts = Readonly<{ lastsMs: number; failureMs?: number }>;

/** An answer that concurrent callers share, and that is remembered for a while. */
export class Remembered<T extends Readonly<{ ok: boolean }>> {
  readonly #clock: Clock;
  readonly #lastsMs: number;
  readonly #failureMs: number;
  #answer: Readonly<{ at: Millis; lastsMs: number; value: Promise<T> }> | null = null;

  constructor(clock: Clock, { lastsMs, failureMs = 0 }: Lasts) {
    this.#clock = clock;
    this.#lastsMs = lastsMs;
    this.#failureMs = failureMs;
  }

  get(ask: () => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    if (this.#answer !== null && Math.abs(now - this.#answer.at) < this.#answer.lastsMs) return this.#answer.value;
    const mine = { at: now, lastsMs: this.#lastsMs, value: ask() };
    this.#answer = mine;
    const failed = (): void => {
      if (this.#answer === mine) this.#answer = { ...mine, at: this.#clock.now(), lastsMs: this.#failureMs };
    };
    mine.value.then((value) => value.ok || failed(), failed);
    return mine.value;
  }
}

export type UpkeepParts = Readonly<{
  keeper: Keeper;
  clock: Clock;
  /** The settings in force. */
  settings: () => Settings;
  /** Compares what is published for a domain of the settings with what should be. `key`: of DKIM. Never rejects. */
  publishedFor: (settings: Settings, domain: string, key: string) => Promise<readonly PublishedRecord[]>;
  /** The keys of accounts; names up to this many accounts of each kind. */
  keyCounts: (most: number) => KeyCounts;
  /** How long to wait for it; for tests. */
  longestMs?: number;
}>;

/** The web may ask at any rate: root and the resolver are asked at most this often. */
const RECORDS_MS = 5 * SECOND_MS;
const CERTIFICATE_MS = 10 * SECOND_MS;
const DNS_MS = MINUTE_MS;
/** A client that fails takes as long as one that succeeds. */
const JAILS = { lastsMs: MINUTE_MS, failureMs: 30 * SECOND_MS };
/** The web waits ten seconds for the guard. A later answer is kept for the next caller. */
const LONGEST_MS = 8 * SECOND_MS;
type Ask<V extends Verb> = () => Promise<Reply<V>>;

/** As `encryption show` does. */
const MOST_NAMED = 20;
const BUSY = failed("Fail2ban has not answered for all jails yet.", "Ask again in some seconds.");
const LATE = failed("The resolver has not answered for all records yet.", "Ask again in some seconds.");

/** Root's records of this server and its upkeep, and the DNS records of its domains. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly records: Ask<"upkeep">;
  readonly certificate: Ask<"certificate">;
  /** The keeper's last check. Asking does not start one. */
  readonly audit: Ask<"audit_verify">;
  readonly incidents: Ask<"incident_list">;
  readonly firewall: Ask<"firewall">;
  readonly retention: Ask<"retention">;
  readonly checks: Ask<"checks">;
  readonly encryption: Ask<"encryption">;
  /** Its client runs once for each jail, which takes seconds. */
  readonly fail2ban: Ask<"fail2ban">;
  /** By domain; contains only domains of the settings. */
  readonly #dns = new Map<string, Remembered<Reply<"dns_check">>>();

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.records = this.#once("upkeep", ({ upkeep }) => upkeep && { items: upkeep });
    this.certificate = this.#once("certificate", ({ certificate }) => certificate, { lastsMs: CERTIFICATE_MS });
    this.audit = this.#once("audit", ({ audit }) => (audit === undefined ? undefined : { audit }));
    this.firewall = this.#once("firewall", ({ firewall }) => firewall);
    const jails = this.#once("fail2ban", ({ fail2ban }) => fail2ban, JAILS);
    this.fail2ban = () => Promise.race([jails(), this.#late(BUSY)]);
    this.encryption = this.#once(
      "encryption",
      ({ encryption }) => encryption && { ...encryption, accounts: parts.keyCounts(MOST_NAMED) },
    );
    this.checks = this.#once("checks", ({ checks }) => checks);
    this.retention = this.#once("retention", ({ retention }) => retention);
    this.incidents = this.#once("incidents", ({ incidents }) => incidents);
  }

  /** Null: the first domain. */
  dns(asked: string | null): Promise<Reply<"dns_check">> | CommandError {
    const { domains } = this.#parts.settings();
    for (const known of this.#dns.keys()) if (!domains.includes(known)) this.#dns.delete(known);
    const domain = asked?.toLowerCase() ?? domains[0] ?? "";
    if (!domains.includes(domain)) {
      const next = `It has: ${domains.slice(0, 20).join(", ")}.`;
      return usage("That is not a mail domain of this server.", next);
    }
    const remembered = this.#dns.get(domain) ?? new Remembered(this.#parts.clock, { lastsMs: DNS_MS });
    this.#dns.set(domain, remembered);
    const found = remembered.get(() => this.#compare(domain, domains));
    return Promise.race([found, this.#late(LATE)]);
  }

  /** Asks the keeper once for all callers within some seconds. `read` returns undefined if the keeper did not answer. */
  #once<T>(
    verb: Told | "audit",
    read: (reply: Extract<KeeperReply, { ok: true }>) => T | undefined,
    lasts: Lasts = { lastsMs: RECORDS_MS },
  ): () => Promise<Readonly<{ ok: true; result: T }> | CommandError> {
    const remembered = new Remembered<Readonly<{ ok: true; result: T }> | CommandError>(this.#parts.clock, lasts);
    return () =>
      remembered.get(async () => {
        const reply = await this.#parts.keeper.ask({ verb });
        const result = reply.ok ? read(reply) : undefined;
        return result === undefined ? keeperFault(reply) : { ok: true, result };
      });
  }

  #late(answer: CommandError): Promise<CommandError> {
    return wait(this.#parts.longestMs ?? LONGEST_MS, answer, { ref: false });
  }

  async #compare(domain: string, domains: readonly string[]): Promise<Reply<"dns_check">> {
    const reply = await this.#parts.keeper.ask({ verb: "dkim_keys" });
    if (!reply.ok || reply.dkimKeys === undefined) return keeperFault(reply);
    const key = reply.dkimKeys.find((one) => one.domain === domain)?.key ?? "";
    if (key === "") return failed(`${domain} has no key yet.`, "`config apply` on the server makes it.");
    const records = await this.#parts.publishedFor(this.#parts.settings(), domain, key);
    return { ok: true, result: { domain, domains, checkedAt: isoTime(this.#parts.clock.now()), records } };
  }
}
