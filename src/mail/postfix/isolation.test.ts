import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, RELAY, sampleSite } from "../../../test/kit/sample-site.ts";
import { renderPostfixMain } from "./main-cf.ts";

const ISOLATED = /^lmtp:unix:private\/this-server-is-isolated$/;

test("while it is isolated, mail in both directions waits, and does not come back for its age", () => {
  const { outbound } = sampleSite();
  const main = assignments(
    renderPostfixMain(sampleSite({ held: ["receive", "sign-in", "send"], outbound: { ...outbound, relay: RELAY } })),
  );
  for (const name of ["virtual_transport", "default_transport", "relay_transport"])
    assert.match(main.get(name) ?? "", ISOLATED, name);
  assert.deepEqual(
    ["maximal_queue_lifetime", "bounce_queue_lifetime", "delay_warning_time", "relayhost"].map((name) =>
      main.get(name),
    ),
    ["100d", "100d", "0", ""],
  );
});

test("each direction is held for itself, and nothing without isolation", () => {
  const received = assignments(renderPostfixMain(sampleSite({ held: ["send"] })));
  assert.match(received.get("virtual_transport") ?? "", /dovecot-lmtp$/);
  assert.match(received.get("default_transport") ?? "", ISOLATED);
  const sent = assignments(renderPostfixMain(sampleSite({ held: ["receive"] })));
  assert.match(sent.get("virtual_transport") ?? "", ISOLATED);
  assert.equal(sent.get("default_transport"), undefined);
  const usual = assignments(renderPostfixMain(sampleSite()));
  assert.deepEqual([usual.get("maximal_queue_lifetime"), usual.get("default_transport")], ["432000s", undefined]);
});
