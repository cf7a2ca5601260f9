import type { EventItem } from "../../../../admin/declare/items.ts";
import type { Page, PageRequest } from "../../../../admin/declare/paging.ts";
import { ecsLine } from "../../../../core/events/ecs.ts";
import { EVENT_TYPES, eventTypes } from "../../../../core/events/event-types.ts";
import { parsePrefix } from "../../../../core/net/ip.ts";
import { orNearest, quoted } from "../../../../core/text.ts";
import { dayAndTime } from "../../../../core/time.ts";
import type { EventFilter } from "../../../../guard/storage-ports.ts";
import { type Answer, type Call, done, type Failure, PROGRAM, type Reader, wrongUsage } from "../../call.ts";
import { pageFrom } from "../../listing.ts";
import { columns, jsonLine, oneLine } from "../../print/text.ts";
import { networkFrom } from "./bans.ts";

/** Rows read at once while following. */
const BATCH = 500;
const MOST_NAMING = 50;
/** Time limit of a search for a text: without a match, millions of events take minutes. */
const MOST_SEARCH_MS = 10_000;

type Filter = Pick<EventFilter, "after" | "prefix" | "types" | "account" | "text">;

export async function events(call: Call): Promise<Answer> {
  if (call.flag("types")) {
    const items = eventTypes();
    const text = columns(items.map(({ type, group, says }) => [type, group, says]));
    return done({ items }, text, `${PROGRAM} events --type BAN`);
  }
  const page = pageFrom(call, "events", "numbers");
  if ("ok" in page) return page;
  const asked = filterFrom(call);
  if ("ok" in asked) return asked;
  if (asked.after !== undefined && page.cursor !== null)
    return wrongUsage(
      "`--after` and `--cursor` exclude each other.",
      "A list that started with --after continues with --after.",
    );
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const { reader } = opened;
  // Read first, so that events committed during the search come after it.
  const newest = newestId(reader);
  // An id that does not exist yet comes from another database: all events of this one are new.
  const chosen = (asked.after ?? 0) > newest ? { ...asked, after: 0 } : asked;
  if (call.flag("follow") && chosen.after !== undefined)
    return follow(call, reader, chosen, { latest: [], from: chosen.after });
  const { items: latest, next } =
    chosen.after === undefined
      ? latestEvents(reader, chosen, page)
      : search(reader, { ...chosen, most: page.limit, order: "oldest_first" });
  if (call.flag("follow")) return follow(call, reader, chosen, { latest, from: latest.at(-1)?.id ?? newest });
  if (call.flag("ecs")) {
    for (const item of latest) call.terminal.out(ecsLine(item));
    return done(undefined, "");
  }
  if (latest.length === 0)
    return done({ items: latest, next }, "No event matches.", `${PROGRAM} events --follow  # waits for one`);
  const isAfter = chosen.after !== undefined;
  const older = next === null || isAfter ? "" : `… older ones: --cursor ${next}\n`;
  const newer = next === null || !isAfter ? "" : `\n… newer ones: --after ${next}`;
  return done(
    { items: latest, next },
    older + columns(latest.map(cellsOf)) + newer,
    `${PROGRAM} why ${someoneIn(latest)}`,
  );
}

function someoneIn(events: readonly EventItem[]): string {
  return events.findLast(({ ip }) => ip !== null)?.ip ?? "IP";
}

/** The latest events whose displayed text contains this. */
export function eventsNaming(call: Call, reader: Reader, text: string): Answer {
  const prefix = parsePrefix(text);
  const until = call.now() + MOST_SEARCH_MS;
  const chosen = prefix === null ? { text } : { prefix };
  const { items, next } = latestEvents(reader, chosen, { limit: MOST_NAMING, cursor: null }, () => call.now() > until);
  if (items.length === 0 && next === null) return done({ items, next }, `Nothing is recorded about ${oneLine(text)}.`);
  if (items.length === 0) {
    const says = `No event since number ${next} names ${oneLine(text)}; searching older ones would take too long.`;
    return done({ items, next }, says, `${PROGRAM} logs --grep ${quoted(oneLine(text))}`);
  }
  const older = next === null ? "" : "… and older ones.\n";
  return done({ items, next }, older + columns(items.map(cellsOf)), `${PROGRAM} why ${someoneIn(items)}`);
}

