import assert from "node:assert/strict";
import { test } from "node:test";
import { RELAY, sampleSite } from "../../../test/kit/sample-site.ts";
import type { Relay } from "../configuration/site.ts";
import { postfixOutbound, renderRelayLogin } from "./main-cf.ts";

const direct = sampleSite();
const through = (changes: Partial<Relay>) =>
  sampleSite({ outbound: { ...direct.outbound, relay: { ...RELAY, ...changes } } });

test("mail waits as long as the settings say, and is sent with DANE unless there is a relay", () => {
  const lines = postfixOutbound(direct);
  assert.equal(lines["maximal_queue_lifetime"], "432000s");
  assert.equal(lines["bounce_queue_lifetime"], "86400s");
  assert.equal(lines["delay_warning_time"], "14400s");
  assert.equal(lines["smtp_tls_security_level"], "dane");
  assert.equal(lines["relayhost"], undefined);
  assert.doesNotMatch(renderRelayLogin(direct).text, /:/);
});

test("a relay learns the password over verified TLS only, and the file is root's alone", () => {
  const relayed = through({ login: { user: "me", password: "p:w $x" } });
  const lines = postfixOutbound(relayed);
  assert.equal(lines["relayhost"], "[smtp.example.net]:587");
  assert.equal(lines["smtp_tls_security_level"], "secure");
  const { text, mode } = renderRelayLogin(relayed);
  assert.match(text, /^\[smtp\.example\.net\]:587 me:p:w \$x$/m);
  assert.equal(mode, 0o600);
  assert.doesNotMatch(JSON.stringify(lines), /p:w/);
});

test("a relay without a login takes TLS where it offers it, and on 465 always", () => {
  const open = postfixOutbound(through({}));
  assert.deepEqual([open["smtp_tls_security_level"], open["smtp_sasl_auth_enable"]], ["may", undefined]);
  const wrapped = postfixOutbound(through({ nextHop: "[smtp.example.net]:465" }));
  assert.deepEqual([wrapped["smtp_tls_wrappermode"], wrapped["smtp_tls_security_level"]], ["yes", "encrypt"]);
});
