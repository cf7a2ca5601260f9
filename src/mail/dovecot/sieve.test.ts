import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { scriptColumn, sievePlugin } from "./sieve.ts";

const site = sampleSite();

test("redirected mail has its user as the sender", () => {
  const plugin = sievePlugin(site);
  assert.match(plugin, /^ {2}sieve_before = \/srv\/mail\/conf\/sieve\/junk\.sieve$/m);
  assert.match(plugin, /^ {2}sieve_redirect_envelope_from = recipient$/m);
  assert.match(plugin, /^ {2}sieve_max_redirects = 4$/m);
});

test("if senders are verified, only proven ones get a reply", () => {
  assert.match(scriptColumn(site), /;name=proven' FROM .* AND name = 'proven'\) AS sieve_before2$/);
  assert.match(scriptColumn(sampleSite({ verify: false })), /;name=any' FROM .* AND name = 'any'\) AS sieve_before2$/);
});
