import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { parsePrefix } from "../../src/core/net/ip.ts";
import { instant, later, type Millis } from "../../src/core/time.ts";
import type { Figures } from "../../src/engine/figures.ts";
import type { EventFilter, EventPage, Queries } from "../../src/engine/storage-ports.ts";
import { secretDigest } from "../../src/servers/api/dashboard-sessions.ts";
import type { ApiParts, CommandOf, GuardPort, Unreachable } from "../../src/servers/api/ports.ts";
import { StoreDown } from "../../src/servers/api/ports.ts";
import { ApiServer } from "../../src/servers/api/server.ts";
import type { Command, Reply, Verb } from "../../src/wire/control/control.ts";
import type { BanItem, EventItem, Health } from "../../src/wire/control/items.ts";
import type { Page } from "../../src/wire/control/paging.ts";
import { eventItem } from "./samples.ts";

/** For the tests of the API: the real server on a real socket, with hand-written fakes behind its ports. */

/** Taken before a test mocks it. */
const realSetTimeout = setTimeout;

export const PASSWORD = "correct horse battery";
export const TOKEN = "gi_0123456789abcdef0123456789abcdef";
export const T0 = instant(Date.UTC(2026, 10, 20, 7));

export const BAN: BanItem = {
  ip: "203.0.113.7",
  prefix: "203.0.113.7/32",
  level: "light",
  code: "login_failures",
  reason: "Too many different wrong passwords: 5 within 10m, limit 5",
  source: "engine",
  createdAt: "2026-11-20T06:50:00.000Z",
  expiresAt: "2026-11-20T07:20:00.000Z",
  offences: 1,
};

export const HEALTH: Health = {
  status: "ok",
  components: [
    { name: "guard", status: "ok", detail: "deciding, secret detail" },
    { name: "postfix", status: "ok", detail: "running, pid 7" },
  ],
  notices: [],
  uptimeSeconds: 5,
};

/** Answers as the guard would, remembers what it was asked, and throws at a verb the test did not expect. */
export class FakeGuard implements GuardPort {
  readonly asked: { readonly by: string; readonly command: Command }[] = [];
  readonly replies = new Map<Verb, Reply>([
    ["health", { ok: true, result: HEALTH }],
    ["protection", { ok: true, result: { prefix: "203.0.113.7/32", reason: null } }],
    ["dashboard_ask", { ok: true, result: { verdict: "pass" } }],
    ["admin_seen", { ok: true, result: { done: true } }],
    ["dashboard_login", { ok: true, result: { verdict: "pass" } }],
  ]);
  /** From where administrators were seen; no command of theirs. */
  readonly administrators: string[] = [];
  isDown = false;

