import type { Prefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import { whyAccount, whyAddress, whyMessage } from "../../engine/explain/why.ts";
import type { AccountReport, AddressStory, EventItem, MessageReport, Stats } from "../../wire/control/items.ts";
import type { HealthReader } from "./health.ts";
import { API_LIMITS } from "./limits.ts";
import type { ApiParts } from "./ports.ts";

const EVENTS_A_PAGE = 50;

/** The answers of the reading routes. Each throws `StoreDown`. */

export async function readStats({ queries, clock }: ApiParts, health: HealthReader): Promise<Stats> {
  const store = queries();
  const now = clock.now();
  const since = instant(now - API_LIMITS.statsWindowMs);
  const bans = store.bans(now);
  return {
    generatedAt: new Date(now).toISOString(),
    bans: { active: bans.length, items: bans },
    events: store.events({ most: API_LIMITS.statsEvents, order: "newest_first" }),
    topIps: store.topIps(since, API_LIMITS.statsTopIps),
    counts: store.counts(since),
    health: await health.read(),
  };
}

type Page = Readonly<{ items: readonly EventItem[]; next: string | null }>;
type Asked = Readonly<{
  ip?: Prefix | undefined;
  type?: string | undefined;
  cursor?: number | undefined;
  limit?: number | undefined;
}>;

export function readEvents({ queries }: ApiParts, { ip, type, cursor, limit = EVENTS_A_PAGE }: Asked): Page {
  const items = queries().events({
    ...(ip !== undefined && { prefix: ip }),
    ...(type !== undefined && { type }),
    ...(cursor !== undefined && { before: cursor }),
    most: limit,
    order: "newest_first",
  });
  const last = items.at(-1);
  return { items, next: last !== undefined && items.length === limit ? String(last.id) : null };
}

export function readWhy({ queries, clock, settings }: ApiParts, prefix: Prefix): AddressStory {
  return whyAddress(queries(), prefix, clock.now(), settings.memoryMs);
}

export function readWhyAccount({ queries }: ApiParts, account: string): AccountReport {
  return whyAccount(queries(), account);
}

export function readWhyMessage({ queries }: ApiParts, message: string): MessageReport {
  return whyMessage(queries(), message);
}
