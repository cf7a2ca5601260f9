import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import manifest from "../../package.json" with { type: "json" };
import { keptPathsOf } from "../../src/jobs/build/kept-files.ts";
import type { Lab } from "./lab.ts";

export const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The command that `npm start` runs. */
export const START_SCRIPT = manifest.scripts.start;

/** Where a lab's copy lies, which is removed with the lab. */
export const copiedCheckout = ({ directory }: Pick<Lab, "directory">): string => join(directory, "checkout");

/**
 * Copies the whole checkout, so that a test can add files without leaving any behind. Installed npm packages are shared.
 * The copy has its own build, removed with it; it starts with the existing build of the same sources.
 */
export function copyCheckout(to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(CHECKOUT).filter((each) => each !== ".git" && each !== "node_modules"))
    cpSync(join(CHECKOUT, name), join(to, name), { recursive: true, preserveTimestamps: true });
  const packages = join(to, "node_modules");
  mkdirSync(packages);
  for (const name of readdirSync(join(CHECKOUT, "node_modules")).filter((each) => each !== ".cache"))
    symlinkSync(join(CHECKOUT, "node_modules", name), join(packages, name));
  for (const kind of ["programs", "start", "command-line"] as const) {
    const [from, into] = [keptPathsOf(CHECKOUT, kind), keptPathsOf(to, kind)];
    if (!existsSync(from.record)) continue;
    cpSync(from.directory, into.directory, { recursive: true, preserveTimestamps: true });
    writeFileSync(into.record, readFileSync(from.record, "utf8").replace(CHECKOUT, to));
  }
}
