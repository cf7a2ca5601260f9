import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { after, describe, test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import type { NameAnswer } from "../../guard/network-ports.ts";
import { receiverLookup, sendHttp } from "./push.ts";

const asked: string[] = [];
const NAMES: Readonly<Record<string, NameAnswer>> = {
  "known.test": { type: "addresses", addresses: ["127.0.0.1"], ttlMs: 0 },
  "broken.test": { type: "failed", why: "ETIMEOUT" },
};
const lookup = receiverLookup({
  addresses: (name) => {
    asked.push(name);
    return Promise.resolve(NAMES[name] ?? { type: "none" });
  },
});
const world = { lookup, authorities: undefined };

describe("what is sent over HTTP", () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.closeAllConnections();
  });
  async function serve(status: number, headers: Readonly<Record<string, string>>, body: string): Promise<number> {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status, headers).end(body);
    });
    servers.push(server);
    return listenOnPort(server);
  }
  const send = (url: string) => sendHttp({ method: "POST", url, body: "{}" }, world);

  test("200 to 299 is taken; names are asked of our resolver", async () => {
    const port = await serve(204, {}, "");
    assert.deepEqual(await send(`http://known.test:${port}/x`), { ok: true });
    assert.deepEqual(asked, ["known.test"]);
  });

  test("a name that our resolver does not know or cannot tell is asked of the machine", async () => {
    const port = await serve(200, {}, "");
    assert.deepEqual(await send(`http://localhost:${port}/`), { ok: true });
    const failed = await send(`http://broken.test:${port}/`);
    assert.ok(!failed.ok && /broken\.test/.test(failed.reason), JSON.stringify(failed));
  });

  test("a refusal is reported with the receiver's words, in printable bounds", async () => {
    const port = await serve(403, {}, `no\u001b[2J ${"x".repeat(100_000)}`);
    const outcome = await send(`http://127.0.0.1:${port}/`);
    assert.ok(!outcome.ok);
    assert.match(outcome.reason, /^it answered 403: no\\x1b\[2J x+…$/);
    assert.ok(outcome.reason.length < 300);
  });

  test("a redirect is not followed", async () => {
    const port = await serve(302, { location: "http://169.254.169.254/" }, "");
    const outcome = await send(`http://127.0.0.1:${port}/`);
    assert.ok(!outcome.ok && /302, a redirect, which is not followed/.test(outcome.reason));
  });

  test("a missing receiver is a reason, not an exception", async () => {
    const outcome = await send("http://127.0.0.1:1/");
    assert.ok(!outcome.ok && /ECONNREFUSED/.test(outcome.reason), JSON.stringify(outcome));
  });
});
