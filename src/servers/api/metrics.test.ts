import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, startKit } from "../../../test/kit/api-kit.ts";
import { metrics } from "./metrics.ts";

test("every line is of Prometheus's text format, and none names an address or a person", async (t) => {
  const kit = await startKit(t);
  const manual = { ...BAN, source: "web:admin via 203.0.113.99", level: "manual" } as const;
  t.mock.method(kit.queries, "bans", () => [BAN, manual, { ...BAN, source: "fail2ban" }]);
  const text = metrics(kit.parts);
  assert.ok(text.endsWith("\n"));
  for (const line of text.trimEnd().split("\n"))
    assert.match(line, /^(# (HELP|TYPE) ghostinbox_\w+ .+|ghostinbox_\w+\{\w+="[\w.]+"\} \d+)$/);
  assert.doesNotMatch(text, /203\.0/);
  for (const line of [
    'ghostinbox_bans_active{source="engine"} 1',
    'ghostinbox_bans_active{source="fail2ban"} 1',
    'ghostinbox_bans_active{source="manual"} 1',
    'ghostinbox_events_total{type="CONNECT"} 3',
    'ghostinbox_build_info{version="0.0.0"} 1',
  ])
    assert.ok(text.includes(`\n${line}\n`), line);
});
