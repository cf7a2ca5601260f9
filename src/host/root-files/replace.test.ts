import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { UnsafePath } from "./directory.ts";
import { replace } from "./replace.ts";

const FILES = new URL("./files.ts", import.meta.url).href;
const WRITES = 100;

test("programs that write the same file or link at once do not disturb each other", async () => {
  const directory = temporaryDirectory();
  const [file, link] = [join(directory, "file"), join(directory, "link")];
  const write = (text: string) => {
    const program = `import { replaceLink, writeFile } from ${JSON.stringify(FILES)};
      for (let n = 0; n < ${WRITES}; n++) {
        writeFile(${JSON.stringify(file)}, ${JSON.stringify(text)}, { mode: 0o600, flush: false });
        replaceLink(${JSON.stringify(text)}, ${JSON.stringify(link)});
      }`;
    return promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  };
  await Promise.all([write("one"), write("another")]);
  assert.match(readFileSync(file, "utf8"), /^(one|another)$/);
  assert.match(readlinkSync(link), /^(one|another)$/);
  assert.deepEqual(readdirSync(directory).sort(), ["file", "link"]);
});

test("a write whose file is removed each time fails with an error", () => {
  const directory = temporaryDirectory();
  let made = 0;
  const make = (): void => {
    made++;
    throw new UnsafePath("it was made by another program");
  };
  assert.throws(() => replace(join(directory, "file"), make), /made by another program/);
  assert.ok(made > 1 && made < 20);
  assert.deepEqual(readdirSync(directory), []);
});
