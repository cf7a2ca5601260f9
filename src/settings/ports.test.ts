import assert from "node:assert/strict";
import { test } from "node:test";
import { settingProblems, settingsWith } from "../../test/kit/loaded-settings.ts";
import { isStrict, proxiedPorts } from "./ports.ts";

test("the proxied ports are open only if there is a proxy", () => {
  assert.equal(proxiedPorts(settingsWith()), null);
  const settings = settingsWith('proxy.networks = ["10.0.0.5"]\nports.proxied_imaps = 1993');
  assert.deepEqual(proxiedPorts(settings), { smtp: 325, submission: 387, submissions: 365, imaps: 1_993 });
});

test("another service cannot have a proxied port, but only if there is a proxy", () => {
  assert.deepEqual(settingProblems("ports.http = 325"), []);
  assert.deepEqual(settingProblems('ports.http = 325\nproxy.networks = ["10.0.0.5"]'), [
    "ports.proxied_smtp must not be 325, the port of ports.http.",
  ]);
});

test("a proxy needs the firewall, because Postfix trusts each client", () => {
  assert.deepEqual(settingProblems('firewall.enabled = false\nproxy.networks = ["10.0.0.5"]'), [
    "firewall.enabled must be true while proxy.networks is set: nothing else keeps forged headers out.",
  ]);
});

test("the firewall can be strict only if it is on", () => {
  assert.equal(isStrict(settingsWith()), false);
  assert.equal(isStrict(settingsWith('firewall.mode = "strict"\n')), true);
  assert.deepEqual(settingProblems('firewall.mode = "strict"\nfirewall.enabled = false\n'), [
    'firewall.mode must be "bans", because firewall.enabled is false.',
  ]);
});
