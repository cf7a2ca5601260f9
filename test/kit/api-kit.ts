import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { BanItem } from "../../src/admin/bans.ts";
import type { EventItem } from "../../src/admin/declare/items.ts";
import type { Page } from "../../src/admin/declare/paging.ts";
import { parsePrefix } from "../../src/core/net/ip.ts";
import { instant, later, type Millis } from "../../src/core/time.ts";
import { answerQuestion } from "../../src/guard/explain/questions.ts";
import type { Figures } from "../../src/guard/figures.ts";
import type { BanChanges } from "../../src/guard/network-ports.ts";
import type { EventFilter, EventPage, Queries } from "../../src/guard/storage-ports.ts";
import { type ApiParts, StoreDown } from "../../src/surfaces/api/ports.ts";
import type { Route } from "../../src/surfaces/api/route.ts";
import { createSharedParts } from "../../src/surfaces/api/router.ts";
import { routes } from "../../src/surfaces/api/routes.ts";
import { createApiServer } from "../../src/surfaces/api/server.ts";
import { FakeGuard, PASSWORD, TOKEN } from "./fake-guard.ts";
import { beforeEachOf } from "./hooks.ts";
import { banItem, eventItem } from "./samples.ts";

/** For the tests of the API: the real server on a real socket, with hand-written fakes behind its ports. */

export const T0 = instant(Date.UTC(2026, 10, 20, 7));

export const BAN = banItem();

/** Rows in memory, filtered naively. */
export class FakeQueries implements Queries {
  readonly rows: EventItem[] = [];
  /** Bans that started, as items, and bans that ended, as text. */
  readonly steps: (BanItem | string)[] = [];
  epoch = "first";

  add(type: string, ip: string | null = "203.0.113.7", details = "row\n<b>"): void {
    const id = this.rows.length + 1;
    const at = new Date(T0 + id).toISOString();
    this.rows.push({ ...eventItem(type), id, at, ip, details, action: "none" });
  }

  bans(): Page<BanItem> {
    return { items: [BAN], next: null };
  }

  events({ after = 0, before = Number.POSITIVE_INFINITY, prefix, most, order, ...asked }: EventFilter): EventPage {
    const { types = [] } = asked;
    const inOrder = order === "oldest_first" ? this.rows : this.rows.toReversed();
    const items = inOrder
      .filter((row) => row.id > after && row.id < before)
      .filter((row) => (types.length === 0 || types.includes(row.type)) && row.details.includes(asked.text ?? ""))
      .filter((row) => Date.parse(row.at) >= (asked.from ?? 0) && Date.parse(row.at) <= (asked.to ?? Infinity))
      .filter((row) => prefix === undefined || (row.ip !== null && parsePrefix(row.ip) === prefix))
      .slice(0, most);
    const last = items.length === most ? items.at(-1) : undefined;
    return last === undefined
      ? { items, next: null }
      : { items, next: last.id, searchedTo: instant(Date.parse(last.at)) };
  }

  banChanges(after: number | null, most: number): BanChanges {
    const steps = after === null ? [] : this.steps.slice(after, after + most);
    const upto = after === null ? this.steps.length : after + steps.length;
    return {
      added: steps.filter((step) => typeof step !== "string"),
      removed: steps.filter((step) => typeof step === "string"),
      upto,
      isAll: upto === this.steps.length,
    };
  }

  spamScores(ids: readonly number[]) {
    return new Map(ids.map((id) => [id, { score: id + 0.5, required: 5 }]));
  }

  name(): string {
    return this.epoch;
  }

  address() {
    return {
      ban: BAN,
      pastBans: [],
      offencesInMemory: 1,
      allowed: null,
      knownAccounts: [],
      totals: { pastBans: 0, knownAccounts: 0 },
      events: this.rows,
    };
  }

  readonly figures: Figures = {
    banCounts: () => ({ engine: 1, fail2ban: 0, manual: 0 }),
    topIps: () => [{ ip: "203.0.113.7", mails: 1, connections: 2, rejected: 3 }],
    top: () => [{ ip: "203.0.113.7", count: 3 }],
    totals: (at) => (at === null ? { CONNECT: 4 } : { CONNECT: 1 }),
    totalsAt: () => [{ CONNECT: 1 }, { CONNECT: 3 }, { CONNECT: 4, EMAIL_ACCEPTED: 2, sent: 1 }],
  };
}

type Sent = Readonly<{ status: number; answer: unknown }>;

type HeaderFields = Readonly<Record<string, string>>;

export type Kit = Awaited<ReturnType<typeof startKit>>;

