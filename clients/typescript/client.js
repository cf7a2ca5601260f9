// Made from client.ts by test/house/api-client.test.ts: change nothing here.
class Refused extends Error {
  name = "Refused";
  status;
  /** Null if the answer did not come from GhostInbox. */
  problem;
  /** After how many seconds a new try may help; null: the server does not say, or a proxy names a date. */
  retryAfterSeconds;
  constructor(response, problem) {
    super(problem === null ? `The answer is ${response.status}.` : `${problem.detail} ${problem.next}`.trim());
    this.status = response.status;
    this.problem = problem;
    const after = response.headers.get("retry-after") ?? "";
    this.retryAfterSeconds = /^\d+$/.test(after) ? Number(after) : null;
  }
}
class GhostInbox {
  #url;
  #token;
  constructor({ url, token }) {
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
  }
  async request(route, { params = {}, query = {}, body, key, signal } = {}) {
    const [method = "", path = ""] = route.split(" ");
    const response = await fetch(`${this.#url}${filled(path, params)}${written(query)}`, {
      method,
      headers: {
        ...(this.#token !== void 0 && { authorization: `Bearer ${this.#token}` }),
        ...(body !== void 0 && { "content-type": "application/json" }),
        ...(key !== void 0 && { "idempotency-key": JSON.stringify(key) }),
      },
      ...(body !== void 0 && { body: JSON.stringify(body) }),
      ...(signal !== void 0 && { signal }),
    });
    const type = response.headers.get("content-type") ?? "";
    if (type === "application/problem+json") throw new Refused(response, problemIn(await response.json()));
    if (response.status === 204) return void 0;
    const isJson = type.startsWith("application/json");
    if (isJson && (response.ok || path.startsWith("/healthz"))) return response.json();
    if (!response.ok) throw new Refused(response, null);
    return type === "text/event-stream" ? response.body : response.text();
  }
  async *items(route, asked = {}) {
    for (let query = asked.query; ; ) {
      const page = await this.request(route, { ...asked, query });
      yield* page.items;
      if (page.next === null) return;
      query = { ...query, cursor: page.next };
    }
  }
}
function filled(path, params) {
  return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name] ?? ""));
}
function written(query) {
  const fields = new URLSearchParams();
  for (const [name, value = []] of Object.entries(query))
    for (const one of [value].flat()) fields.append(name, String(one));
  const text = fields.toString();
  return text === "" ? "" : `?${text}`;
}
function problemIn(body) {
  return isProblem(body) ? body : null;
}
function isProblem(body) {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body && "next" in body;
}

export { GhostInbox, Refused };
