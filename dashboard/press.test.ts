import assert from "node:assert/strict";
import { test } from "node:test";
import { ignoreHeld, pressed, type Stage } from "./press.ts";

test("the second half of a double click confirms nothing", () => {
  assert.equal(pressed("rests", 1), "asks");
  assert.equal(pressed("asks", 2), "asks");
  assert.equal(pressed("asks", 1), "asks", "too soon for an answer");
  assert.equal(pressed("armed", 2), "armed", "on a machine whose double clicks are slow");
});

test("a second press by pointer or key confirms, and runs once", () => {
  for (const clicks of [0, 1]) assert.equal(pressed("armed", clicks), "runs");
  const running: Stage = "runs";
  assert.equal(pressed(running, 1), running);
});

test("Enter that is held down presses once; a held Tab moves on", () => {
  const ignores = (key: string, repeat: boolean): boolean => {
    let isIgnored = false;
    ignoreHeld({ key, repeat, preventDefault: () => (isIgnored = true) });
    return isIgnored;
  };
  assert.deepEqual([ignores("Enter", false), ignores("Enter", true), ignores("Tab", true)], [false, true, false]);
});
