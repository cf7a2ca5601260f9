import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "./load.ts";
import { isStrict, proxiedPorts } from "./ports.ts";

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

function load(toml: string) {
  return loadSettings(`domains = ["example.org"]\n${toml}`, {});
}

test("it is strict only where the firewall is on, and nothing else can be set", () => {
  const of = (toml: string): boolean => {
    const loaded = load(toml);
    return loaded.ok ? isStrict(loaded.settings) : assert.fail(toml);
  };
  assert.equal(of(""), false);
  assert.equal(of('firewall.mode = "strict"\n'), true);
  const off = load('firewall.mode = "strict"\nfirewall.enabled = false\n');
  assert.match(JSON.stringify(off), /firewall\.mode must be \\"bans\\", because firewall\.enabled is false/);
});
