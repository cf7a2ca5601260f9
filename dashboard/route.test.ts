import assert from "node:assert/strict";
import { test } from "node:test";
import { hrefOf, PAGES, routeOf, UNLISTED_PAGES } from "./route.ts";

test("an address names a page and its filters, and is read back unchanged", () => {
  for (const page of [...PAGES, ...UNLISTED_PAGES])
    for (const query of [{}, { q: "2001:db8::/32" }, { text: "a b&c=d#e?f%", type: "BAN" }])
      assert.deepEqual(routeOf(hrefOf(page, query)), { page, query });
});

test("a question mark in a filter that was typed is kept", () => {
  assert.deepEqual(routeOf("#/find?q=who?why"), { page: "find", query: { q: "who?why" } });
});

test("empty values are omitted", () => {
  assert.equal(hrefOf("events", { type: "", ip: "" }), "#/events");
});

test("an address that names no page leads to the first one", () => {
  for (const hash of ["", "#", "#/", "#/nothing", "#/nothing?type=BAN", "#main"])
    assert.deepEqual(routeOf(hash), { page: "now", query: {} });
});
