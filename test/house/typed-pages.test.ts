import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { INSTALL_PAGES, patternOf, SHIPPING_PAGES, sectionsOf, stepsOf, TYPED_PAGES } from "../lab/printed-page.ts";

const ALL = [...TYPED_PAGES, ...INSTALL_PAGES, ...SHIPPING_PAGES];
const SAMPLE = `# A page

    ./ghostinbox status

## Two tasks in one

On your own computer:

\`\`\`sh
curl one \\
  --two
cat > file <<'EOF'
a line
EOF
\`\`\`

\`\`\`text
Delete it? [y/N] y
New password:
1 mail, 2 s old ... for 72CED1EABE5
\`\`\`

Sometimes:

\`\`\`sh
false
\`\`\`

It ends with exit code 1.
`;

test("every command in a block of a typed page is typed, and every typed command is in a block", () => {
  assert.equal(untyped("x.md", SAMPLE).length, 1);
  const found = ALL.flatMap((page) => untyped(page, readFileSync(`docs/${page}`, "utf8")));
  assert.deepEqual(found, []);
});

test("only typed pages have blocks of `sh`", () => {
  const others = globSync("docs/**/*.md").filter((page) => !ALL.includes(page.replace("docs/", "")));
  const withBlocks = others.filter((page) => /^```(?:sh|bash|console)/m.test(readFileSync(page, "utf8")));
  assert.deepEqual(withBlocks, []);
});

test("docs/tasks.md has at least twenty tasks, and each one says what to type", () => {
  const page = readFileSync("docs/tasks.md", "utf8");
  const tasks = sectionsOf(page).map(([task]) => task);
  const withSteps = new Set(stepsOf(page).map(({ task }) => task));
  assert.ok(tasks.length >= 20);
  const withoutSteps = tasks.filter((task) => !withSteps.has(task));
  assert.deepEqual(withoutSteps, []);
});

test("a page is parsed as intended", () => {
  const steps = stepsOf(SAMPLE);
  const read = steps.map(({ line, isElsewhere, code }) => [line, isElsewhere, code]);
  assert.deepEqual(read, [
    ["curl one --two", true, 0],
    ["cat > file <<'EOF'\na line\nEOF", true, 0],
    ["false", false, 1],
  ]);
  assert.deepEqual(steps[0]?.sees, [], "what is seen belongs to the last line");
  assert.deepEqual(steps[1]?.asks, [
    ["Delete it? [y/N]", "y"],
    ["New password:", null],
  ]);
  const seen = patternOf(steps[1]?.sees ?? []);
  assert.match("Delete it? [y/N] y\nNew password: \nmore\n1 mail, 4 min\n  old and more for 02A01EB0B50\n", seen);
  assert.doesNotMatch("Delete it? [y/N] y\nNew password: \n2 mail, 4 min old and more for 02A01EB0B50", seen);
  assert.doesNotMatch("New password:\nDelete it? [y/N] y\n1 mail, 4 min old for 02A01EB0B50", seen);
});

/** Commands that no test would type, because they are outside of `sh` blocks, in other blocks, or lost in parsing. */
function untyped(page: string, text: string): readonly string[] {
  const lost: string[] = [];
  const typed = stepsOf(text).map(({ line }) => line);
  let block: string | null = null;
  for (const line of text.split("\n")) {
    const fence = /^```(\w*)$/.exec(line);
    if (fence !== null) block = block === null ? (fence[1] ?? "") : null;
    else if (block === null && /^ {4}\S/.test(line)) lost.push(`${page}: ${line}`);
    else if (block !== null && block !== "sh" && block !== "text") lost.push(`${page}: ${line}`);
    else if (block === "sh" && line !== "" && !typed.some((each) => each.includes(line.replace(/ ?\\$/, "").trim())))
      lost.push(`${page}: ${line}`);
  }
  return lost;
}
