import assert from "node:assert/strict";
import { test } from "node:test";
import { NOON, net, POLICY } from "../../../test/kit/samples.ts";
import { later } from "../../core/time.ts";
import type { AllowEntry } from "../storage-ports.ts";
import { ProtectionList } from "./sparing.ts";

function kit() {
  const allowed: AllowEntry[] = [];
  const own = { current: () => [{ prefix: net("203.0.113.1"), why: "gateway" } as const] };
  const list = new ProtectionList(own, { allowed: () => allowed });
  const allow = (text: string): void =>
    void allowed.push({ prefix: net(text), note: "", by: "root", at: NOON, expiresAt: null });
  return { list, allow };
}

test("protects this machine, the lists of the settings and the owner, and every network around them", () => {
  const { list, allow } = kit();
  allow("198.51.100.0/24");
  list.refresh({ ...POLICY, allow: [net("192.0.2.0/24")] }, NOON);
  const why = (text: string) => list.of(net(text));
  assert.equal(why("203.0.113.1"), "gateway");
  assert.equal(why("203.0.113.0/24"), "gateway");
  assert.equal(why("203.0.113.2"), null);
  assert.equal(why("192.0.2.9"), "allow_listed");
  assert.equal(why("198.51.100.9"), "allow_listed");
});

test("a change is seen within five seconds, at once on request, and after the clock was set back", () => {
  const { list, allow } = kit();
  assert.equal(list.refresh(POLICY, NOON), true);
  assert.equal(list.refresh(POLICY, later(NOON, 6_000)), false, "nothing has changed");
  allow("198.51.100.1");
  assert.equal(list.refresh(POLICY, later(NOON, 10_999)), false);
  assert.equal(list.refresh(POLICY, later(NOON, 11_000)), true);
  allow("198.51.100.2");
  assert.equal(list.refresh(POLICY, later(NOON, 11_001), true), true);
  allow("198.51.100.3");
  assert.equal(list.refresh(POLICY, later(NOON, 11_001)), false);
  assert.equal(list.refresh(POLICY, later(NOON, 11_000)), true, "the clock was set back");
});
