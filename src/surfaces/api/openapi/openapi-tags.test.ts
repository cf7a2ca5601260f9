import assert from "node:assert/strict";
import { test } from "node:test";
import { TAGS, tagOf } from "./openapi-operation.ts";

test("a route belongs to the group with its longest prefix", () => {
  for (const [path, tag] of [
    ["/api/v1/bans/{network}", "bans"],
    ["/api/v1/session/proof", "access"],
    ["/api/v1/stats", "figures"],
    ["/healthz/live", "system"],
    ["/style.css", "page"],
    ["/", "page"],
  ] as const)
    assert.equal(tagOf(path), tag, path);
});

test("no path is in two groups", () => {
  const paths = TAGS.flatMap((tag): readonly string[] => tag.paths);
  assert.equal(new Set(paths).size, paths.length);
});
