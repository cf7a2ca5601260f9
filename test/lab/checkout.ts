import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import manifest from "../../package.json" with { type: "json" };
import type { Lab } from "./lab.ts";

export const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** What `npm start` runs. */
export const START_SCRIPT = manifest.scripts.start;

/** Where the copy of a lab lies; it goes with the lab. */
export function copiedCheckout({ directory }: Pick<Lab, "directory">): string {
  return join(directory, "checkout");
}

/**
 * All of the checkout, so that a test may drop files into it and leaves none behind. What npm installed is shared, package by package:
 * what is built of the copy is kept beside them, and goes with it.
 */
export function copyCheckout(to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(CHECKOUT).filter((each) => each !== ".git" && each !== "node_modules"))
    cpSync(join(CHECKOUT, name), join(to, name), { recursive: true, preserveTimestamps: true });
  const packages = join(to, "node_modules");
  mkdirSync(packages);
  for (const name of readdirSync(join(CHECKOUT, "node_modules")).filter((each) => each !== ".cache"))
    symlinkSync(join(CHECKOUT, "node_modules", name), join(packages, name));
}
