import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { lacking } from "../../../../test/kit/needs.ts";
import { commands } from "../commands.ts";
import { manPage } from "./man-page.ts";

const PAGE = manPage(commands, "1.2.3", "2026-11-20");

test("the page names every command and each of its options", { skip: lacking({ installed: ["groff"] }) }, () => {
  const options = ["-man", "-Tutf8", "-ww", "-P-c", "-P-b", "-P-u", "-rLL=200n"];
  const { stdout, stderr, status } = spawnSync("groff", options, { input: PAGE, encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""], "groff finds nothing wrong with it");
  const text = stdout.replace(/\s+/g, " ");
  for (const { name, says, options } of commands) {
    assert.ok(text.includes(` ${name} `), name);
    assert.ok(text.includes(says.replace(/\s+/g, " ")), says);
    for (const option of options) assert.ok(text.includes(`--${option.name}`), `${name} --${option.name}`);
  }
  assert.match(text, /GhostInbox 1\.2\.3/);
});

test("no line of text is taken for a macro", () => {
  const macros = new Set(["TH", "nh", "ad", "SH", "SS", "TP", "B", "I", "BR", "RS", "RE"]);
  for (const line of PAGE.split("\n").filter((one) => one.startsWith(".")))
    assert.ok(macros.has(line.slice(1).split(" ")[0] ?? ""), line);
});
