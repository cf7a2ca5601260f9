import assert from "node:assert/strict";
import { test } from "node:test";
import { accountName, keepRule } from "../../../test/kit/samples.ts";
import { ruledFolders, underRuleSince, withSeen } from "./retention.ts";

const ANNA = accountName("anna@example.org");
const seen = (name: string, ...rules: readonly string[]) =>
  ruledFolders(rules.map(keepRule), ANNA, [{ name, guid: "a1", mails: 0, bytes: 0 }]);

test("a folder's time starts when it comes under a rule, even by a new name or a new rule", () => {
  assert.deepEqual(seen("Archive", "Trash 30d"), []);
  const [first] = seen("Trash.Archive", "Trash 30d");
  assert.ok(first);
  assert.equal(underRuleSince(undefined, first), null);
  const noted = withSeen({}, [first], 100);
  assert.equal(underRuleSince(noted, first), 100);
  assert.equal(withSeen(noted, [first], 200)["a1"]?.since, 100);
  assert.equal(withSeen(noted, seen("Trash.Archive", "Trash 7d"), 200)["a1"]?.since, 100, "the same rule");
  assert.equal(withSeen(noted, seen("Trash.Archive", "Trash 30d", `${ANNA} Trash 7d`), 200)["a1"]?.since, 200);
  assert.equal(withSeen(noted, seen("Archive", "Trash 30d", "* 90d"), 200)["a1"]?.since, 200);
  assert.deepEqual(withSeen(noted, seen("Archive", "Trash 30d"), 200), {}, "it left the rule, and will start again");
});

test("a time noted while the clock was ahead does not keep mail forever", () => {
  const folders = seen("Trash", "Trash 30d");
  assert.equal(withSeen(withSeen({}, folders, 900), folders, 200)["a1"]?.since, 200);
});
