import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, sampleSite } from "../../../test/kit/sample-site.ts";
import { dovecotTls, postfixServerTls } from "./tls.ts";

// Which ciphers and protocols both servers offer by each profile is in test/lab/tls-tests.ts.
test("the modern profile has elliptic curves and authenticated encryption only", () => {
  const site = sampleSite({ tls: { profile: "modern" } });
  const list = postfixServerTls(site)["tls_high_cipherlist"] ?? "";
  assert.equal(assignments(dovecotTls(site)).get("ssl_cipher_list"), list);
  for (const part of list.split(":")) assert.match(part, /^ECDHE\+(AESGCM|CHACHA20)$|^!/);
});

test("the servers never read the owner's own files", () => {
  const site = sampleSite({ tls: { profile: "modern" } });
  const text = JSON.stringify(postfixServerTls(site)) + dovecotTls(site);
  assert.match(text, /\/srv\/mail\/tls\/served\/chain\.pem/);
  assert.doesNotMatch(text, /\/srv\/mail\/tls\/(cert|key)\.pem/);
});
