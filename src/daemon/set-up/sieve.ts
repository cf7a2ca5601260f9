import { statSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { renderLearnScripts } from "../../render/content/learn-spam.ts";
import { renderSieve } from "../../render/content/sieve.ts";
import type { Layout } from "../../settings/layout.ts";
import { SetUpFailure } from "./failure.ts";

/** Compiles the scripts that run before each user's own: delivery agents and IMAP processes may not write beside them. */
export async function compileSieve({ sieve, dovecotConf }: Layout): Promise<void> {
  const scripts = [renderSieve(), ...renderLearnScripts()].map(({ name }) => join(sieve, name));
  if (scripts.every(isCompiled)) return;
  // All of the directory at once: to load Dovecot's configuration takes longest.
  const made = await runProgram("sievec", ["-c", dovecotConf, sieve]);
  if (made.code === 0) return;
  const failed = scripts.find((script) => !isCompiled(script)) ?? sieve;
  throw new SetUpFailure(`The script ${failed} could not be compiled: ${lastLines(made)}`);
}

function isCompiled(script: string): boolean {
  const compiled = statSync(script.replace(/\.sieve$/, ".svbin"), { throwIfNoEntry: false });
  return compiled !== undefined && compiled.mtimeMs > statSync(script).mtimeMs;
}