export async function startKit(t: TestContext, settings: Partial<ApiParts["settings"]> = {}) {
  const guard = new FakeGuard();
  const queries = new FakeQueries();
  const problems: unknown[] = [];
  const listeners = new Set<() => void>();
  let now: Millis = T0;
  let isStoreDown = false;
  const orDown = <T>(value: T): T => {
    if (isStoreDown) throw new StoreDown("no database");
    return value;
  };
  const parts: ApiParts = {
    guard,
    queries: () => orDown(queries),
    lookups: {
      ask: (question, ...asked) => Promise.resolve().then(() => orDown(answerQuestion(queries, question, asked))),
    },
    trials: { decide: () => Promise.resolve({ outcome: "busy" }) },
    passwords: {
      judge: (asked) => Promise.resolve(judged(asked)),
      judgeSome: (asked) => Promise.resolve(asked.map(judged)),
    },
    localClients: { isHere: (ip) => ip === "127.0.0.1", userOf: () => Promise.resolve("www-data") },
    news: {
      subscribe: (onNews) => {
        listeners.add(onNews);
        return () => listeners.delete(onNews);
      },
    },
    clock: { now: () => now },
    page: new Map([
      ["index.html", { type: "text/html; charset=utf-8", body: new TextEncoder().encode("<!doctype html>") }],
      ["programs/app-KNOWN.js", { type: "text/javascript", body: new TextEncoder().encode("export {}") }],
    ]),
    settings: { trustedProxies: [], proxyUsers: ["www-data"], names: [], ipv6Prefix: 64, memoryMs: 1_000, ...settings },
    signInRefused: () => undefined,
    report: (problem) => problems.push(problem),
  };
  const notify = (): void => listeners.forEach((listener) => listener());
  const server = createApiServer(parts);
  const port = await server.listen("127.0.0.1", 0);
  t.after(() => server.stop());
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    guard,
    queries,
    problems,
    parts,
    /** Asks for a path below `/api/v1/`, with the token `ci` unless the headers name another. */
    send: async (method: string, path: string, body?: unknown, headers: HeaderFields = bearer): Promise<Sent> => {
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${url}/api/v1/${path}`, { method, headers, ...content });
      return { status: response.status, answer: await response.json() };
    },
    /** Moves the clock of the API; the sockets' time-outs are real. */
    advance: (byMs: number) => (now = later(now, byMs)),
    storeDown: (down: boolean) => (isStoreDown = down),
    notify,
    /** Adds an event, and notifies the listeners. */
    commit: (...event: Parameters<typeof queries.add>): void => {
      queries.add(...event);
      notify();
    },
    subscribers: () => listeners.size,
    stop: () => server.stop(),
  };
}

/** The same, new for each test of `file`. */
export function apiKitOf(file: string): Kit {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- filled before each test
  const kit = {} as Kit;
  beforeEachOf(file, async (t) => Object.assign(kit, await startKit(t)));
  return kit;
}

/** Every route of the API. */
export const tableOf = ({ parts }: Kit): readonly Route[] => routes(createSharedParts(parts));

/** Asks for a path with the token `ci`: by GET, or with a body by POST. */
export function ask({ url }: Kit, path: string, body?: unknown): Promise<Response> {
  if (body === undefined) return fetch(`${url}${path}`, { headers: bearer });
  return fetch(`${url}${path}`, { method: "POST", headers: bearer, body: JSON.stringify(body) });
}

export type OpenStream = Awaited<ReturnType<typeof openStream>>;

/** A stream of the API as it is read. */
export async function openStream(t: TestContext, url: string, headers: HeaderFields = bearer) {
  const over = new AbortController();
  t.after(() => over.abort());
  const { status, body } = await fetch(url, { headers, signal: over.signal });
  const source = body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail("no body");
  let text = "";
  return {
    status,
    /** Reads until `find` finds something in the text so far, and returns it. */
    until: async <T>(find: (text: string) => T | null): Promise<T> => {
      for (;;) {
        const found = find(text);
        if (found !== null) return found;
        const { done, value } = await source.read();
        if (done) assert.fail(`the stream ended after ${text}`);
        text += value;
      }
    },
    /** Resolves when the server ends the stream. */
    end: async (): Promise<void> => {
      while (!(await source.read()).done);
    },
    close: () => over.abort(),
  };
}

/** `count` consecutive ids, starting with `first`. */
export function idsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** The ids of the first `count` events of a stream, and of any that arrived together with them. */
export function idsOf(stream: OpenStream, count: number): Promise<readonly number[]> {
  return stream.until((text) => {
    const seen = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    return seen.length < count ? null : seen;
  });
}

export const bearer = { authorization: `Bearer ${TOKEN}` } as const;

/** Signs in and returns the cookie as `name=value`. `account`: the mailbox whose user signs in. */
export async function signIn(kit: Kit, account?: string): Promise<string> {
  const response = await fetch(`${kit.url}/api/v1/login`, {
    method: "POST",
    body: JSON.stringify({ account, password: PASSWORD }),
  });
  assert.equal(response.status, 200);
  return response.headers.get("set-cookie")?.split(";")[0] ?? assert.fail("no cookie");
}

function judged({ password }: Readonly<{ password: string }>): string | null {
  return password === "weak" ? "It is weak." : null;
}
