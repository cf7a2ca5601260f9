import { t } from "./messages.ts";

/** The server said no; the message is its sentence. Status 0: it could not be reached. */
export class Refused extends Error {
  readonly status: number;
  /** That of the problem (src/servers/api/problem.ts), such as `proof_needed`; empty: the message is the page's own. */
  readonly code: string;
  constructor(status: number, message: string, code = "") {
    super(message);
    this.name = "Refused";
    this.status = status;
    this.code = code;
  }
}

/** The server itself gives up on an answer earlier. */
const LONGEST_MS = 30_000;

/** Paths are relative to the page, which may lie below a path of a proxy. Throws `Refused`. */
export async function get<T>(path: string, longestMs: number = LONGEST_MS): Promise<T> {
  return answerOf<T>(await send(path, { method: "GET", signal: AbortSignal.timeout(longestMs) }));
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  return answerOf<T>(await send(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  return answerOf<T>(await send(path, { method: "PUT", headers, body: JSON.stringify(body) }));
}

export async function remove<T = unknown>(path: string): Promise<T> {
  return answerOf<T>(await send(path, { method: "DELETE" }));
}

/** `?type=BAN&limit=50`, without what is empty. */
export function queryOf(fields: Readonly<Record<string, string | number | null | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  return query.size === 0 ? "" : `?${query}`;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`api/v1/${path}`, init);
  } catch {
    throw new Refused(0, t.peek().live.unreachable);
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  const body = parsed(text);
  if (!response.ok) {
    const sentence = sentenceOf(body) ?? t.peek().live.answered(response.status);
    throw new Refused(response.status, sentence, codeOf(body));
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests of the server hold its answers to T
  return body as T;
}

/** A proxy in between may answer with a page. */
function parsed(text: string): unknown {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

function sentenceOf(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("detail" in body)) return null;
  const next = "next" in body ? ` ${String(body.next)}` : "";
  return `${String(body.detail)}${next}`;
}

function codeOf(body: unknown): string {
  return typeof body === "object" && body !== null && "code" in body ? String(body.code) : "";
}
