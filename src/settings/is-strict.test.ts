import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "./load.ts";
import { isStrict } from "./ports.ts";

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
