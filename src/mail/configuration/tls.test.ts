import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, sampleSite } from "../../../test/kit/sample-site.ts";
import { dovecotTls, postfixServerTls } from "./tls.ts";

const SEED = "ECDHE+AESGCM:ECDHE+AES256:ECDHE+AES128:RSA+AES:!aNULL:!MD5:!DSS";

test("the profile of the seed is its line word for word, in the server's order, on both servers", () => {
  const site = sampleSite({ tls: { profile: "seed" } });
  const postfix = postfixServerTls(site);
  assert.equal(postfix["tls_high_cipherlist"], SEED);
  for (const level of ["", "_mandatory"]) {
    assert.equal(postfix[`smtpd_tls${level}_ciphers`], "high");
    assert.equal(postfix[`smtpd_tls${level}_protocols`], "!SSLv3 !TLSv1 !TLSv1.1");
  }
  assert.equal(postfix["tls_preempt_cipherlist"], "yes");
  const dovecot = assignments(dovecotTls(site));
  assert.equal(dovecot.get("ssl_cipher_list"), SEED);
  assert.equal(dovecot.get("ssl_prefer_server_ciphers"), "yes");
  assert.equal(dovecot.get("ssl_min_protocol"), "TLSv1.2");
});

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
