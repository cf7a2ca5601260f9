import { signal } from "@preact/signals";
import type { Routes } from "../clients/typescript/api.ts";
import { type Language, language, t } from "./messages.ts";

/** The server refused the request; the message is its explanation. Status 0: it could not be reached. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  /** The problem's code (src/surfaces/api/problem.ts), such as `proof_needed`; empty if the message is the page's own. */
  readonly code: string;
  constructor(status: number, message: string, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Smaller differences of the clocks are the network's delay, and the part of a second that the header `Date` omits. */
const CLOCK_TOLERANCE_MS = 2_000;

/** How far the server's clock is ahead of the browser's (ms), because the server's times are judged by its own clock. */
export const clockOffsetMs = signal(0);

/** `now`: the server's time. Anything but a date is ignored. */
export function setClock(now: string): void {
  const ahead = Date.parse(now) - Date.now();
  if (Math.abs(ahead - clockOffsetMs.peek()) > CLOCK_TOLERANCE_MS) clockOffsetMs.value = ahead;
}

/** The server itself gives up earlier. */
const REQUEST_TIMEOUT_MS = 30_000;

/** As `src/admin` declares it, such as `GET /accounts/{name}`. */
export type Route = Short<keyof Routes>;
type Short<R extends string> = R extends `${infer Method} /api/v1${infer Path}` ? `${Method} ${Path}` : never;
type Described<R extends Route> = R extends `${infer Method} ${infer Path}`
  ? Routes[Extract<`${Method} /api/v1${Path}`, keyof Routes>]
  : never;
export type Answer<R extends Route> = Described<R>["answer"];
/** One of the items that the route lists. */
export type ItemOf<R extends Route> = Answer<R> extends { readonly items: readonly (infer I)[] } ? I : never;
/** What the route takes: `params` of its path, `query` and `body`. Empty fields of the query are not sent. */
export type RequestOf<R extends Route> = Parts<Described<R>>;
type Parts<D> = { [K in keyof D as Exclude<K, "answer" | "key">]: K extends "query" ? OrNull<D[K]> : D[K] };
type OrNull<Q> = { [F in keyof Q]: Q[F] | null };
/** Routes that need no parameter and no body. */
type PlainRoute = { [R in Route]: Partial<RequestOf<R>> extends RequestOf<R> ? R : never }[Route];

type AnyRequest = {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Query | undefined;
  readonly body?: unknown;
};
type Query = Readonly<Record<string, string | number | readonly string[] | null | undefined>>;

/** `?type=BAN&limit=50`, without empty values. */
export function queryOf(fields: Query): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const one of [value ?? ""].flat()) if (one !== "") query.append(name, String(one));
  return query.size === 0 ? "" : `?${query}`;
}

/** Relative to the API. A network's slash stays, because some proxies refuse an escaped one. Elsewhere it would end the parameter. */
export function pathOf(route: string, { params = {}, query = {} }: AnyRequest = {}): string {
  const escaped = (name: string): string => {
    const value = encodeURIComponent(params[name] ?? "");
    return name === "ip" || name === "network" ? value.replace("%2F", "/") : value;
  };
  const path = route.replace(/^\w+ \//, "").replace(/\{(\w+)\}/g, (_, name: string) => escaped(name));
  return `${path}${queryOf(query)}`;
}

/** Sends one request. The path is relative to the page, which may lie below a path of a proxy. Throws `RequestError`. */
export function request<R extends PlainRoute>(route: R): Promise<Answer<R>>;
export function request<R extends Route>(route: R, asked: RequestOf<R>, timeoutMs?: number): Promise<Answer<R>>;
export async function request(
  route: string,
  asked: AnyRequest = {},
  timeoutMs: number = REQUEST_TIMEOUT_MS,
): Promise<unknown> {
  const [method = ""] = route.split(" ");
  const { body: sent = method === "POST" ? {} : undefined } = asked;
  const path = pathOf(route, asked);
  const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(sent) };
  const init = { method, ...(sent !== undefined && json) };
  const signal = AbortSignal.timeout(timeoutMs);
  const { response, body } = await fetch(`api/v1/${path}`, { ...init, signal })
    .then(async (answer) => ({ response: answer, body: parsed(await answer.text(), answer.ok) }))
    .catch(() => {
      throw new RequestError(0, method === "GET" ? t.live.unreachable : t.live.unanswered);
    });
  // My mailbox has no stream to report the server's time.
  if (response.ok && path.startsWith("me/")) setClock(response.headers.get("date") ?? "");
  // Not checked here: the server's tests hold its answers to the route's schema.
  if (response.ok) return body;
  const { detail, next = "", code }: Problem = body ?? {};
  const advice = FOR_PROGRAMS.test(next) ? "" : next;
  const sentence = detail === undefined ? t.live.answered(response.status) : `${detail} ${advice}`.trimEnd();
  throw new RequestError(response.status, sentence, code);
}

type Problem = Readonly<{ detail?: string; next?: string; code?: string }>;

/** Advice for programs (src/surfaces/api/problem.ts), which does not help a reader of the page. */
const FOR_PROGRAMS = /`(?:\/openapi\.json|detail|Retry-After)`/;

/** A proxy in between may answer with a page. Throws if that looks like success. */
function parsed(text: string, isOk: boolean): unknown {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch (error) {
    if (isOk) throw error;
    return null;
  }
}

/** Why something failed, and the language of the text. */
export type Failure = Readonly<{ text: string; lang: Language }>;

/** Errors of the page have its language. The server's messages are English, unless the page has a sentence for the code. */
export function failureOf(error: unknown, page = { problems: t.problems, lang: language }): Failure {
  const { problems, lang } = page;
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof RequestError) || error.code === "") return { text, lang };
  const own = problems[error.code];
  return own === undefined ? { text, lang: "en" } : { text: own, lang };
}

/** What was loaded last, and for which question. `error`: why the last request failed. */
export type Load<T> = Readonly<{ data: T | null; error: Failure | null; asked: string }>;

export const NOTHING_LOADED: Load<never> = { data: null, error: null, asked: "" };

/** Whether the shown data answers the current question. Until it does, the reader cannot act on it. */
export function isOf({ data, asked }: Load<unknown>, wanted: string): boolean {
  return data !== null && asked === wanted;
}

/** Keeps the shown data only if it answers the same question, because readers would mistake another answer for this one's. */
export function afterFailure<T>(last: Load<T>, asked: string, error: Failure): Load<T> {
  return { data: last.asked === asked ? last.data : null, error, asked };
}
