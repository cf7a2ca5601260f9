import { signal } from "@preact/signals";
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

/** Paths are relative to the page, which may lie below a path of a proxy. Throws `RequestError`. */
export async function get<T>(path: string, timeoutMs?: number): Promise<T> {
  return send<T>(path, { method: "GET" }, timeoutMs);
}

export async function post<T>(path: string, body: unknown, method = "POST"): Promise<T> {
  const headers = { "content-type": "application/json" };
  return send<T>(path, { method, headers, body: JSON.stringify(body) });
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  return post(path, body, "PUT");
}

export async function remove<T = unknown>(path: string): Promise<T> {
  return send<T>(path, { method: "DELETE" });
}

/** `?type=BAN&limit=50`, without empty values. */
export function queryOf(fields: Readonly<Record<string, string | number | null | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if ((value ?? "") !== "") query.set(name, String(value));
  return query.size === 0 ? "" : `?${query}`;
}

async function send<T>(path: string, init: RequestInit, timeoutMs: number = REQUEST_TIMEOUT_MS): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { response, body } = await fetch(`api/v1/${path}`, { ...init, signal })
    .then(async (answer) => ({ response: answer, body: parsed(await answer.text(), answer.ok) }))
    .catch(() => {
      throw new RequestError(0, init.method === "GET" ? t.live.unreachable : t.live.unanswered);
    });
  // My mailbox has no stream to report the server's time.
  if (response.ok && path.startsWith("me/")) setClock(response.headers.get("date") ?? "");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- taken on trust: the server's tests hold its answers to the route's schema
  if (response.ok) return body as T;
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
