import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { COMMANDS } from "../../../test/kit/commands.ts";
import { parseControlLine, parseReply, parseWatchLine, printLine } from "./codec.ts";

for (const command of Object.values(COMMANDS))
  test(`control line: ${command.verb} is parsed as it was sent`, () => {
    const line = printLine({ by: "root", command });
    assert.match(line, /^[^\n]+\n$/);
    assert.deepEqual(parseControlLine(line), { ok: true, value: { by: "root", command } });
  });

const HAVE_DEFAULTS = ["limit", "cursor", "text", "for", "note", "domain", "subject", "until"];
for (const [verb, command] of Object.entries(COMMANDS))
  for (const field of Object.keys(command).filter((name) => name !== "verb"))
    test(`control line: ${verb}: a missing or wrong ${field} is refused, and the refusal names it`, () => {
      const mayLack = HAVE_DEFAULTS.includes(field) || /^(held_list|queue_.*)$/.test(verb);
      for (const value of [...(mayLack ? [] : [undefined]), 7.5, {}, [7], "x".repeat(10_000)]) {
        const parsed = parseControlLine(JSON.stringify({ by: "root", command: { ...command, [field]: value } }));
        assert.ok(!parsed.ok, JSON.stringify(value));
        assert.equal(parsed.error.kind, "usage");
        assert.match(parsed.error.message, new RegExp(`^The field "${field}" .*\\.$`));
      }
    });

for (const [name, line, message] of [
  ["nothing", "", "The line is not a JSON object."],
  ["no JSON", "status", "The line is not a JSON object."],
  ["a list", "[]", "The line is not a JSON object."],
  ["no one who asks", '{"command":{"verb":"ping"}}', 'The field "by" is not a text of at most 120 characters.'],
  ["no command", '{"by":"root"}', 'The field "command" is not an object.'],
  ["a list for a command", '{"by":"root","command":[]}', 'The field "command" is not an object.'],
  ["no verb", '{"by":"root","command":{}}', 'Unknown command "".'],
  ["another verb", '{"by":"root","command":{"verb":"shell\\u001b"}}', 'Unknown command "shell\\x1b".'],
  ["an inherited verb", '{"by":"root","command":{"verb":"toString"}}', 'Unknown command "toString".'],
  ["a field too many", '{"by":"root","command":{"verb":"ping","force":true}}', 'Unknown field "force".'],
  ["a field beside the command", '{"by":"root","origin":"root","command":{"verb":"ping"}}', 'Unknown field "origin".'],
] as const)
  test(`control line refused: ${name}`, () => {
    const parsed = parseControlLine(line);
    assert.ok(!parsed.ok);
    assert.equal(parsed.error.message, message);
  });

test("control characters in text that people wrote are escaped", () => {
  const command = { ...COMMANDS.record, subject: "a\u001b[2Jb" };
  const parsed = parseControlLine(JSON.stringify({ by: "admin\nroot", command }));
  const value = { by: "admin\\x0aroot", command: { ...command, subject: "a\\x1b[2Jb" } };
  assert.deepEqual(parsed, { ok: true, value });
});

test("no line throws, and each refusal is one printable sentence", () => {
  const lines = Object.values(COMMANDS).map((command) => JSON.stringify({ by: "root", command }));
  const mutated = fc
    .tuple(fc.constantFrom(...lines), fc.nat(120), fc.string({ unit: ANY_CHARACTER, maxLength: 3 }), fc.nat(4))
    .map(([line, at, put, cut]) => line.slice(0, at) + put + line.slice(at + cut));
  const extras = fc.dictionary(fc.string({ unit: ANY_CHARACTER }), fc.jsonValue());
  const odd = fc
    .tuple(fc.constantFrom(...Object.values(COMMANDS)), extras)
    .map(([command, extra]) => JSON.stringify({ by: "root", command: { ...command, ...extra } }));
  fc.assert(
    fc.property(fc.oneof(mutated, odd, fc.json(), fc.string({ unit: ANY_CHARACTER })), (line) => {
      const parsed = parseControlLine(line);
      if (!parsed.ok) assert.match(parsed.error.message, /^[^\p{C}]{1,200}$/u);
      else assert.ok(Object.hasOwn(COMMANDS, parsed.value.command.verb));
      parseReply("ping", line);
      parseWatchLine(line);
    }),
    { seed: 6, numRuns: 1_500 },
  );
});

test("replies", () => {
  const good = { ok: true, result: { pid: 7 } } as const;
  const bad = { ok: false, kind: "failed", message: "No.", next: "Nothing." } as const;
  assert.deepEqual(parseReply("ping", printLine(good)), good);
  assert.deepEqual(parseReply("ping", printLine(bad)), bad);
  const odd = ['{"ok":true,"result":{"expired":1}}', '{"ok":false,"kind":"odd","message":"","next":""}'];
  for (const line of ["", "[]", "{}", '{"ok":true}', '{"ok":false}', ...odd])
    assert.equal(parseReply("ping", line), null, line);
});

test("lines of watch", () => {
  assert.equal(parseWatchLine(printLine({ lastEventId: 12 })), 12);
  for (const line of ["", "{}", '{"lastEventId":-1}', '{"lastEventId":1.5}', '{"lastEventId":"1"}', "12"])
    assert.equal(parseWatchLine(line), null, line);
});
