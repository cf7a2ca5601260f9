import assert from "node:assert/strict";
import { test } from "node:test";
import type { CliCommand } from "./call.ts";
import { commands } from "./commands.ts";
import { helpFor } from "./help.ts";

function textOf(topic: string): string {
  const help = helpFor(topic, commands);
  return help.ok ? help.text : assert.fail(help.message);
}

function commandNamed(wanted: string): CliCommand {
  return commands.find(({ name }) => name === wanted) ?? assert.fail(wanted);
}

test("the help names every command, grouped by purpose within 80 columns, and the exit codes", () => {
  const lines = textOf("").split("\n");
  const unbroken = textOf("").replace(/\n? {2,}/g, " ");
  for (const { name, usage, says } of commands)
    assert.ok(unbroken.includes(`\n${[name, usage].join(" ").trim()} ${says}\n`), name);
  assert.equal(lines[0], "./ghostinbox COMMAND [OPTION...]");
  assert.equal(lines.at(-1), "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running.");
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.ok(lines.filter((line) => /^[A-Z].*:$/.test(line)).length >= 5);
});

test("a group shows only its own commands", () => {
  const text = textOf("account");
  assert.match(text, /^\.\/ghostinbox account \[OPTION\.\.\.\]$/m);
  assert.match(text, /^account add /m);
  assert.doesNotMatch(text, /^(?!account |-| {20}|\.\/|`|Exit|$)/m);
});

test("the help of a command shows its own options and the global ones", () => {
  const { options } = commandNamed("events");
  const text = textOf("events");
  assert.ok(options.length > 0);
  for (const { name } of [...options, { name: "json" }]) assert.match(text, new RegExp(`^--${name}\\b`, "m"));
});

test("--json prints the table of commands", () => {
  const help = helpFor("ban", commands);
  assert.ok(help.ok);
  const { name, usage, says, options } = commandNamed("ban");
  assert.deepEqual(help.json, { commands: [{ name, usage, says, options }] });
});

test("an unknown topic is wrong usage", () => {
  const help = helpFor("frobnicate", commands);
  assert.ok(!help.ok);
  assert.deepEqual([help.exit, help.message], ["wrong_usage", 'Unknown command "frobnicate".']);
});
