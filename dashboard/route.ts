import { signal } from "@preact/signals";
import { queryOf } from "./api.ts";

/** The pages of the navigation. */
export const PAGES = ["now", "events", "bans", "mail", "accounts", "find", "system"] as const;
/** Pages without a place in the navigation. */
export const UNLISTED_PAGES = ["settings", "me"] as const;
export type PageName = (typeof PAGES)[number] | (typeof UNLISTED_PAGES)[number];
export type Query = Readonly<Record<string, string>>;
export type Route = Readonly<{ page: PageName; query: Query }>;

/** `#/events?type=BAN`; anything else is the first page. */
export function routeOf(hash: string): Route {
  const [path = "", ...query] = hash.replace(/^#\/?/, "").split("?");
  const page = [...PAGES, ...UNLISTED_PAGES].find((name) => name === path);
  return page === undefined
    ? { page: PAGES[0], query: {} }
    : { page, query: Object.fromEntries(new URLSearchParams(query.join("?"))) };
}

export function hrefOf(page: PageName, query: Query = {}): string {
  return `#/${page}${queryOf(query)}`;
}

/** Where the reader is. It follows the # of the address, so that the page works below any path of a proxy. */
export const route = signal<Route>(routeOf(globalThis.location?.hash ?? ""));

/** `replace`: adds no step to the browser's history, for example while a filter is typed. */
export function go(page: PageName, query: Query = {}, how: "push" | "replace" = "push"): void {
  const href = hrefOf(page, query);
  if (href === location.hash) return;
  if (how === "push") location.hash = href;
  else history.replaceState(null, "", href);
  route.value = routeOf(href);
}
