import assert from "node:assert/strict";
import { test } from "node:test";
import { commands } from "../commands.ts";
import { typedWords } from "./typed-words.ts";

const words = typedWords(commands);

test("offers each word of each command after those before it, with its description", () => {
  for (const { name, says } of commands) {
    const typed = name.split(" ");
    for (const [at, word] of typed.entries()) {
      const after = `${typed.slice(0, at).join(" ")}:0`;
      const offered = words.following.find((one) => one.after === after)?.words.find((one) => one.word === word);
      assert.ok(offered !== undefined, `${word} after ${after}`);
      if (at === typed.length - 1) assert.equal(offered.says, says);
    }
  }
});

test("no two entries are for the same position", () => {
  const places = words.following.map(({ after }) => after);
  assert.equal(new Set(places).size, places.length);
});
