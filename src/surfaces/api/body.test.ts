import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { bearer, startKit } from "../../../test/kit/api-kit.ts";
import { API_LIMITS } from "./limits.ts";
import { readBody } from "./request.ts";
import { route } from "./route.ts";

const row = route("POST /", "Takes a body.", {
  who: "anyone",
  bodyBytes: 10,
  body: z.unknown(),
  run: () => ({}),
});

function streamOf(...chunks: readonly string[]): ReadableStream {
  return ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
}

async function read(body: string | ReadableStream, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const init = { method: "POST", body, headers, duplex: "half" as const };
  const result = await readBody(row, new Request("http://localhost/", init));
  return result instanceof Response ? result.status : result.value;
}

test("JSON is read to its bound, whatever the headers claim", async () => {
  assert.deepEqual(await read("[1,2,3,45]"), [1, 2, 3, 45]);
  assert.equal(await read("[1,2,3,456]"), 413);
  assert.deepEqual(await read(streamOf("[1,", "2]")), [1, 2]);
  assert.equal(await read(streamOf("[1,", "2,3,", "4,5,6]")), 413);
  assert.equal(await read("[1,2]", { "content-length": "5000" }), 413);
});

test("what is not JSON is said to be none", async () => {
  for (const nonsense of ["", "{", "a=b", "\u0000"]) assert.equal(await read(nonsense), 400, nonsense);
});

test("a body that breaks off does not count as our error, whatever the status", async () => {
  const broken = new ReadableStream({
    start: (stream) => stream.enqueue(new TextEncoder().encode("[1]")),
    pull: (stream) => stream.error(new Error("aborted")),
  });
  assert.equal(await read(broken), 400);
});

test("a body over the bound is refused over the wire, chunked or not", async (t) => {
  const kit = await startKit(t);
  const big = JSON.stringify({ ip: "1.2.3.4", reason: "x".repeat(API_LIMITS.bodyBytes) });
  for (const body of [big, streamOf(big)]) {
    const init = { method: "POST", headers: bearer, body, duplex: "half" as const };
    const response = await fetch(`${kit.url}/api/v1/bans`, init);
    assert.equal(response.status, 413);
    await response.body?.cancel();
  }
  assert.deepEqual(kit.guard.asked, []);
});

test("a stranger's body is not read before the stranger is refused", async (t) => {
  const kit = await startKit(t);
  const response = await fetch(`${kit.url}/api/v1/bans`, { method: "POST", body: "x".repeat(100_000) });
  assert.equal(response.status, 401);
});
