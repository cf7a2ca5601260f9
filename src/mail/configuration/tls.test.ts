import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { dovecotTls, postfixServerTls } from "./tls.ts";

test("the servers never read the owner's certificate files themselves", () => {
  const site = sampleSite({ tls: { profile: "modern" } });
  const text = JSON.stringify(postfixServerTls(site)) + dovecotTls(site);
  assert.match(text, /\/srv\/mail\/tls\/served\/chain\.pem/);
  assert.doesNotMatch(text, /\/srv\/mail\/tls\/(cert|key)\.pem/);
});
