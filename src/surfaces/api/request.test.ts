import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { apiKitOf, bearer, tableOf } from "../../../test/kit/api-kit.ts";
import { effectOf } from "../../admin/declare/control.ts";
import { API_LIMITS } from "./limits.ts";
import { readBody, readQuery } from "./request.ts";
import { type Method, route } from "./route.ts";

const kit = apiKitOf(import.meta.filename);
const rowOf = (more: Partial<Parameters<typeof route>[1]>, method: Method = "GET") =>
  route(`${method} /x`, { says: "It says.", who: "anyone", run: () => null, ...more });
const query = z.object({ ip: z.string().optional(), limit: z.string().optional() }).refine(() => true);
const LISTED = rowOf({ query });

async function refusalOf(row: typeof LISTED, search: string): Promise<string> {
  const read = readQuery(row, `http://localhost/x?${search}`);
  assert.ok(read instanceof Response, search);
  assert.equal(read.status, 400);
  const { detail, next } = z.object({ detail: z.string(), next: z.string() }).parse(await read.json());
  return `${detail} ${next}`;
}

test("a list takes each value of a repeated parameter", async () => {
  const row = rowOf({ query: z.object({ type: z.array(z.string()).optional(), ip: z.string().optional() }) });
  const read = (search: string) => readQuery(row, `http://localhost/x?${search}`);
  assert.deepEqual(read("type=BAN&ip=1&type=UNBAN"), { value: { ip: "1", type: ["BAN", "UNBAN"] }, isDry: false });
  assert.deepEqual(read("type=BAN"), { value: { type: ["BAN"] }, isDry: false });
  assert.deepEqual(read("ip=1"), { value: { ip: "1" }, isDry: false });
  assert.match(await refusalOf(row, "type=BAN&ip=1&ip=2"), /^ip is given more than once/);
});

test("an unknown or repeated parameter is refused by name", async () => {
  assert.equal(await refusalOf(LISTED, "ip=1&limt=5"), "Unknown parameter limt. This route takes ip, limit.");
  const expected = "limit is given more than once. This route takes ip, limit.";
  assert.equal(await refusalOf(LISTED, "limit=1&limit=2"), expected);
  assert.equal(await refusalOf(rowOf({}), "a"), "Unknown parameter a. This route takes none.");
});

test("ten thousand letters of markup are not echoed", async () => {
  const said = await refusalOf(LISTED, encodeURIComponent("<script>".repeat(1_250)));
  assert.ok(said.length < 120 && !said.includes("<"), said);
});

test("a route that accepts any query reads its own parameters, but refuses a dry run that it does not support", async () => {
  const old = rowOf({ query, anyQuery: true });
  const read = readQuery(old, "http://localhost/x?ip=203.0.113.7&_=123&_=124");
  assert.ok(!(read instanceof Response) && read.value["ip"] === "203.0.113.7");
  assert.match(await refusalOf(old, "dry_run=true"), /^Unknown parameter dry_run\./);
  assert.match(await refusalOf(old, "ip=1&ip=2"), /^ip is given more than once/);
  const ban = readQuery(rowOf({ asks: "ban", anyQuery: true }, "POST"), "http://localhost/x?_=1&dry_run=true");
  assert.ok(!(ban instanceof Response) && ban.isDry);
});

test("a command with a dry run accepts one spelling of the parameter", async () => {
  const ban = rowOf({ asks: "ban" }, "POST");
  const dry = (search: string) => {
    const read = readQuery(ban, `http://localhost/x?${search}`);
    return read instanceof Response ? read.status : read.isDry;
  };
  for (const no of ["", "dry_run=false"]) assert.equal(dry(no), false, no);
  for (const wrong of ["dry_run=1", "dry_run"]) assert.equal(dry(wrong), 400, wrong);
  assert.equal(dry("dry_run=true"), true);
  assert.match(await refusalOf(LISTED, "dry_run=true"), /^Unknown parameter dry_run\./);
  assert.match(await refusalOf(rowOf({ asks: "prove" }, "POST"), "dry_run=true"), /not supported here/);
  const ofMailbox = rowOf({ asks: "forward_set", needs: "mailbox" }, "PUT");
  assert.match(await refusalOf(ofMailbox, "dry_run=true"), /users make to their mailbox has no dry run/);
});

test("a dry run of a command without one is refused, with the reason", async () => {
  const row = rowOf({ asks: "settings_apply" }, "POST");
  const expected =
    "dry_run is not supported here: this cannot be tried without carrying it out. The preview of the settings tries the same changes. Leave dry_run out to carry it out.";
  assert.equal(await refusalOf(row, "dry_run=true"), expected);
});

test("every route that changes something has a dry run or says why not", () => {
  const all = tableOf(kit).filter(({ method }) => method !== "GET");
  const neither = all.filter(({ asks }) => asks === undefined || effectOf(asks).dryRun === undefined);
  const paths = neither.map(({ path }) => path);
  assert.deepEqual(paths, ["/api/v1/login/passkey"], "which only asks for a challenge");
});

const row = rowOf({ body: z.unknown() }, "POST");

function streamOf(...chunks: readonly string[]): ReadableStream {
  return ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
}

async function read(body: string | ReadableStream, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const init = { method: "POST", body, headers, duplex: "half" as const };
  const result = await readBody(row, new Request("http://localhost/", init));
  return result instanceof Response ? result.status : result.value;
}

test("JSON is read to its bound, whatever the headers claim", async () => {
  const most = API_LIMITS.strangersBodyBytes;
  assert.deepEqual(await read("[1,2]".padEnd(most)), [1, 2]);
  assert.equal(await read("[1,2]".padEnd(most + 1)), 413);
  assert.deepEqual(await read(streamOf("[1,", "2]".padEnd(most - 3))), [1, 2]);
  assert.equal(await read(streamOf("[1,", "2]".padEnd(most - 2))), 413);
  assert.equal(await read("[1,2]", { "content-length": "5000" }), 413);
});

test("a body that is not JSON or breaks off is not reported as our error", async () => {
  for (const nonsense of ["", "{", "a=b", "\u0000"]) assert.equal(await read(nonsense), 400, nonsense);
  const broken = new ReadableStream({
    start: (stream) => stream.enqueue(new TextEncoder().encode("[1]")),
    pull: (stream) => stream.error(new Error("aborted")),
  });
  assert.equal(await read(broken), 400);
});

test("a body over the bound is refused over the wire, chunked or not", async () => {
  const big = JSON.stringify({ ip: "1.2.3.4", reason: "x".repeat(API_LIMITS.bodyBytes) });
  for (const body of [big, streamOf(big)]) {
    const init = { method: "POST", headers: bearer, body, duplex: "half" as const };
    const response = await fetch(`${kit.url}/api/v1/bans`, init);
    assert.equal(response.status, 413);
    await response.body?.cancel();
  }
  assert.deepEqual(kit.guard.asked, []);
});

test("a stranger's body is not read before the stranger is refused", async () => {
  assert.equal((await fetch(`${kit.url}/api/v1/bans`, { method: "POST", body: "x".repeat(100_000) })).status, 401);
});
