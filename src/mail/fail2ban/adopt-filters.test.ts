import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { adoptFilters, JUDGE, parseJudgement, refusedFilters } from "./adopt-filters.ts";

const whyNot = lacking({ root: true, installed: ["python3"] });

/** A judge that records its runs, and returns the given verdict. */
function judge(mark: string, tricked: string | null): string {
  const answer = JSON.stringify(JSON.stringify({ matches: [], lines: 0, tricked }));
  return `open(${JSON.stringify(mark)}, "a").write("x")\nprint(${answer})\n`;
}

test("a filter is tested again only when it or its judge has changed", { skip: whyNot }, async () => {
  const root = temporaryDirectory();
  chmodSync(root, 0o755);
  const mark = join(root, "mark");
  writeFileSync(mark, "");
  chmodSync(mark, 0o666);
  const layout = layoutOf(join(root, "data"));
  const filter = join(layout.fail2banFilters, "mine.conf");
  for (const directory of [join(root, "security"), layout.fail2banFilters]) mkdirSync(directory, { recursive: true });
  writeFileSync(filter, "[Definition]\nfailregex = from <HOST>$\n");
  writeFileSync(join(root, JUDGE), judge(mark, null));
  const times = async (): Promise<number> => {
    const before = readFileSync(mark, "utf8").length;
    await adoptFilters(root, layout);
    return readFileSync(mark, "utf8").length - before;
  };

  assert.equal(await times(), 1);
  assert.deepEqual(refusedFilters(layout), []);
  assert.equal(await times(), 0, "nothing has changed");
  appendFileSync(filter, "# more\n");
  assert.equal(await times(), 1, "the filter has changed");
  assert.equal(await times(), 0);
  writeFileSync(join(root, JUDGE), judge(mark, "a line"));
  assert.equal(await times(), 1, "the judge has changed");
  assert.match(refusedFilters(layout)[0]?.reason ?? "", /attackers choose/);
  assert.equal(existsSync(join(layout.fail2banOwn, "mine.conf")), false);
});

test("a pipe or a directory in place of a filter is refused, and does not delay a start", async () => {
  const root = temporaryDirectory();
  const layout = layoutOf(join(root, "data"));
  mkdirSync(join(layout.fail2banFilters, "folder.conf"), { recursive: true });
  execFileSync("mkfifo", [join(layout.fail2banFilters, "pipe.conf")]);
  const { own, refused } = await adoptFilters(root, layout);
  assert.deepEqual(own, []);
  const reasons = refused.map(({ reason }) => reason.replace(/^.*\//, ""));
  assert.deepEqual(reasons, ["folder.conf is not a regular file.", "pipe.conf is not a regular file."]);
});

test("matches are read with the addresses that they blame", () => {
  const said = '{"matches":[["198.51.100.7",10,"a line"],["a.name",11,"x"]],"lines":5,"tricked":null}';
  const matches = [{ ip: "198.51.100.7", at: 10_000, line: "a line" }];
  assert.deepEqual(parseJudgement(said), { ok: true, matches, lines: 5, tricked: null });
});

test("an error is returned; anything else is not an answer", () => {
  assert.deepEqual(parseJudgement('{"error":"it has no failregex"}'), { ok: false, reason: "it has no failregex" });
  for (const text of ["", "null", "[]", '{"matches":7,"lines":1,"tricked":null}'])
    assert.equal(parseJudgement(text), null);
});
