import type { Prefix } from "../../core/net/ip.ts";
import { allBans, statsOf } from "../../engine/explain/stats.ts";
import { whyAccount, whyAddress, whyMessage } from "../../engine/explain/why.ts";
import type {
  AccountReport,
  AddressAnswer,
  BanItem,
  EventItem,
  MessageReport,
  Stats,
} from "../../wire/control/items.ts";
import { PAGE, type Page } from "../../wire/control/paging.ts";
import { command } from "./commands.ts";
import type { HealthReader } from "./health.ts";
import type { ApiParts } from "./ports.ts";

/** The answers of the reading routes. Each throws `StoreDown`. */

export async function readStats({ queries, clock }: ApiParts, health: HealthReader): Promise<Stats> {
  return statsOf(queries(), await health.read(), clock.now());
}

type Asked = Readonly<{
  ip?: Prefix | undefined;
  type?: string | undefined;
  cursor?: number | undefined;
  limit?: number | undefined;
}>;

export function readEvents({ queries }: ApiParts, { ip, type, cursor, limit = PAGE.usual }: Asked): Page<EventItem> {
  const { items, next } = queries().events({
    ...(ip !== undefined && { prefix: ip }),
    ...(type !== undefined && { type }),
    ...(cursor !== undefined && { before: cursor }),
    most: limit,
    order: "newest_first",
  });
  return { items, next: next === null ? null : String(next) };
}

export function readBans(
  { queries, clock }: ApiParts,
  { limit = PAGE.usual, cursor }: Pick<Asked, "limit" | "cursor">,
) {
  const store = queries();
  const now = clock.now();
  const page: Page<BanItem> = store.bans(now, { limit, cursor: cursor === undefined ? null : String(cursor) });
  return { ...page, active: allBans(store.figures.bansInForce(now)) };
}

type AskedPage = Readonly<{ limit?: number | undefined; cursor?: string | undefined }>;

export function readAllowed({ guard }: ApiParts, by: string, { limit = PAGE.usual, cursor }: AskedPage) {
  return command(guard, by, { verb: "allow_list", limit, cursor: cursor ?? null }, (page) => ({
    ...page,
    items: [...page.items],
  }));
}

/** Without the guard's answer, the database's part is told all the same. */
export async function readWhy(
  { queries, clock, settings, guard }: ApiParts,
  by: string,
  prefix: Prefix,
): Promise<AddressAnswer> {
  const story = whyAddress(queries(), prefix, clock.now(), settings.memoryMs);
  const asked = await guard.ask(by, { verb: "protection", target: prefix });
  return { ...story, protection: asked.ok ? asked.result.reason : null, protectionUnknown: !asked.ok };
}

export function readWhyAccount({ queries }: ApiParts, account: string): AccountReport {
  return whyAccount(queries(), account);
}

export function readWhyMessage({ queries }: ApiParts, message: string): MessageReport {
  return whyMessage(queries(), message);
}
