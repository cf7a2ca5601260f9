import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { scriptColumn } from "./sieve.ts";

const site = sampleSite();

test("if senders are verified, only proven ones get a reply", () => {
  assert.match(scriptColumn(site), /;name=proven' FROM .* AND name = 'proven'\) AS sieve_before2$/);
  assert.match(scriptColumn(sampleSite({ verify: false })), /;name=any' FROM .* AND name = 'any'\) AS sieve_before2$/);
});
