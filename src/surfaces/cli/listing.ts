import { PAGE, type PageRequest } from "../../admin/declare/paging.ts";
import { type Answer, type Call, type Failure, type Reader, withReader, wrongUsage } from "./call.ts";
import { oneLine } from "./print/text.ts";

const MOST = 10_000;

export const LIST_OPTIONS = {
  "--limit N": `Maximum number to show; ${PAGE.usual} by default.`,
  "--cursor NEXT": "Continue where a list ended: the list prints the cursor, and --json has it as next.",
};

/** Parses `--limit`: the maximum number of `things` to show. */
export function limitFrom(text: string | null, usual: number, things: string): number | Failure {
  if (text === null) return usual;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MOST) return limit;
  return wrongUsage(`"${oneLine(text)}" is not a number of ${things}.`, `Give 1 to ${MOST}.`);
}

/** Parses `--limit` and `--cursor`. `cursors`: what the cursors of this list look like. */
export function pageFrom(call: Call, things: string, cursors: "texts" | "numbers" = "texts"): PageRequest | Failure {
  const limit = limitFrom(call.option("limit"), PAGE.usual, things);
  if (typeof limit !== "number") return limit;
  const cursor = call.option("cursor");
  if (cursor === null) return { limit, cursor };
  const isRight = cursors === "texts" ? cursor.length <= PAGE.cursorCharacters : /^\d{1,15}$/.test(cursor);
  if (isRight) return { limit, cursor };
  return wrongUsage(`"${oneLine(cursor)}" is not a cursor of a list of ${things}.`, "The list prints the cursor.");
}

/** A command that lists data from the databases, a page at a time. */
export function pageOfReader(
  things: string,
  cursors: "texts" | "numbers",
  run: (call: Call, reader: Reader, page: PageRequest) => Promise<Answer>,
) {
  return async (call: Call): Promise<Answer> => {
    const page = pageFrom(call, things, cursors);
    return "ok" in page ? page : withReader((_, reader) => run(call, reader, page))(call);
  };
}

type Paged = Readonly<{ next: string | null }>;
type Asked<R extends Paged> = Readonly<{ ok: true; result: R }> | Failure;

/** Requests page after page until there are enough items. The guard returns at most `most` items per page. */
export async function gather<R extends Paged & Readonly<{ items: readonly unknown[] }>>(
  { limit, cursor }: PageRequest,
  ask: (page: PageRequest) => Promise<Asked<R>>,
  most: number = PAGE.most,
): Promise<Asked<R>> {
  const size = Math.min(limit, most);
  const asked = await ask({ limit: size, cursor });
  if (!asked.ok || asked.result.next === null || limit === size) return asked;
  const rest = await gather({ limit: limit - size, cursor: asked.result.next }, ask, most);
  if (!rest.ok) return rest;
  return { ok: true, result: { ...rest.result, items: [...asked.result.items, ...rest.result.items] } };
}

/** Requests page after page until the last, or until `see` returns false. Returns the failure if a page cannot be fetched. */
export async function eachPage<R extends Paged>(
  from: string | null,
  ask: (cursor: string | null) => Promise<Asked<R>>,
  see: (page: R) => unknown,
): Promise<Failure | null> {
  let cursor = from;
  do {
    const asked: Asked<R> = await ask(cursor);
    if (!asked.ok) return asked;
    if (see(asked.result) === false) break;
    cursor = asked.result.next;
  } while (cursor !== null);
  return null;
}

/** The text for an empty list, or for one with nothing after the cursor. */
export function emptyText(nothing: string, { cursor }: PageRequest): string {
  return cursor === null ? nothing : "No further entries.";
}

type Shown = Readonly<{ next: string | null; total: number; shown: number }>;

/** The line below a list that has more items; empty if there are no more. */
export function andMore({ next, total, shown }: Shown, cursor: string | null): string {
  if (next === null) return "";
  const how = `--limit N shows up to ${MOST}, --cursor ${oneLine(next)} the next ones.`;
  // From the middle of a list, the number of remaining items is unknown.
  return cursor === null ? `\n… and ${(total - shown).toLocaleString("en")} more: ${how}` : `\n… and more: ${how}`;
}
