import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import type { Layout } from "../../settings/layout.ts";
import { SetUpFailure } from "./failure.ts";

/** Compiles the script that runs before each user's own: delivery agents may not write beside it. */
export async function compileSieve(layout: Layout): Promise<void> {
  const script = join(layout.sieve, "junk.sieve");
  const compiled = join(layout.sieve, "junk.svbin");
  if (existsSync(compiled) && statSync(compiled).mtimeMs > statSync(script).mtimeMs) return;
  const made = await runProgram("sievec", ["-c", layout.dovecotConf, script]);
  if (made.code !== 0)
    throw new SetUpFailure(`The script that delivers spam could not be compiled: ${lastLines(made)}`);
}
