import type { Problem, Routes } from "./api.js";

/** A client of GhostInbox's HTTP API for Node 20 or newer and browsers. It needs no package. */

/** A route, such as `GET /api/v1/bans`. */
export type Route = keyof Routes;
/** What a route takes: the `params` of its path, the `query` behind it, its `body`, and a `key` if the server respects one there (`Idempotency-Key`). */
export type Asked<R extends Route> = Omit<Routes[R], "answer"> & { readonly signal?: AbortSignal | undefined };
export type Answer<R extends Route> = Routes[R]["answer"];
export type Paged = { [R in Route]: Answer<R> extends Page ? R : never }[Route];
export type Item<R extends Paged> = Answer<R> extends { readonly items: readonly (infer I)[] } ? I : never;

type Page = { readonly items: readonly unknown[]; readonly next: string | null };
/** Optional if none of its fields is required. */
type Arguments<R extends Route> = Partial<Asked<R>> extends Asked<R> ? [asked?: Asked<R>] : [asked: Asked<R>];
type Value = string | number | boolean;
type Query = Readonly<Record<string, Value | readonly Value[] | undefined>>;
type AnyAsked = {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Query | undefined;
  readonly body?: unknown;
  readonly key?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};
type Options = {
  /** Where the dashboard is, such as `http://127.0.0.1:3000`; in a page of the server itself it may be `.`. */
  readonly url: string;
  /** Of `ghostinbox token create`. Without one, a browser's session counts. */
  readonly token?: string | undefined;
};

/** The server, or a proxy in front of it, refused the request. `message` is its explanation. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  /** Null if the answer did not come from GhostInbox. */
  readonly problem: Problem | null;
  /** After how many seconds a new try may help; null: the server does not say, or a proxy names a date. */
  readonly retryAfterSeconds: number | null;

  constructor(response: Response, problem: Problem | null) {
    super(problem === null ? `The answer is ${response.status}.` : `${problem.detail} ${problem.next}`.trim());
    this.status = response.status;
    this.problem = problem;
    const after = response.headers.get("retry-after") ?? "";
    this.retryAfterSeconds = /^\d+$/.test(after) ? Number(after) : null;
  }
}

export class GhostInbox {
  readonly #url: string;
  readonly #token: string | undefined;

  constructor({ url, token }: Options) {
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
  }

  /**
   * Sends one request. The answer is what `Routes` says: text for `/metrics`, the body as it comes for a stream, an object for
   * all others. Rejects with `Refused`, or with what `fetch` throws if the server cannot be reached.
   */
  request<R extends Route>(route: R, ...asked: Arguments<R>): Promise<Answer<R>>;
  async request(route: string, { params = {}, query = {}, body, key, signal }: AnyAsked = {}): Promise<unknown> {
    const [method = "", path = ""] = route.split(" ");
    const response = await fetch(`${this.#url}${filled(path, params)}${written(query)}`, {
      method,
      headers: {
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(key !== undefined && { "idempotency-key": JSON.stringify(key) }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
    const type = response.headers.get("content-type") ?? "";
    if (type === "application/problem+json") throw new Refused(response, problemIn(await response.json()));
    if (response.status === 204) return undefined;
    const isJson = type.startsWith("application/json");
    // The health routes answer 503 if something is down; elsewhere, a proxy's error may be JSON too.
    if (isJson && (response.ok || path.startsWith("/healthz"))) return response.json();
    if (!response.ok) throw new Refused(response, null);
    return type === "text/event-stream" ? response.body : response.text();
  }

  items<R extends Paged>(route: R, ...asked: Arguments<R>): AsyncGenerator<Item<R>, void>;
  async *items(route: Paged, asked: AnyAsked = {}): AsyncGenerator<unknown, void> {
    for (let query = asked.query; ; ) {
      const page: Page = await this.request(route, { ...asked, query });
      yield* page.items;
      if (page.next === null) return;
      query = { ...query, cursor: page.next };
    }
  }
}

function filled(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

function written(query: Query): string {
  const fields = new URLSearchParams();
  for (const [name, value = []] of Object.entries(query))
    for (const one of [value].flat()) fields.append(name, String(one));
  const text = fields.toString();
  return text === "" ? "" : `?${text}`;
}

function problemIn(body: unknown): Problem | null {
  return isProblem(body) ? body : null;
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body && "next" in body;
}
