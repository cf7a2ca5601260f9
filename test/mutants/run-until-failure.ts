/** Runs the named test files in this process, in order, and ends at the first failure, which it names. */
import { writeSync } from "node:fs";
import { relative } from "node:path";
import { run } from "node:test";
import { messageOf } from "../../src/core/error.ts";

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("no test files");
const stream = run({ files, isolation: "none", forceExit: true });
stream.on("test:fail", ({ file, name, details: { error } }) => {
  // Exits at once, without waiting for what the failed test left open or for the other tests.
  const why = messageOf(error.cause ?? error).replaceAll(/\s+/g, " ");
  writeSync(1, `${relative(process.cwd(), file ?? "")}\t${name}\t${why}\n`);
  process.exit(1);
});
stream.resume();
