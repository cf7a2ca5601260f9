import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { bearer, signIn, startKit } from "../../../test/kit/api-kit.ts";
import { tokenNamed } from "../../../test/kit/fake-guard.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import { until } from "../../../test/kit/until.ts";
import { instant, later } from "../../core/time.ts";
import type { Caller } from "./access.ts";
import { API_LIMITS } from "./limits.ts";
import { createConnectionShares, createRates, createReadShares, createTurns } from "./shares.ts";

const PATIENCE_MS = 5_000;

/** A server with few places. `/wait` is answered by hand; the header X names the client where the proxy is trusted. */
async function serving(t: TestContext, limits: { connections: number; connectionsAnAddress: number }, isProxy = false) {
  const trustedProxies = isProxy ? [net("127.0.0.0/8")] : [];
  const shares = createConnectionShares(limits, { ipv6Prefix: 64, trustedProxies });
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.socket.destroyed) return;
    const client = ip(String(request.headers["x"] ?? "127.0.0.1"));
    if (!shares.isWithin(request.socket, client)) return void response.writeHead(503).end();
    if (request.url === "/wait") return void waiting.push(response);
    response.writeHead(204).end();
  });
  shares.watch(server);
  const port = await listenOnPort(server);
  t.after(() => server.closeAllConnections());
  const open = async (sends = "", localAddress = "127.0.0.1"): Promise<Socket> => {
    const socket = connect({ port, host: "127.0.0.1", localAddress }).on("error", () => {});
    t.after(() => socket.destroy());
    await once(socket, "connect");
    socket.resume().write(sends);
    return socket;
  };
  const asks = async (x: string, path = "/"): Promise<string> => {
    const socket = await open(request(path, x));
    let text = "";
    const over = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    await once(socket, "close");
    clearTimeout(over);
    return text.split("\r\n")[0]?.slice(9, 12) ?? "";
  };
  return { open, asks, waiting };
}

