import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKitOf, bearer } from "../../../test/kit/api-kit.ts";
import { encodingFor } from "./page.ts";

const kit = apiKitOf(import.meta.filename);

test("clients that accept compression get the same page compressed", async () => {
  const tags = new Set<string | null>();
  for (const coding of ["br", "gzip", "identity"]) {
    const page = await fetch(kit.url, { headers: { "accept-encoding": coding } });
    assert.equal(page.headers.get("content-encoding"), coding === "identity" ? null : coding);
    assert.equal(page.headers.get("vary"), "accept-encoding");
    assert.equal(await page.text(), "<!doctype html>");
    tags.add(page.headers.get("etag"));
  }
  assert.equal(tags.size, 3, "a cache keeps each apart");
});

test("a script of the page is cached forever by its name, and a script of another version is not found", async () => {
  const known = await fetch(`${kit.url}/programs/app-KNOWN.js`);
  assert.deepEqual([known.status, await known.text()], [200, "export {}"]);
  assert.equal(known.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.equal((await fetch(kit.url)).headers.get("cache-control"), "no-cache");
  for (const name of ["app-OTHER.js", "..%2Findex.html", "index.html"]) {
    const other = await fetch(`${kit.url}/programs/${name}`);
    assert.deepEqual([other.status, other.headers.get("cache-control")], [404, "no-store"], name);
  }
});

test("a client gets the best encoding that it accepts", () => {
  for (const [accepted, coding] of [
    ["gzip, deflate, br, zstd", "br"],
    ["gzip, deflate", "gzip"],
    ["br;q=0, GZIP;q=0.5", "gzip"],
    ["*", "br"],
    ["*;q=0", null],
    ["br;q=none", null],
    ["identity", null],
    ["", null],
    [null, null],
  ] as const)
    assert.equal(encodingFor(accepted), coding, String(accepted));
});

test("an answer is sent again only if it has changed", async () => {
  kit.queries.add("CONNECT");
  const ask = (known = "") => fetch(`${kit.url}/api/v1/events`, { headers: { ...bearer, "if-none-match": known } });
  const tag = (await ask()).headers.get("etag") ?? assert.fail("no tag");
  assert.match(tag, /^"[0-9a-f]{64}"$/);
  for (const known of [tag, `"other", ${tag}`, `W/${tag}`, "*"]) {
    const same = await ask(known);
    assert.deepEqual([same.status, await same.text(), same.headers.get("etag")], [304, "", tag], known);
    assert.equal(same.headers.get("cache-control"), "no-store");
  }
  kit.queries.add("BAN");
  const changed = await ask(tag);
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get("etag"), tag);
  assert.match(await changed.text(), /"BAN"/);
});

test("only successful answers have an ETag, and knowing one grants no access", async () => {
  const tag = (await fetch(`${kit.url}/api/v1/bans`, { headers: bearer })).headers.get("etag") ?? assert.fail("no tag");
  assert.equal((await fetch(`${kit.url}/api/v1/bans`, { headers: { "if-none-match": tag } })).status, 401);
  const missing = await fetch(`${kit.url}/nothing`, { headers: { ...bearer, "if-none-match": "*" } });
  assert.deepEqual([missing.status, missing.headers.get("etag")], [404, null]);
  const page = await fetch(`${kit.url}/`);
  const again = await fetch(`${kit.url}/`, { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
  assert.deepEqual([again.status, again.headers.get("cache-control")], [304, "no-cache"]);
  const policy = page.headers.get("content-security-policy") ?? assert.fail("no policy");
  assert.doesNotMatch(policy, /unsafe/);
  assert.match(policy, /frame-ancestors 'none'.*require-trusted-types-for 'script'/);
  assert.equal(again.headers.get("content-security-policy"), policy);
});
