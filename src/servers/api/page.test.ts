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
