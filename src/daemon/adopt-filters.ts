import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isJailName, JAILS } from "../core/jails.ts";
import { STOCK_FILTERS } from "../render/fail2ban.ts";
import type { Filter } from "../render/site.ts";
import type { Layout } from "../settings/layout.ts";
import { filterNames, readFilter } from "./filters.ts";
import { judgeFilter, refusalOf } from "./judge-filter.ts";

export type Refused = Readonly<{ file: string; reason: string }>;
export type Adopted = Readonly<{ own: readonly string[]; refused: readonly Refused[] }>;

const MOST_CHARACTERS = 64 * 1024;
const REFUSED = "refused.json";

/** Where the owner's own filters lie; the later one wins where two have a file of the same name. */
export function filterSources(checkout: string, { fail2banFilters }: Layout): readonly string[] {
  return [join(checkout, "security", "filter.d"), fail2banFilters];
}

/**
 * Takes over the owner's own filters that stand the test, and leaves out those that do not, so that one bad filter
 * stops nothing else. What was tested before is not tested again.
 */
export async function adoptFilters(checkout: string, layout: Layout): Promise<Adopted> {
  const found = new Map<string, Readonly<{ file: string; filter: Filter | string }>>();
  for (const directory of filterSources(checkout, layout))
    for (const file of confFiles(directory))
      found.set(file, { file: join(directory, file), filter: read(directory, file) });

  const own: string[] = [];
  const refused: Refused[] = [];
  mkdirSync(layout.fail2banOwn, { recursive: true, mode: 0o755 });
  for (const { file, filter } of found.values()) {
    const reason = typeof filter === "string" ? filter : await reasonAgainst(filter, checkout, layout);
    if (typeof filter === "string" || reason !== null) refused.push({ file, reason: reason ?? "" });
    else {
      own.push(filter.name);
      const path = join(layout.fail2banOwn, `${filter.name}.conf`);
      writeFileSync(path, filter.text, { mode: 0o644 });
      chmodSync(path, 0o644);
    }
  }
  for (const name of filterNames(layout.fail2banOwn))
    if (!own.includes(name)) rmSync(join(layout.fail2banOwn, `${name}.conf`));
  writeFileSync(join(layout.fail2banOwn, REFUSED), JSON.stringify(refused));
  return { own, refused };
}

/** What the last `adoptFilters` refused. */
export function refusedFilters({ fail2banOwn }: Layout): readonly Refused[] {
  const file = join(fail2banOwn, REFUSED);
  if (!existsSync(file)) return [];
  const list: unknown = JSON.parse(readFileSync(file, "utf8"));
  const isRefused = (one: unknown): one is Refused => typeof one === "object" && one !== null && "reason" in one;
  return Array.isArray(list) ? list.filter(isRefused) : [];
}

function confFiles(directory: string): readonly string[] {
  return existsSync(directory)
    ? readdirSync(directory)
        .filter((file) => file.endsWith(".conf"))
        .toSorted()
    : [];
}

/** The filter, or why it is none. */
function read(directory: string, file: string): Filter | string {
  const name = file.replace(/\.conf$/, "");
  if (!isJailName(name)) return "its name must be 1 to 40 small letters, digits, dashes or underscores";
  if (STOCK_FILTERS.includes(name) || JAILS.some((jail) => jail.name === name))
    return `there is a jail or filter ${name} already`;
  const filter = readFilter(directory, name);
  return filter.text.length > MOST_CHARACTERS ? "it is longer than any filter" : filter;
}

async function reasonAgainst(filter: Filter, checkout: string, layout: Layout): Promise<string | null> {
  const known = filterNames(layout.fail2banOwn).includes(filter.name);
  if (known && readFilter(layout.fail2banOwn, filter.name).text === filter.text) return null;
  return refusalOf(await judgeFilter(filter, { checkout }));
}
