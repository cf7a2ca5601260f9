import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "./load.ts";
import { proxiedPorts } from "./ports.ts";

function ports(toml: string) {
  const loaded = loadSettings(`domains = ["example.org"]\n${toml}`, {});
  return loaded.ok ? proxiedPorts(loaded.settings) : assert.fail(loaded.problems.map(({ says }) => says).join());
}

test("without a proxy its ports are closed", () => assert.equal(ports(""), null));

test("with one they are open", () => {
  const settings = 'proxy.networks = ["10.0.0.5"]\nports.proxied_imaps = 1993';
  assert.deepEqual(ports(settings), { smtp: 20_025, submission: 20_587, submissions: 20_465, imaps: 1_993 });
});

test("a proxy needs the firewall, because Postfix trusts each client", () => {
  const loaded = loadSettings('domains = ["example.org"]\nfirewall.enabled = false\nproxy.networks = ["10.0.0.5"]', {});
  if (loaded.ok) assert.fail("it was taken");
  const says = "firewall.enabled must be true while proxy.networks is set: nothing else keeps forged headers out.";
  assert.deepEqual(
    loaded.problems.map((problem) => problem.says),
    [says],
  );
});