  ask<V extends Verb>(by: string, command: CommandOf<V>): Promise<Reply<V> | Unreachable> {
    if (this.isDown) return Promise.resolve({ ok: false, kind: "unreachable", message: "no socket" });
    if ("ip" in command && command.verb === "admin_seen") this.administrators.push(command.ip);
    else this.asked.push({ by, command });
    const reply = this.replies.get(command.verb) ?? assert.fail(`the guard was asked to ${command.verb}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `replies` holds each verb's own
    return Promise.resolve(reply as Reply<V>);
  }

  of(verb: Verb): readonly Command[] {
    return this.asked.map(({ command }) => command).filter((command) => command.verb === verb);
  }
}

/** Rows in memory, filtered naively. */
export class FakeQueries implements Queries {
  readonly rows: EventItem[] = [];

  add(type: string, ip: string | null = "203.0.113.7", details = "row\n<b>"): void {
    const id = this.rows.length + 1;
    const at = new Date(T0 + id).toISOString();
    this.rows.push({ ...eventItem(type), id, at, ip, details, action: "none" });
  }

  bans(): Page<BanItem> {
    return { items: [BAN], next: null };
  }

  events({ after = 0, before = Number.POSITIVE_INFINITY, prefix, type, most, order }: EventFilter): EventPage {
    const inOrder = order === "oldest_first" ? this.rows : this.rows.toReversed();
    const items = inOrder
      .filter((row) => row.id > after && row.id < before)
      .filter((row) => (type ?? row.type) === row.type)
      .filter((row) => prefix === undefined || (row.ip !== null && parsePrefix(row.ip) === prefix))
      .slice(0, most);
    return { items, next: items.length === most ? (items.at(-1)?.id ?? null) : null };
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
    bansInForce: () => ({ engine: 1, fail2ban: 0, manual: 0 }),
    topIps: () => [{ ip: "203.0.113.7", mails: 1, connections: 2, rejected: 3 }],
    counts: () => ({ CONNECT: 3 }),
    recorded: () => ({ CONNECT: 4 }),
  };
}

export type Kit = Readonly<{
  url: string;
  port: number;
  guard: FakeGuard;
  queries: FakeQueries;
  problems: unknown[];
  parts: ApiParts;
  /** Moves the clock of the API; the sockets' time-outs are real. */
  advance: (byMs: number) => void;
  storeDown: (down: boolean) => void;
  setHash: (hash: string | null) => void;
  tell: () => void;
  subscribers: () => number;
  stop: () => Promise<void>;
}>;

export async function startKit(t: TestContext, settings: Partial<ApiParts["settings"]> = {}): Promise<Kit> {
  const guard = new FakeGuard();
  const queries = new FakeQueries();
  const problems: unknown[] = [];
  const listeners = new Set<() => void>();
  let now: Millis = T0;
  let isStoreDown = false;
  let hash: string | null = `hash of ${PASSWORD}`;
  const orDown = <T>(value: T): T => {
    if (isStoreDown) throw new StoreDown("no database");
    return value;
  };
  const parts: ApiParts = {
    guard,
    queries: () => orDown(queries),
    credentials: {
      adminHash: () => orDown(hash),
      tokenNamed: (digest) => orDown(digest === secretDigest(TOKEN) ? "ci" : null),
    },
    passwords: { verify: (of, password) => Promise.resolve(of === `hash of ${password}`), decoy: "hash of nothing" },
    news: {
      subscribe: (onNews) => {
        listeners.add(onNews);
        return () => listeners.delete(onNews);
      },
    },
    clock: { now: () => now },
    page: new Map([
      ["index.html", { type: "text/html; charset=utf-8", body: new TextEncoder().encode("<!doctype html>") }],
    ]),
    version: "0.0.0",
    settings: { trustedProxies: [], names: [], ipv6Prefix: 64, memoryMs: 1_000, ...settings },
    signInRefused: () => undefined,
    report: (problem) => problems.push(problem),
  };
  const server = new ApiServer(parts);
  const port = await server.listen("127.0.0.1", 0);
  t.after(() => server.stop());
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    guard,
    queries,
    problems,
    parts,
    advance: (byMs) => (now = later(now, byMs)),
    storeDown: (down) => (isStoreDown = down),
    setHash: (to) => (hash = to),
    tell: () => listeners.forEach((listener) => listener()),
    subscribers: () => listeners.size,
    stop: () => server.stop(),
  };
}

export const bearer = { authorization: `Bearer ${TOKEN}` } as const;

/** Signs in and returns the cookie's pair. */
export async function signIn(kit: Kit): Promise<string> {
  const response = await fetch(`${kit.url}/api/v1/login`, {
    method: "POST",
    body: JSON.stringify({ password: PASSWORD }),
  });
  assert.equal(response.status, 200);
  return response.headers.get("set-cookie")?.split(";")[0] ?? assert.fail("no cookie");
}

/** Waits for a condition, looked at every `everyMs`, for at most ten seconds. */
export async function until(holds: () => boolean | Promise<boolean>, everyMs = 5): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) assert.fail(`it never came true: ${holds.toString()}`);
    await new Promise((resolve) => realSetTimeout(resolve, everyMs));
  }
}
