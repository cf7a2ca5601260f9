import type { EventType } from "../../core/events/event-types.ts";
import type { EventItem } from "../../wire/control/items.ts";
import type { OwnSignIn } from "../../wire/control/my-items.ts";
import type { Page } from "../../wire/control/paging.ts";
import type { Queries } from "../storage-ports.ts";
import { everyPage } from "./every-page.ts";

/** What each is to the user. */
const SIGN_INS = {
  LOGIN_SUCCEEDED: "signed_in",
  LOGIN_FAILED: "wrong_password",
  LOGIN_DELAYED: "slowed",
  LOGIN_REFUSED: "refused",
} as const satisfies Partial<Record<EventType, OwnSignIn["what"]>>;
const TYPES = ["LOGIN_SUCCEEDED", "LOGIN_FAILED", "LOGIN_DELAYED", "LOGIN_REFUSED"] as const;

type Asked = Readonly<{ limit: number; cursor: number | null }>;

/** Every sign-in to an account that was right, wrong or refused, at each door, the newest first. The cursor is an event's id. */
export function ownSignIns(
  queries: Pick<Queries, "events">,
  account: string,
  { limit, cursor }: Asked,
): Page<OwnSignIn> {
  const part = { account, most: limit + 1, order: "newest_first" as const, ...(cursor !== null && { before: cursor }) };
  const found = TYPES.flatMap((type) =>
    everyPage((one) => queries.events(one), { ...part, type }).items.map((event) => ({ event, what: SIGN_INS[type] })),
  )
    .filter(({ event }) => event.account?.toLowerCase() === account)
    .toSorted((one, other) => other.event.id - one.event.id);
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(({ event, what }) => itemOf(event, what)),
    next: last === undefined || found.length <= limit ? null : String(last.event.id),
  };
}

function itemOf({ at, ip, service }: EventItem, what: OwnSignIn["what"]): OwnSignIn {
  return { at, ip, service, isRight: what === "signed_in", what };
}
