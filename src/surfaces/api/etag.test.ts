import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, startKit } from "../../../test/kit/api-kit.ts";

test("an answer that the caller has is not sent again, and one that changed is", async (t) => {
  const kit = await startKit(t);
  kit.queries.add("CONNECT");
  const ask = (known?: string) =>
    fetch(`${kit.url}/api/v1/events`, {
      headers: { ...bearer, ...(known !== undefined && { "if-none-match": known }) },
    });
  const first = await ask();
  const tag = first.headers.get("etag") ?? assert.fail("no tag");
  assert.match(tag, /^"[\w-]{22}"$/);
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

test("only what was found has a tag, and it opens nothing", async (t) => {
  const kit = await startKit(t);
  const tag = (await fetch(`${kit.url}/api/v1/bans`, { headers: bearer })).headers.get("etag") ?? assert.fail("no tag");
  assert.equal((await fetch(`${kit.url}/api/v1/bans`, { headers: { "if-none-match": tag } })).status, 401);
  const missing = await fetch(`${kit.url}/nothing`, { headers: { ...bearer, "if-none-match": "*" } });
  assert.deepEqual([missing.status, missing.headers.get("etag")], [404, null]);
  const page = await fetch(`${kit.url}/`);
  const again = await fetch(`${kit.url}/`, { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
  assert.deepEqual([again.status, again.headers.get("cache-control")], [304, "no-cache"]);
  assert.equal(again.headers.get("content-security-policy"), page.headers.get("content-security-policy"));
});
