import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { scriptColumn, sievePlugin } from "./sieve.ts";

const site = sampleSite();

test("one mail becomes at most four", () => {
  assert.match(sievePlugin(site), /^ {2}sieve_max_redirects = 4$/m);
});

test("if senders are verified, only proven ones get a reply", () => {
  assert.match(scriptColumn(site), /;name=proven' FROM .* AND name = 'proven'\) AS sieve_before2$/);
  assert.match(scriptColumn(sampleSite({ verify: false })), /;name=any' FROM .* AND name = 'any'\) AS sieve_before2$/);
});