function request(path: string, x: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nX: ${x}\r\nConnection: close\r\n\r\n`;
}

test("a request before the last answer closes the connection, and is not handled", async (t) => {
  const { open, waiting } = await serving(t, { connections: 100, connectionsAnAddress: 3 });
  const kept = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
  await once(await open(kept.repeat(50)), "close");
  assert.equal(waiting.length, 1);
  const calm = await open(kept);
  for (let answered = 1; answered <= 2; answered++) {
    await until(() => waiting.length > answered);
    waiting[answered]?.writeHead(204).end();
    calm.write(kept);
  }
  await until(() => waiting.length === 4);
});

test("a client's abandoned requests count until they are done", async () => {
  const limits = { connections: 100, connectionsAnAddress: 2 };
  const shares = createConnectionShares(limits, { ipv6Prefix: 64, trustedProxies: [] });
  const { promise, resolve } = Promise.withResolvers<string>();
  const ask = (from: string) => shares.run(ip(from), () => promise);
  const running = [ask("2001:db8::1"), ask("2001:db8::2")];
  assert.equal(await ask("2001:db8::3"), "too_many");
  running.push(ask("2001:db8:0:1::1"));
  resolve("done");
  assert.deepEqual(await Promise.all(running), ["done", "done", "done"]);
  assert.equal(await ask("2001:db8::3"), "done");
});

test("a client's new connections replace its slow and idle ones, oldest first", async (t) => {
  const { open, asks } = await serving(t, { connections: 100, connectionsAnAddress: 3 });
  const held = [
    await open(),
    await open("GET / HT"),
    await open("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"),
  ];
  for (const [i, socket] of held.entries()) {
    assert.ok(!socket.destroyed);
    assert.equal(await asks("127.0.0.1"), "204", `${i}`);
    const next = await open();
    await until(() => socket.destroyed);
    held.push(next);
    if (i === 1) break;
  }
});

test("a connection that is being answered stays open; a client whose places are all busy is refused", async (t) => {
  const { open, asks, waiting } = await serving(t, { connections: 100, connectionsAnAddress: 2 });
  const held = [await open(request("/wait", "127.0.0.1")), await open(request("/wait", "127.0.0.1"))];
  await until(() => waiting.length === 2);
  assert.equal(await asks("127.0.0.1"), "", "closed");
  await once(await open(request("/", "127.0.0.2"), "127.0.0.2"), "close");
  for (const { destroyed } of held) assert.equal(destroyed, false);
  for (const response of waiting) response.end();
});

test("behind a trusted proxy slow connections leave room for others, and each client has its own share", async (t) => {
  const { open, asks, waiting } = await serving(t, { connections: 8, connectionsAnAddress: 2 }, true);
  // Opened at once, so that several arrive before the first is closed.
  const idle = await Promise.all(Array.from({ length: 60 }, (_, i) => open(i % 2 === 0 ? "" : "GET / HT")));
  await until(() => idle.filter(({ destroyed }) => !destroyed).length <= 8);
  assert.equal(await asks("203.0.113.1"), "204");
  for (let i = 0; i < 2; i++) await open(request("/wait", "203.0.113.9"));
  await until(() => waiting.length === 2);
  assert.equal(await asks("203.0.113.9"), "503", "its places are at work");
  assert.equal(await asks("203.0.113.1"), "204");
});

const NOW = instant(Date.UTC(2026, 10, 21));

test("each caller has its own limit of requests per minute, and sees how many are left", () => {
  const spend = createRates();
  const headers = { "ratelimit-policy": '"caller";q=12000;w=60', ratelimit: '"caller";r=11999;t=60' };
  assert.deepEqual(spend("token a", NOW), { isOver: false, resetSeconds: 60, headers });
  for (let i = 1; i < API_LIMITS.requests; i++) assert.equal(spend("token a", NOW).isOver, false);
  const over = spend("token a", later(NOW, 40_000));
  assert.deepEqual([over.isOver, over.resetSeconds, over.headers["ratelimit"]], [true, 20, '"caller";r=0;t=20']);
  assert.equal(spend("token b", NOW).isOver, false);
  assert.equal(spend("token a", later(NOW, API_LIMITS.requestsMs)).isOver, false);
});

test("setting the clock back locks no caller out", () => {
  const spend = createRates();
  for (let i = 0; i <= API_LIMITS.requests; i++) spend("token a", NOW);
  assert.equal(spend("token a", later(NOW, -1)).isOver, false);
});

test("tasks run at once up to the limit, the others follow in order, and a failure frees its place", async () => {
  const turns = createTurns(2, 60_000);
  const started: number[] = [];
  const works = [0, 1, 2, 3].map(() => Promise.withResolvers<number>());
  const results = works.map(({ promise }, n) =>
    turns(() => {
      started.push(n);
      return promise;
    }),
  );
  await setImmediate();
  assert.deepEqual(started, [0, 1]);
  works[1]?.reject(new Error("broken"));
  await assert.rejects(async () => results[1], /broken/);
  works[2]?.resolve(2);
  assert.equal(await results[2], 2);
  works[0]?.resolve(0);
  works[3]?.resolve(3);
  assert.deepEqual([await results[0], await results[3]], [0, 3]);
  assert.deepEqual(started, [0, 1, 2, 3]);
});

test("a caller that waits too long does not run, and takes no place", async () => {
  const turns = createTurns(1, 1);
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = turns(() => promise);
  assert.equal(await turns(() => assert.fail("not its turn")), "no_turn");
  resolve("done");
  assert.equal(await first, "done");
  assert.equal(await turns(() => Promise.resolve("next")), "next");
});

const A = { ...tokenNamed("a", ["read"]), secret: "a" };

/** A session of the user of a mailbox. */
function userOf(account: string, session = "1"): Caller {
  return { how: "session", name: account, role: "mailbox", account, scopes: [], freshUntil: null, session, secret: "" };
}

test("a failed read makes room for the next", async () => {
  const run = createReadShares();
  const failing = (): Promise<never> => Promise.reject(new Error("no"));
  for (let i = 0; i <= API_LIMITS.readsOfOne; i++) await assert.rejects(run(A, failing), /no/);
});

test("a token may read several times at once, the owner's page has its own share, and each answer makes room", async (t) => {
  const kit = await startKit(t);
  const cookie = await signIn(kit);
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const usual = { ...kit.parts.lookups };
  const slow: typeof usual.ask = async (...question) => {
    asked += 1;
    if (asked <= API_LIMITS.readsOfOne) await promise;
    return usual.ask(...question);
  };
  t.mock.method(kit.parts.lookups, "ask", slow);
  const read = async (headers: Readonly<Record<string, string>>) => {
    const response = await fetch(`${kit.url}/api/v1/events`, { headers });
    if (response.status !== 200) assert.match(await response.text(), /Too many requests of this session or token /);
    return response.status;
  };
  const all = Array.from({ length: API_LIMITS.readsOfOne + 1 }, () => read(bearer));
  assert.equal(await Promise.race(all), 503);
  assert.equal(await read({ cookie }), 200);
  resolve();
  assert.equal((await Promise.all(all)).filter((status) => status === 200).length, API_LIMITS.readsOfOne);
  assert.equal(await read(bearer), 200);
});

test("mailbox users wait their turn, counted over all their sessions, and the owner does not wait for them", async () => {
  const run = createReadShares();
  const { promise, resolve } = Promise.withResolvers<void>();
  const { mailboxReadsOfOne, mailboxReads, readsOfOne } = API_LIMITS;
  let running = 0;
  const read = async (): Promise<Response> => {
    running += 1;
    await promise;
    return Response.json("a user's");
  };
  const ofOne = Array.from({ length: readsOfOne }, (_, n) => run(userOf("u0", `${n}`), read));
  await setImmediate();
  assert.equal(running, mailboxReadsOfOne);
  assert.equal((await run(userOf("u0", "another"), read)).status, 503);
  const ofOthers = Array.from({ length: mailboxReads }, (_, n) => run(userOf(`u${n + 1}`), read));
  await setImmediate();
  assert.equal(running, mailboxReads, "all together");
  assert.equal((await run(A, () => Promise.resolve(Response.json("the owner's")))).status, 200);
  resolve();
  await Promise.all([...ofOne, ...ofOthers]);
  assert.equal(running, readsOfOne + mailboxReads);
});

test("a user who waits too long gets an answer that says so", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const run = createReadShares();
  const never = (): Promise<never> => new Promise(() => undefined);
  for (let i = 0; i < API_LIMITS.mailboxReadsOfOne; i++) void run(userOf("anna"), never);
  const refused = run(userOf("anna"), never);
  await setImmediate();
  t.mock.timers.tick(API_LIMITS.mailboxReadWaitMs);
  assert.match(await (await refused).text(), /Too many requests of mailbox users are in progress/);
});
