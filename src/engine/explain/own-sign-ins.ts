import type { EventType } from "../../core/events/event-types.ts";
import type { EventItem } from "../../wire/control/items.ts";
import type { OwnSignIn } from "../../wire/control/my-items.ts";
import type { Page } from "../../wire/control/paging.ts";
import type { Queries } from "../storage-ports.ts";
import { everyPage } from "./every-page.ts";

/** What each means for the user. */
const WHAT: ReadonlyMap<string, OwnSignIn["what"]> = new Map<EventType, OwnSignIn["what"]>([
  ["LOGIN_SUCCEEDED", "signed_in"],
  ["LOGIN_FAILED", "wrong_password"],
  ["LOGIN_DELAYED", "slowed"],
  ["LOGIN_REFUSED", "refused"],
]);
const TYPES = [...WHAT.keys()];

type Asked = Readonly<{ limit: number; cursor: number | null }>;

/**
 * Every sign-in to an account, successful, failed or refused, by any protocol, newest first. The cursor is an event's id. A page
 * may be short, even empty, and still have a `next`: one search takes at most a third of a second, so that users do not delay
 * each other.
 */
export function ownSignIns(
  queries: Pick<Queries, "events">,
  account: string,
  { limit, cursor }: Asked,
): Page<OwnSignIn> {
  const part = { account, types: TYPES, most: limit + 1, order: "newest_first" as const };
  const filter = cursor === null ? part : { ...part, before: cursor };
  const { items, next } = everyPage((one) => queries.events(one), filter);
  const last = items[limit - 1];
  return {
    items: items.slice(0, limit).flatMap((event) => itemsOf(event, account)),
    next: items.length > limit && last !== undefined ? String(last.id) : next === null ? null : String(next),
  };
}

function itemsOf({ at, ip, service, type, ...event }: EventItem, account: string): readonly OwnSignIn[] {
  const what = WHAT.get(type);
  if (what === undefined || event.account?.toLowerCase() !== account) return [];
  return [{ at, ip, service, isRight: what === "signed_in", what }];
}
