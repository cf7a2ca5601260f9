import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

const PAGE = "docs/reference/invariants.md";
const HEAD =
  "# Invariants\n\nGenerated from the first lines of the tests that hold them, by `UPDATE_EXPECTED=1 npm test house/invariants`.\n\n";

test("docs/reference/invariants.md lists the invariants that tests name in their heads", () => {
  const held = globSync("{src,test}/**/*.ts")
    .toSorted()
    .flatMap((path) =>
      Array.from(
        readFileSync(path, "utf8").matchAll(/^\/\/ Invariant: (.*)$/gm),
        ([, says]) => `- ${says} (\`${path}\`)`,
      ),
    );
  assert.ok(held.length > 60);
  const page = `${HEAD}${held.join("\n")}\n`;
  if (process.env["UPDATE_EXPECTED"] === "1") writeFileSync(PAGE, page);
  assert.ok(readFileSync(PAGE, "utf8") === page, `${PAGE} is stale: run this test with UPDATE_EXPECTED=1`);
});
