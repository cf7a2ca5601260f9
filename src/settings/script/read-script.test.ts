import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readScript } from "./adopt-edits.ts";

const SCRIPT = join(import.meta.dirname, "..", "..", "..", "security", "security.js");

test("the delivered script has the limits of the original, and trusts no more addresses", () => {
  assert.deepEqual(readScript(readFileSync(SCRIPT, "utf8")), {
    ok: true,
    config: {
      maxEmailsPerIP: { perMinute: 10, perHour: 50, perDay: 200 },
      maxConnectionsPerIP: { perMinute: 20, perHour: 100, concurrent: 10 },
      banDurations: { light: 1_800_000, medium: 7_200_000, heavy: 86_400_000 },
      whitelist: [],
    },
  });
});

test("comments, both quotes, quoted names and a last comma are read as JavaScript reads them", () => {
  const text = `#!/usr/bin/env node
const config = {
  /* config = { */
  'maxEmailsPerIP': { perMinute: 20 /* } */, }, // Adjust for your needs
  whitelist: ["192.0.2.1", '2001:db8::/48', "//",],
};
process.exit(1);`;
  assert.deepEqual(readScript(text), {
    ok: true,
    config: { maxEmailsPerIP: { perMinute: 20 }, whitelist: ["192.0.2.1", "2001:db8::/48", "//"] },
  });
});

for (const [what, text, says] of [
  ["no config", "const other = {};", /has no line `const config = \{`/],
  ["a call", "\nconst config = {\n  perMinute: Number(process.env.N),\n};", /line 3 is more than a plain value/],
  ["a sum", "const config = { perMinute: 5 + 5 };", /line 1 is more/],
  ["a product of a name", "const config = { light: 30 * minutes };", /line 1 is more/],
  ["a number that is none", "const config = { perMinute: 10x };", /line 1 is more/],
  ["an escape", 'const config = { whitelist: ["\\x31"] };', /line 1 is more/],
  ["a template", "const config = { whitelist: [`1`] };", /line 1 is more/],
  ["no end", "const config = { whitelist: [", /line 1 is more/],
  ["a missing comma", "\nconst config = { a: 1 b: 2 };", /from 2 on are not plain values/],
  ["brackets that do not fit", "const config = { a: [1} ]", /are not plain values/],
] as const)
  test(`${what} is refused with its line`, () => {
    const read = readScript(text);
    assert.ok(!read.ok);
    assert.match(read.says, says);
  });
