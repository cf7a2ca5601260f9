import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../test/kit/api-kit.ts";
import { EVENT_TYPES } from "../../core/events/event-types.ts";
import { HealthReader, metrics } from "./health.ts";

test("every line is of Prometheus's text format, and none names an address or a person", async (t) => {
  const kit = await startKit(t);
  t.mock.method(kit.queries.figures, "bansInForce", () => ({ engine: 1, fail2ban: 100_000, manual: 3 }));
  const text = await metrics(kit.parts, new HealthReader(kit.parts));
  assert.ok(text.endsWith("\n"));
  for (const line of text.trimEnd().split("\n"))
    assert.match(line, /^(# (HELP|TYPE) ghostinbox_\w+ .+|ghostinbox_\w+\{\w+="[\w.]+"\} \d+)$/);
  assert.doesNotMatch(text, /203\.0/);
  for (const line of [
    'ghostinbox_bans_active{source="engine"} 1',
    'ghostinbox_bans_active{source="fail2ban"} 100000',
    'ghostinbox_bans_active{source="manual"} 3',
    'ghostinbox_events_total{type="CONNECT"} 4',
    'ghostinbox_events_total{type="FIREWALL_LOST"} 0',
    'ghostinbox_component_up{component="postfix"} 1',
    'ghostinbox_build_info{version="0.0.0"} 1',
  ])
    assert.ok(text.includes(`\n${line}\n`), line);
  for (const type of EVENT_TYPES) assert.ok(text.includes(`{type="${type}"} `), type);
});

test("a component that is down is reported, and so is a guard that does not answer", async (t) => {
  const kit = await startKit(t);
  kit.guard.isDown = true;
  const text = await metrics(kit.parts, new HealthReader(kit.parts));
  assert.match(text, /\nghostinbox_component_up\{component="guard"\} 0\n/);
});
