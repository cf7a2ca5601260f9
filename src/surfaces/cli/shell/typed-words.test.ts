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

test("offers words that a usage lists at their position, and files", () => {
  const after = (place: string) => words.following.find((one) => one.after === place);
  assert.deepEqual(
    after("account networks:1")?.words.map(({ word }) => word),
    ["add", "remove", "list"],
  );
  assert.equal(after("account networks:0"), undefined, "the address is not known");
  assert.deepEqual(
    after("account quota:1")?.words.map(({ word }) => word),
    ["none", "default"],
  );
  assert.equal(after("account import:0")?.file, true);
});

test("no two entries are for the same position", () => {
  const places = words.following.map(({ after }) => after);
  assert.equal(new Set(places).size, places.length);
});
