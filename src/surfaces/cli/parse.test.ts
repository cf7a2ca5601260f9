import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { commands } from "./commands.ts";
import { parse } from "./parse.ts";

const words = (line: string): readonly string[] => (line === "" ? [] : line.split(" "));

for (const [line, name, args, options] of [
  ["status", "status", [], {}],
  ["why 203.0.113.7 --json", "why", ["203.0.113.7"], { json: "" }],
  ["--json why 203.0.113.7", "why", ["203.0.113.7"], { json: "" }],
  ["ban 203.0.113.7", "ban", ["203.0.113.7"], {}],
  ["ban 203.0.113.7 sent far too much --for 2h", "ban", ["203.0.113.7", "sent far too much"], { for: "2h" }],
  ["ban --for=2h 203.0.113.7", "ban", ["203.0.113.7"], { for: "2h" }],
  ["ban 203.0.113.7 -- --for me", "ban", ["203.0.113.7", "--for me"], {}],
  ["--data /srv/gi account add a@example.org", "account add", ["a@example.org"], { data: "/srv/gi" }],
  ["account list", "account list", [], {}],
  ["alias add i@host.org a@host.org b@host.org", "alias add", ["i@host.org", "a@host.org b@host.org"], {}],
  ["sendmail -t -i -fanna@example.org --json", "sendmail", ["-t", "-i", "-fanna@example.org", "--json"], {}],
  ["events --limit -5", "events", [], { limit: "-5" }],
] as const)
  test(`understood: ${line}`, () => {
    const parsed = parse(words(line), commands);
    assert.ok(parsed.type === "run");
    assert.deepEqual([parsed.command.name, parsed.args, Object.fromEntries(parsed.options)], [name, args, options]);
  });

for (const [line, says] of [
  ["statsu", /Unknown command "statsu".*mean status/],
  ["xyzzy-plugh", /Unknown command "xyzzy-plugh"\.$/],
  ["account", /account needs one of: add, remove/],
  ["account frobnicate", /"account frobnicate"\. account needs one of/],
  ["account lst", /"account lst"\. Did you mean account list\? account needs one of/],
  ["spam alow add anna@example.org", /"spam alow"\. Did you mean spam allow add\?/],
  ["unban", /unban needs IP/],
  ["why 203.0.113.7 203.0.113.8", /does not know what to do with "203.0.113.8"/],
  ["alias add i@example.org", /^alias add needs TARGET\.$/],
  ["status --follow", /status has no option --follow/],
  ["status --frob", /Unknown option --frob\.$/],
  ["events --folow", /Unknown option --folow. Did you mean --follow\?/],
  ["events -f", /Unknown option -f\.$/],
  ["events --follow=yes", /--follow takes no value/],
  ["events --limit", /--limit needs a value: --limit N/],
  ["events --limit=", /--limit needs a value/],
  ["status --json --json", /--json is given twice/],
] as const)
  test(`refused: ${line}`, () => {
    const parsed = parse(words(line), commands);
    assert.ok(parsed.type === "wrong");
    assert.match(parsed.message, says);
  });

test("shows help for no words, for a topic, and for --help at any position", () => {
  for (const [line, topic] of [
    ["", ""],
    ["help", ""],
    ["help account", "account"],
    ["account add --help", "account add"],
    ["-h why", "why"],
    ["account add anna@example.org --help", "account add"],
  ] as const)
    assert.partialDeepStrictEqual(parse(words(line), commands), { type: "help", topic }, line);
  assert.equal(parse(["--version"], commands).type, "version");
});

test("the parser turns any input into a command or a message of one line", () => {
  const word = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
    fc.constantFrom(...commands.flatMap(({ name }) => name.split(" "))),
    fc.constantFrom("--json", "--limit", "--for=2h", "--", "-", "--=", "-h"),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      const parsed = parse(argv, commands);
      if (parsed.type === "wrong") assert.match(parsed.message, /^[^\n]+$/);
      if (parsed.type === "run" && parsed.command.isVerbatim !== true)
        assert.ok(parsed.args.length <= parsed.command.usage.split(" ").length);
    }),
    { seed: 20_261_120, numRuns: 500 },
  );
});
