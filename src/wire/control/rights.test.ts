import assert from "node:assert/strict";
import { test } from "node:test";
import { WEB_VERBS } from "../../../test/kit/web-verbs.ts";
import { verbs } from "./control.ts";
import { actorFrom, mayAsk } from "./rights.ts";

test("the web may ask what its routes offer, and nothing else", () => {
  const names = [...verbs.values()].map(({ verb }) => verb);
  assert.deepEqual(names.filter((verb) => mayAsk("web", verb)).toSorted(), WEB_VERBS);
  assert.ok(!mayAsk("root", "dashboard_login"), "only the web has sign-ins to report");
});

test("an actor that the web names is marked as such, and is one of its callers", () => {
  assert.equal(actorFrom("root", "root (anna)"), "root (anna)");
  assert.equal(actorFrom("web", "admin via 203.0.113.7"), "web:admin via 203.0.113.7");
  assert.equal(actorFrom("web", "token ci-1.x via 2001:db8::7"), "web:token ci-1.x via 2001:db8::7");
  assert.equal(actorFrom("web", "web"), "web:web");
  for (const forged of ["root", "", "engine", "admin via 203.0.113.7 by root", "admin via 203.0.113.7\n", "web:root"])
    assert.equal(actorFrom("web", forged), "web:unnamed", forged);
});
