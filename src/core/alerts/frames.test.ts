import assert from "node:assert/strict";
import { test } from "node:test";
import { type AlertCode, conditions, isAlertCode } from "./alerts.ts";
import { alertFrames, alertTextIn } from "./frames.ts";
import { notices } from "./notices.ts";

const CODES: readonly AlertCode[] = [...Object.keys(notices), ...Object.keys(conditions)].filter(isAlertCode);
/** Commands, settings and files: who follows a text needs each of them. */
const LITERAL = /`[^`]+`|\b(?:docs|log)\/[\w/.-]+|\b[a-z]+\.[a-z]+_?[a-z.]*\b/g;

test("every alert has a German text, with the same commands, settings and files", () => {
  for (const code of CODES) {
    const [en, de] = [alertTextIn("en", code), alertTextIn("de", code)];
    assert.equal(de.severity, en.severity);
    assert.notEqual(de.says, en.says);
    assert.equal(de.matters === "", en.matters === "");
    assert.deepEqual(literalsOf(`${de.says} ${de.next}`), literalsOf(`${en.says} ${en.next}`), code);
  }
});

test("a frame has every word in both languages", () => {
  for (const [name, word] of Object.entries(alertFrames.en)) {
    const german: unknown = Object.entries(alertFrames.de).find(([other]) => other === name)?.[1];
    if (name !== "server") assert.notEqual(shown(german), shown(word), name);
  }
});

function literalsOf(text: string): readonly string[] {
  return [...new Set(text.match(LITERAL) ?? [])].toSorted();
}

function shown(word: unknown): string {
  return typeof word === "function" ? String(word) : JSON.stringify(word);
}
