import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { encoded, encodingFor } from "./page.ts";

test("a client gets the best coding that it takes", () => {
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

test("each coding gives the file back", async () => {
  const body = new TextEncoder().encode("a line of the page\n".repeat(1_000));
  assert.deepEqual(brotliDecompressSync(await encoded(body, "br")).equals(body), true);
  assert.deepEqual(gunzipSync(await encoded(body, "gzip")).equals(body), true);
});
