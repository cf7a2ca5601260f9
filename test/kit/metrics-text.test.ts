import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMetrics } from "./metrics-text.ts";

const GOOD = '# HELP a_total What it is.\n# TYPE a_total counter\na_total{type="x",b="say \\"y\\""} 3\na_total 1.5e3\n';

test("families are read with their samples", () => {
  assert.deepEqual(parseMetrics(`${GOOD}# HELP b More.\n# TYPE b gauge\n`), [
    {
      name: "a_total",
      help: "What it is.",
      type: "counter",
      samples: [
        { labels: { type: "x", b: 'say \\"y\\"' }, value: 3 },
        { labels: {}, value: 1500 },
      ],
    },
    { name: "b", help: "More.", type: "gauge", samples: [] },
  ]);
});

for (const [what, text] of [
  ["no line end", GOOD.slice(0, -1)],
  ["no help", GOOD.replace(/^.*\n/, "")],
  ["no type", GOOD.replace(/# TYPE.*\n/, "")],
  ["an unknown type", GOOD.replace("counter", "amount")],
  ["a counter with another name", GOOD.replaceAll("a_total", "a")],
  ["a sample from another family", `${GOOD}b 1\n`],
  ["a family that comes twice", `${GOOD}${GOOD}`],
  ["a sample that comes twice", `${GOOD}a_total 2\n`],
  ["no number", GOOD.replace(" 3", " three")],
  ["a quote within a label", GOOD.replace("x", 'x"')],
  ["an empty line", `${GOOD}\n`],
] as const)
  test(`${what} is refused`, () => assert.throws(() => parseMetrics(text)));
