import { setTimeout as wait } from "node:timers/promises";
import type { KeyCounts } from "../../admin/declare/account-key.ts";
import type { CommandError, Reply, Results, Verb } from "../../admin/declare/control.ts";
import type { KeeperReply } from "../../admin/declare/keeper.ts";
import type { PublishedRecord, ReportVerb } from "../../admin/declare/reports.ts";
import { asciiDomain } from "../../core/net/address.ts";
import { isoTime, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Settings } from "../../settings/schema.ts";
import type { Keeper } from "../admin-ports.ts";
import type { Clock } from "../ports.ts";
import { failed, keeperFault, usage } from "./refusals.ts";
import type { RunsOf } from "./run-of.ts";

/** How long to remember an answer and a failure. The latter is zero if asking again is cheap. */
type Lasts = Readonly<{ lastsMs: number; failureMs?: number }>;

/** Asks once for concurrent callers, and remembers the answer for a while. */
export function remembered<T extends Readonly<{ ok: boolean }>>(
  clock: Clock,
  { lastsMs, failureMs = 0 }: Lasts,
  ask: () => Promise<T>,
): () => Promise<T> {
  let answer: Readonly<{ at: Millis; lastsMs: number; value: Promise<T> }> | null = null;
  return () => {
    const now = clock.now();
    if (answer !== null && Math.abs(now - answer.at) < answer.lastsMs) return answer.value;
    const mine = { at: now, lastsMs, value: ask() };
    answer = mine;
    const failed = (): void => {
      if (answer === mine) answer = { ...mine, at: clock.now(), lastsMs: failureMs };
    };
    mine.value.then((value) => value.ok || failed(), failed);
    return mine.value;
  };
}

export type UpkeepParts = Readonly<{
  keeper: Keeper;
  clock: Clock;
  /** The settings in force. */
  settings: () => Settings;
  /** Compares the published records of a domain in the settings with those that should be. `key`: the DKIM key. Never rejects. */
  publishedFor: (settings: Settings, domain: string, key: string) => Promise<readonly PublishedRecord[]>;
  /** Counts the keys of accounts, and names up to this many accounts of each kind. */
  keyCounts: (most: number) => KeyCounts;
  /** How long to wait for an answer; for tests. */
  longestMs?: number;
}>;

/** The web may ask at any rate, so the keeper and the resolver are asked at most this often. */
const RECORDS = { lastsMs: 5 * SECOND_MS };
const CERTIFICATE = { lastsMs: 10 * SECOND_MS };
const DNS = { lastsMs: MINUTE_MS };
/** A failure of Fail2ban's client takes as long as a success, so it is remembered too. */
const JAILS = { lastsMs: MINUTE_MS, failureMs: 30 * SECOND_MS };
/** The web waits ten seconds for the guard. A later answer is kept for the next caller. */
const LONGEST_MS = 8 * SECOND_MS;

/** As many as `encryption show` names. */
const MOST_NAMED = 20;
const BUSY = failed("Fail2ban has not answered for all jails yet.", "Ask again in a few seconds.");
const LATE = failed("The resolver has not answered for all records yet.", "Ask again in a few seconds.");

/** Root's records of this server and its upkeep, and the DNS records of its domains. */
export function createUpkeep(parts: UpkeepParts) {
  const late = (answer: CommandError) => wait(parts.longestMs ?? LONGEST_MS, answer, { ref: false });
  const jails = sharedAnswer<"fail2ban">(parts, "fail2ban", ({ fail2ban }) => fail2ban, JAILS);
  /** By domain; contains only domains of the settings. */
  const published = new Map<string, () => Promise<Reply<"dns_check">>>();
  return {
    records: sharedAnswer<"upkeep">(parts, "upkeep", ({ upkeep }) => upkeep && { items: upkeep }),
    certificate: sharedAnswer<"certificate">(parts, "certificate", ({ certificate }) => certificate, CERTIFICATE),
    /** The keeper's last check. Asking does not start one. */
    audit: sharedAnswer<"audit_verify">(parts, "audit", ({ audit }) => (audit === undefined ? undefined : { audit })),
    incidents: sharedAnswer<"incident_list">(parts, "incidents", ({ incidents }) => incidents),
    firewall: sharedAnswer<"firewall">(parts, "firewall", ({ firewall }) => firewall),
    retention: sharedAnswer<"retention">(parts, "retention", ({ retention }) => retention),
    checks: sharedAnswer<"checks">(parts, "checks", ({ checks }) => checks),
    encryption: sharedAnswer<"encryption">(
      parts,
      "encryption",
      ({ encryption }) => encryption && { ...encryption, accounts: parts.keyCounts(MOST_NAMED) },
    ),
    /** Fail2ban's client runs once for each jail, which takes seconds. */
    fail2ban: () => Promise.race([jails(), late(BUSY)]),
    /** Null: the first domain. */
    dns: (asked: string | null): Promise<Reply<"dns_check">> | CommandError => {
      const { domains } = parts.settings();
      for (const known of published.keys()) if (!domains.includes(known)) published.delete(known);
      const domain = asked === null ? (domains[0] ?? "") : asciiDomain(asked);
      if (!domains.includes(domain)) {
        const next = `It has: ${domains.slice(0, 20).join(", ")}.`;
        return usage("That is not a mail domain of this server.", next);
      }
      const compared = published.getOrInsertComputed(domain, () =>
        remembered(parts.clock, DNS, () => compare(parts, domain)),
      );
      return Promise.race([compared(), late(LATE)]);
    },
  };
}
export type Upkeep = ReturnType<typeof createUpkeep>;

export const UPKEEP_RUNS = {
  upkeep: ({ upkeep }) => upkeep.records(),
  certificate: ({ upkeep }) => upkeep.certificate(),
  audit_verify: ({ upkeep }) => upkeep.audit(),
  incident_list: ({ upkeep }) => upkeep.incidents(),
  firewall: ({ upkeep }) => upkeep.firewall(),
  retention: ({ upkeep }) => upkeep.retention(),
  checks: ({ upkeep }) => upkeep.checks(),
  encryption: ({ upkeep }) => upkeep.encryption(),
  fail2ban: ({ upkeep }) => upkeep.fail2ban(),
  dns_check: ({ upkeep }, { domain }) => upkeep.dns(domain),
} satisfies RunsOf<Readonly<{ upkeep: Upkeep }>>;

/** Asks the keeper once for all callers within some seconds. `read` returns undefined if the reply lacks the answer. */
function sharedAnswer<V extends Verb>(
  { keeper, clock }: UpkeepParts,
  verb: ReportVerb | "audit",
  read: (reply: Extract<KeeperReply, { ok: true }>) => Results[V] | undefined,
  lasts: Lasts = RECORDS,
) {
  return remembered<Reply<V>>(clock, lasts, async () => {
    const reply = await keeper.ask({ verb });
    const result = reply.ok ? read(reply) : undefined;
    return result === undefined ? keeperFault(reply) : { ok: true, result };
  });
}

async function compare(parts: UpkeepParts, domain: string): Promise<Reply<"dns_check">> {
  const { keeper, clock, settings, publishedFor } = parts;
  const reply = await keeper.ask({ verb: "dkim_keys" });
  if (!reply.ok || reply.dkimKeys === undefined) return keeperFault(reply);
  const key = reply.dkimKeys.find((one) => one.domain === domain)?.key ?? "";
  if (key === "") return failed(`${domain} has no key yet.`, "`config apply` on the server makes it.");
  const current = settings();
  const records = await publishedFor(current, domain, key);
  return { ok: true, result: { domain, domains: current.domains, checkedAt: isoTime(clock.now()), records } };
}
