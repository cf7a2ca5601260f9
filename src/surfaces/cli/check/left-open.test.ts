import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "../../../settings/load.ts";
import { leftOpen } from "./going-live.ts";

function named(more: string): readonly string[] {
  const loaded = loadSettings(`domains = ["example.org"]\n${more}`, {});
  assert.ok(loaded.ok);
  return leftOpen(loaded.settings).map(({ setting }) => setting);
}

test("lists what the defaults leave open, until the owner decides otherwise", () => {
  assert.deepEqual(named(""), ["firewall.mode", "fail2ban.sentences"]);
  assert.deepEqual(named('firewall.mode = "strict"\n'), ["fail2ban.sentences"]);
  assert.deepEqual(named('fail2ban.sentences = "all"\n'), ["firewall.mode"]);
  assert.deepEqual(named("fail2ban.enabled = false\n"), ["firewall.mode", "fail2ban.enabled"]);
});