/** The latest events. One search may end without a match, and then continues from where it stopped. */
function latestEvents(
  reader: Reader,
  chosen: Filter,
  { limit, cursor }: PageRequest,
  isLate?: () => boolean,
): Page<EventItem> {
  const before = cursor === null ? Number.MAX_SAFE_INTEGER : Number(cursor);
  const { items, next } = search(reader, { ...chosen, before, most: limit, order: "newest_first" }, isLate);
  return { items: items.toReversed(), next };
}

function search({ queries }: Reader, asked: EventFilter, isLate = () => false): Page<EventItem> {
  const items: EventItem[] = [];
  for (let at = {}; ; ) {
    const page = queries.events({ ...asked, ...at, most: asked.most - items.length });
    items.push(...page.items);
    if (page.next === null) return { items, next: null };
    if (items.length === asked.most || isLate()) return { items, next: String(page.next) };
    at = asked.order === "newest_first" ? { before: page.next } : { after: page.next };
  }
}

function newestId({ queries }: Reader): number {
  return queries.events({ most: 1, order: "newest_first" }).items[0]?.id ?? 0;
}

type Start = Readonly<{ latest: readonly EventItem[]; from: number }>;

/** Prints each event right after its commit, until Ctrl-C. */
async function follow(call: Call, reader: Reader, chosen: Filter, { latest, from }: Start): Promise<Answer> {
  const { terminal, guard, json } = call;
  // From here on Ctrl-C is a normal end.
  const { interrupted } = terminal;
  const line = call.flag("ecs") ? ecsLine : json ? jsonLine : lineOf;
  const print = (item: EventItem): void => terminal.out(line(item));
  let lastId = from;
  latest.forEach(print);
  const printNew = (): void => {
    for (;;) {
      const newest = newestId(reader);
      const { items, next } = reader.queries.events({ ...chosen, after: lastId, most: BATCH, order: "oldest_first" });
      items.forEach(print);
      lastId = next ?? Math.max(newest, items.at(-1)?.id ?? 0, lastId);
      if (next === null) return;
    }
  };
  const ended = await guard.watch(printNew, interrupted);
  return ended.ok ? done(undefined, "") : ended;
}

function lineOf(item: EventItem): string {
  const [at = "", type = "", ip = "", ...rest] = cellsOf(item).map(oneLine);
  return [at, type.padEnd(16), ip.padEnd(15), ...rest].join("  ").trimEnd();
}

function cellsOf(item: EventItem): readonly string[] {
  // The usual outcome needs no reason, and the text of a ban includes its reason.
  const plain = item.reason === null || item.reason === "below_limit" || item.type === "BAN";
  const action = plain ? item.action : `${item.action} (${item.reason})`;
  return [dayAndTime(item.at), item.type, item.ip ?? "-", action, item.details];
}

function filterFrom(call: Call): Filter | Failure {
  const after = call.option("after");
  if (after !== null && !/^\d{1,15}$/.test(after))
    return wrongUsage(`"${oneLine(after)}" is not the id of an event.`, "`--json` shows ids, `--ecs` as event.id.");
  const type = call.option("type");
  const known = type === null ? undefined : EVENT_TYPES.find((one) => one === type.toUpperCase());
  if (type !== null && known === undefined) {
    const says = `"${oneLine(type)}" is not an event type${orNearest(type.toUpperCase(), EVENT_TYPES)}.`;
    return wrongUsage(says, `\`${PROGRAM} events --types\` lists all.`);
  }
  const prefix = networkFrom(call);
  if (prefix !== null && typeof prefix !== "string") return prefix;
  return {
    after: after === null ? undefined : Number(after),
    types: known === undefined ? [] : [known],
    account: call.option("account") ?? undefined,
    prefix: prefix ?? undefined,
  };
}
