import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAccountName } from "../../core/net/address.ts";
import { DAY_MS, instant, isoTime, later } from "../../core/time.ts";
import { NEW_TARGETS_A_DAY, NewTargets } from "./new-targets.ts";

const NOW = instant(Date.UTC(2026, 10, 20));
const ANNA = parseAccountName("anna@example.test") ?? assert.fail();

function audited(...changes: readonly (readonly [subject: string, actor: string, agoMs: number])[]) {
  const items = changes.map(([subject, actor, agoMs], i) => ({
    id: 100 - i,
    at: isoTime(later(NOW, -agoMs)),
    actor,
    type: "FORWARDING_CHANGED" as const,
    subject,
    detail: "{}",
    previous: "",
    hash: "",
  }));
  return new NewTargets({ entries: () => ({ items, next: null }) });
}

function left(targets: NewTargets): number {
  let count = 0;
  while (targets.spend(ANNA, NOW)) count++;
  return count;
}

test("after a restart the targets of the last day count, each once, and root's do not", () => {
  const user = "mailbox:anna@example.test via 203.0.113.7";
  assert.equal(left(audited()), NEW_TARGETS_A_DAY);
  const targets = audited(
    ["anna@example.test no longer", user, 1],
    ["anna@example.test to a@x.test, b@x.test, without a copy here", user, 2],
    ["anna@example.test to a@x.test", user, 3],
    ["bert@example.test to c@x.test", user, 4],
    ["anna@example.test to d@x.test", "root", 5],
    ["anna@example.test to e@x.test", user, DAY_MS + 1],
  );
  assert.equal(left(targets), NEW_TARGETS_A_DAY - 2);
});
