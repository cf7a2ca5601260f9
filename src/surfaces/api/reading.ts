import type * as z from "zod";
import type { BanItem } from "../../admin/bans.ts";
import type { AccountAnswer, AddressAnswer } from "../../admin/declare/items.ts";
import { PAGE, type Page } from "../../admin/declare/paging.ts";
import { isSingleAddress, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, instant, isoTime, SECOND_MS } from "../../core/time.ts";
import { allBans, spanOf } from "../../guard/explain/stats.ts";
import { FIGURES_FOR_MS, RANKED_FOR_MS } from "../../guard/figures.ts";
import type { HealthReader } from "./health.ts";
import type { ApiParts, Asker } from "./ports.ts";
import type { bansQuery, eventsQuery, figuresQuery, topQuery } from "./routes/schemas.ts";

/** Answers of the reading routes. Each throws `StoreDown` or `LookupsBusy`. */

/** As JSON, as serialised by the reading thread. */
export async function readStats({ lookups, clock }: ApiParts, health: HealthReader): Promise<string> {
  return lookups.ask("stats", await health.read(), clock.now());
}

export async function readFigures({ lookups, clock }: ApiParts, asked: z.output<typeof figuresQuery>) {
  const now = clock.now();
  const to = instant(Math.min(asked.to ?? now, now));
  const from = instant(Math.max(asked.from ?? to - DAY_MS, now - FIGURES_FOR_MS));
  const stepMs = asked.step === undefined ? null : asked.step * SECOND_MS;
  const span = spanOf(instant(Math.min(from, to)), to, stepMs, now);
  return {
    from: isoTime(span.from),
    to: isoTime(span.to),
    stepSeconds: span.stepMs / SECOND_MS,
    series: await lookups.ask("series", span),
  };
}

export async function readTop({ lookups, clock }: ApiParts, asked: z.output<typeof topQuery>) {
  const { by = "mails", from, limit = PAGE.usual } = asked;
  const now = clock.now();
  const since = instant(Math.max(from ?? now - DAY_MS, now - RANKED_FOR_MS));
  return { by, from: isoTime(since), items: [...(await lookups.ask("top", by, since, limit))] };
}

/** As JSON, as serialised by the reading thread. */
export function readEvents({ lookups }: ApiParts, asked: z.output<ReturnType<typeof eventsQuery>>): Promise<string> {
  const { ip: prefix, type: types, text, cursor: before, limit: most = PAGE.usual, ...others } = asked;
  const order = "newest_first";
  // An empty text is in every event.
  return lookups.ask("events", { ...others, prefix, types, text: text || undefined, before, most, order });
}

export async function readBans({ queries, lookups, clock }: ApiParts, asked: z.output<typeof bansQuery>) {
  const { limit = PAGE.usual, cursor: given, text } = asked;
  const now = clock.now();
  const cursor = given === undefined ? null : String(given);
  // A search reads all bans in force; otherwise only those of the page are read.
  const page: Page<BanItem> =
    text === undefined
      ? queries().bans(now, { limit, cursor })
      : await lookups.ask("bans", now, { limit, cursor, text });
  return { ...page, active: allBans(queries().figures.banCounts(now)) };
}

/** Without the guard's answer, the part from the database is still returned. */
export async function readWhy(parts: ApiParts, asker: Asker, prefix: Prefix): Promise<AddressAnswer> {
  const { lookups, clock, settings, guard } = parts;
  const { memoryMs, ipv6Prefix } = settings;
  const story = await lookups.ask("address", prefix, clock.now(), { memoryMs, ipv6Prefix });
  const target = isSingleAddress(prefix) ? networkAddress(prefix) : prefix;
  const asked = await guard.ask(asker, { verb: "protection", target });
  return { ...story, protection: asked.ok ? asked.result.reason : null, protectionUnknown: !asked.ok };
}

/** Without the guard's answer, the part from the database is still returned. */
export async function readWhyAccount(parts: ApiParts, asker: Asker, account: string): Promise<AccountAnswer> {
  const { lookups, guard } = parts;
  const story = await lookups.ask("account", account);
  const asked = await guard.ask(asker, { verb: "account_state", name: account });
  return asked.ok ? { ...story, state: asked.result.state } : story;
}
