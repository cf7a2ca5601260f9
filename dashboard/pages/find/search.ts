import type { AccountAnswer, AddressAnswer, EventItem, MessageReport } from "../../../src/admin/declare/items.ts";
import { RequestError, request } from "../../api.ts";

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;
const IPV6 = /^(?=.*:.*:)[\da-f:.]+(\/\d{1,3})?$/i;
/** Postfix's queue ids, with or without `enable_long_queue_ids` (postconf(5)). */
const QUEUE_ID = /^([0-9A-F]{5,21}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,23})$/;

/** The server accepts no shorter text as the id of a mail. */
const MESSAGE_CHARACTERS = 3;
/** The longest text that the server searches events for. */
const TEXT_CHARACTERS = 200;
const MOST_EVENTS = 20;

/** What a reader who typed this is looking for. A network counts as an address. An account need not contain an @. */
export function kindOf(asked: string): "address" | "account" | "message" {
  if (IPV4.test(asked) || IPV6.test(asked)) return "address";
  if (asked.startsWith("<") || QUEUE_ID.test(asked)) return "message";
  return "account";
}

export type SearchResult =
  | Readonly<{ kind: "address"; asked: string; report: AddressAnswer }>
  | Readonly<{ kind: "account"; report: AccountAnswer }>
  | Readonly<{ kind: "message"; report: MessageReport }>
  /** A sender, a domain or a recipient: events that name it. */
  | Readonly<{ kind: "events"; asked: string; items: readonly EventItem[] }>;

/**
 * Finds what is known about the text. A Message-ID without its brackets looks like an account, and an account such as 12345 looks like a
 * queue id: if nothing is known about one, or the server does not accept it, the text is looked up as the other. Throws `RequestError`.
 */
export async function search(asked: string): Promise<SearchResult> {
  const kind = kindOf(asked);
  if (kind === "address") return { kind, asked, report: await request("GET /why/{ip}", { params: { ip: asked } }) };
  const [one, other] = kind === "account" ? [ofAccount, ofMessage] : [ofMessage, ofAccount];
  if (asked.startsWith("<") || asked.length < MESSAGE_CHARACTERS) return one(asked);
  const first = await one(asked).catch(notAccepted);
  if (first !== null && isKnown(first)) return first;
  const second = await other(asked).catch(notAccepted);
  if (second !== null && isKnown(second)) return second;
  const none = first ?? second ?? (await one(asked));
  if (asked.length > TEXT_CHARACTERS) return none;
  const { items, next } = await request("GET /events", { query: { text: asked, limit: MOST_EVENTS } });
  // A search of many events may end before it finds any; the page of events continues it.
  return items.length > 0 || next !== null ? { kind: "events", asked, items } : none;
}

function notAccepted(error: unknown): null {
  if (error instanceof RequestError && error.status === 400) return null;
  throw error;
}

async function ofAccount(name: string): Promise<SearchResult> {
  return { kind: "account", report: await request("GET /why/account/{account}", { params: { account: name } }) };
}

async function ofMessage(id: string): Promise<SearchResult> {
  return { kind: "message", report: await request("GET /why/message/{message}", { params: { message: id } }) };
}

function isKnown(answer: SearchResult): boolean {
  if (answer.kind === "events") return true;
  return answer.report.timeline.length > 0 || (answer.kind === "account" && (answer.report.state ?? null) !== null);
}
