import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../test/kit/api-kit.ts";

test("the page comes compressed to who takes that, and is the same", async (t) => {
  const { url } = await startKit(t);
  const tags = new Set<string | null>();
  for (const coding of ["br", "gzip", "identity"]) {
    const page = await fetch(url, { headers: { "accept-encoding": coding } });
    assert.equal(page.headers.get("content-encoding"), coding === "identity" ? null : coding);
    assert.equal(page.headers.get("vary"), "accept-encoding");
    assert.equal(await page.text(), "<!doctype html>");
    tags.add(page.headers.get("etag"));
  }
  assert.equal(tags.size, 3, "a cache keeps each apart");
});

test("a script of the page is cached forever by its name, and a script of another version is not found", async (t) => {
  const { url } = await startKit(t);
  const known = await fetch(`${url}/programs/app-KNOWN.js`);
  assert.deepEqual([known.status, await known.text()], [200, "export {}"]);
  assert.equal(known.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.equal((await fetch(url)).headers.get("cache-control"), "no-cache");
  for (const name of ["app-OTHER.js", "..%2Findex.html", "index.html"]) {
    const other = await fetch(`${url}/programs/${name}`);
    assert.deepEqual([other.status, other.headers.get("cache-control")], [404, "no-store"], name);
  }
});
