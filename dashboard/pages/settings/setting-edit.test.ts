import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, fieldText, findSettings, groupOf, type Setting, valueOf, withEdit } from "./setting-edit.ts";

function setting(key: string, changes: Partial<Setting> = {}): Setting {
  const form = { type: "number", least: "1", most: "9", choices: [], of: null } as const;
  const none = { isHidden: false, inFile: null, line: null, takes: "", whyNot: null };
  return { key, value: "10", from: "default", default: "10", says: `About ${key}.`, form, ...none, ...changes };
}

const as = (type: Setting["form"]["type"], of: Setting["form"]["of"] = null) => ({
  form: { type, of, least: null, most: null, choices: [] },
});

test("a field shows a value as people write it, and sends it as in the file", () => {
  for (const [form, toml, text, value] of [
    [as("number"), "10", "10", 10],
    [as("decimal"), "5.0", "5.0", 5],
    [as("duration"), '"30m"', "30m", "30m"],
    [as("choice"), '"pass"', "pass", "pass"],
    [as("switch"), "true", "true", true],
    [as("list", "text"), '["a", "b"]', "a, b", ["a", "b"]],
    [as("list", "number"), "[1, 2]", "1, 2", [1, 2]],
    [as("list", "text"), "[]", "", []],
  ] as const) {
    assert.equal(fieldText(toml), text);
    assert.deepEqual(valueOf(form, text), value);
  }
  assert.equal(fieldText("(secret)"), "(secret)");
  for (const wrong of ["many", "1.000", "6,5"])
    assert.equal(valueOf(as("number"), wrong), wrong, "the server says what is wrong with it");
  assert.equal(valueOf(as("decimal"), "6,5"), 6.5);
});

test("only a different value is a change, and restoring the default is one if the file has a line", () => {
  const plain = setting("limits.mail.per_minute");
  const own = setting("bans.manual", { value: '"2h"', from: "file", ...as("duration") });
  let edits = withEdit({}, plain, "20");
  edits = withEdit(edits, own, null);
  assert.deepEqual(changesOf(edits, [plain, own]), { "limits.mail.per_minute": 20, "bans.manual": null });
  assert.deepEqual(withEdit(withEdit(edits, plain, " 10 "), own, "2h"), {});
  assert.deepEqual(withEdit({}, plain, null), {}, "it is the default already");
});

test("settings are found by group, or by words in their name and sentence", () => {
  const all = [setting("limits.mail.per_minute"), setting("bans.manual"), setting("simulate")];
  const keysOf = (text: string) => findSettings(all, "bans", text).map(({ key }) => key);
  assert.deepEqual([keysOf(" "), keysOf("about MAIL")], [["bans.manual"], ["limits.mail.per_minute"]]);
  assert.equal(groupOf("simulate"), "general");
});
