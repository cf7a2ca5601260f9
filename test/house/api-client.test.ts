import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { transformSync } from "esbuild";
import { GhostInbox, Refused } from "../../clients/typescript/client.js";
import { clientTypes } from "../../scripts/client-types.ts";
import { openApi } from "../../src/surfaces/api/openapi/openapi.ts";
import { startKit, tableOf } from "../kit/api-kit.ts";
import { TOKEN } from "../kit/fake-guard.ts";

const CLIENT = "clients/typescript";
/** The version that Node 20 and the browsers of its year support. */
const TARGET = "es2022";

test("the client's types match the description of the API", async (t) => {
  const described = openApi(tableOf(await startKit(t)));
  expectCommitted("api.ts", clientTypes(JSON.parse(JSON.stringify(described))));
});

test("the client's JavaScript matches its source", () => {
  const source = readFileSync(`${CLIENT}/client.ts`, "utf8");
  const { code } = transformSync(source, { loader: "ts", target: TARGET, format: "esm" });
  assert.doesNotMatch(code, /\bimport\b|\brequire\b/, "it needs nothing else");
  expectCommitted(
    "client.js",
    `// Made from client.ts by test/house/api-client.test.ts: change nothing here.\n${code}`,
  );
});

test("a schema that the generator does not know is not ignored", () => {
  const typed = (schema: object) => clientTypes({ components: { schemas: { Odd: schema } } });
  for (const schema of [{ not: {} }, { type: ["string", "tuple"] }, { type: "tuple" }])
    assert.throws(() => typed(schema), /does not support this schema/);
  const either = typed({ anyOf: [{ const: "a" }, { type: "array", items: {} }] });
  assert.match(either, /Odd = "a" \| readonly \(unknown\)\[\];/);
});

test("it fills in the path, sends the key of a repeatable request, and walks through a list", async (t) => {
  const api = await client(t);
  const sent: [string, RequestInit][] = [];
  const pages = [
    { items: [1, 2], next: "7 %" },
    { items: [], next: "8" },
    { items: [3], next: null },
  ];
  t.mock.method(globalThis, "fetch", (url: string, init: RequestInit) => {
    sent.push([url.replace(/^http:\/\/[^/]*/, ""), init]);
    return Promise.resolve(Response.json(pages[sent.length - 1] ?? {}));
  });
  const found = await Array.fromAsync(api.items("GET /api/v1/bans", { query: { limit: 2, text: undefined } }));
  assert.deepEqual(found, [1, 2, 3]);
  const params = { network: "2001:db8::/64" };
  await api.request("DELETE /api/v1/bans/{network}", { params, query: { dry_run: true } });
  await api.request("POST /api/v1/bans", { body: { ip: "203.0.113.7" }, key: 'my "key"' });
  const urls = sent.map(([url]) => url);
  assert.deepEqual(urls, [
    "/api/v1/bans?limit=2",
    "/api/v1/bans?limit=2&cursor=7+%25",
    "/api/v1/bans?limit=2&cursor=8",
    "/api/v1/bans/2001%3Adb8%3A%3A%2F64?dry_run=true",
    "/api/v1/bans",
  ]);
  const { headers } = sent.at(-1)?.[1] ?? {};
  assert.equal(new Headers(headers).get("idempotency-key"), '"my \\"key\\""');
});

test("a refusal is an error with the problem of the server", async (t) => {
  const api = await client(t, "gi_ffffffffffffffffffffffffffffffff");
  await assert.rejects(api.request("GET /api/v1/bans"), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.status, error.problem?.code], [401, "unauthorized"]);
    return true;
  });
});

test("a JSON error of a proxy is a refusal; only the health routes may answer 503", async (t) => {
  const api = await client(t);
  t.mock.method(globalThis, "fetch", () => Promise.resolve(Response.json({ items: [] }, { status: 503 })));
  await assert.rejects(api.request("GET /api/v1/bans"), { name: "Refused", status: 503, problem: null });
  assert.deepEqual(await api.request("GET /healthz"), { items: [] });
});

test("a refusal has the seconds after which to try again, unless a proxy names a date (RFC 9110, 10.2.3)", () => {
  const afterSeconds = (after: string) =>
    new Refused(new Response(null, { status: 503, headers: { "retry-after": after } }), null).retryAfterSeconds;
  assert.deepEqual(["10", "Fri, 31 Dec 1999 23:59:59 GMT"].map(afterSeconds), [10, null]);
});

async function client(t: TestContext, token: string = TOKEN): Promise<GhostInbox> {
  const { url } = await startKit(t);
  return new GhostInbox({ url: `${url}/`, token });
}

/** Formats the text as the checks require, and compares it with the committed file. */
function expectCommitted(name: string, text: string): void {
  const path = `${CLIENT}/${name}`;
  const formatted = execFileSync("node_modules/.bin/biome", ["check", "--write", `--stdin-file-path=${path}`], {
    input: text,
    encoding: "utf8",
  });
  if (process.env["UPDATE_EXPECTED"] === "1") writeFileSync(path, formatted);
  assert.ok(readFileSync(path, "utf8") === formatted, `${path} is stale: run this test with UPDATE_EXPECTED=1`);
}
