import assert from "node:assert/strict";
import { test } from "node:test";
import { costOf } from "../../../test/kit/processor-time.ts";
import { LONGEST_LINE, parseMailLine } from "./log-line.ts";
import { LOG_PATTERNS, matchPattern } from "./mail-log.ts";

function match(line: string) {
  const parsed = parseMailLine(line);
  assert.ok(parsed !== null, line);
  return matchPattern(parsed);
}

for (const pattern of LOG_PATTERNS) {
  test(`${pattern.name}: its example, and no other pattern's`, () => {
    const found = match(pattern.example);
    assert.equal(found?.pattern.name, pattern.name);
    assert.equal(found.groups["ip"], "198.51.100.7");
    for (const other of LOG_PATTERNS.filter((one) => one !== pattern)) {
      const text = parseMailLine(other.example)?.text ?? "";
      assert.equal(pattern.matches.test(text), false, `${pattern.name} matches the example of ${other.name}`);
    }
  });

  test(`${pattern.name}: no stranger passes for another`, () => {
    assert.notEqual(pattern.hostile.length, 0);
    for (const { line, ip } of pattern.hostile) {
      const found = match(line);
      const own = found?.pattern === pattern ? (found.groups["ip"] ?? null) : null;
      assert.equal(own, ip, line);
      assert.notEqual(found?.groups["ip"] ?? null, "203.0.113.9", line);
    }
  });

  test(`${pattern.name}: the longest and worst lines take no time`, () => {
    const text = parseMailLine(pattern.example)?.text ?? "";
    const pieces = [
      '"',
      "<",
      ">",
      ">, rip=1, lip=1, ",
      " a=1/1",
      "(",
      "\\",
      ": ",
      "from x[1",
      "user=<",
      "a ",
      "-A",
      "[",
      "x",
    ];
    const { costMs } = costOf(() => {
      for (const piece of pieces)
        for (let cut = 0; cut <= text.length; cut += 1)
          pattern.matches.test(`${text.slice(0, cut)}${piece.repeat(LONGEST_LINE)}`.slice(0, LONGEST_LINE));
    });
    const each = costMs / (pieces.length * (text.length + 1));
    assert.ok(each < 1, `${each} ms a line`);
  });
}
