import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { renderLearnScripts } from "../../render/content/learn-spam.ts";
import { renderSieve } from "../../render/content/sieve.ts";
import type { Layout } from "../../settings/layout.ts";
import { SetUpFailure } from "./failure.ts";

/** Compiles the scripts that run before each user's own: delivery agents and IMAP processes may not write beside them. */
export async function compileSieve(layout: Layout): Promise<void> {
  for (const { name } of [renderSieve(), ...renderLearnScripts()]) await compile(layout, join(layout.sieve, name));
}

async function compile(layout: Layout, script: string): Promise<void> {
  const compiled = script.replace(/\.sieve$/, ".svbin");
  if (existsSync(compiled) && statSync(compiled).mtimeMs > statSync(script).mtimeMs) return;
  const made = await runProgram("sievec", ["-c", layout.dovecotConf, script]);
  if (made.code !== 0) throw new SetUpFailure(`The script ${script} could not be compiled: ${lastLines(made)}`);
}
