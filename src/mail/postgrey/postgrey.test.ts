import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { renderPostgrey } from "./postgrey.ts";

test("strangers cannot make its database grow without limit: a full one is emptied at the start", () => {
  const directory = temporaryDirectory();
  const layout = layoutOf(join(directory, "data"));
  const { text } = renderPostgrey(sampleSite({ layout }));
  assert.match(text, / --privacy /, "long addresses take no more space");
  const programs = join(directory, "programs");
  const inPlace = { setpriv: 'shift 7\nexec "$@"', postgrey: "pwd; ulimit -f" };
  for (const path of [programs, layout.postgreyData]) mkdirSync(path, { recursive: true });
  for (const [name, lines] of Object.entries(inPlace))
    writeFileSync(join(programs, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  const leftAt = (megabytes: number): readonly string[] => {
    for (const name of ["postgrey.db", "log.0000000001"]) writeFileSync(join(layout.postgreyData, name), "");
    truncateSync(join(layout.postgreyData, "postgrey.db"), megabytes * 1024 * 1024);
    const env = { PATH: `${programs}:${process.env["PATH"] ?? ""}` };
    assert.equal(execFileSync("sh", ["-c", text], { env, encoding: "utf8", stdio: "pipe" }), "/\n262144\n");
    return readdirSync(layout.postgreyData).toSorted();
  };
  assert.deepEqual(leftAt(100), ["DB_CONFIG", "log.0000000001", "postgrey.db"]);
  assert.deepEqual(leftAt(127), ["DB_CONFIG"]);
});
