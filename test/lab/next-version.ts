import { execFileSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { md5sums } from "../../scripts/debian/control.ts";

/** The "next version" does not exist: it is this one with one more migration for each database. */

/**
 * Makes it from a checkout or an installed program. Changes both the sources and their build, so that no rebuild is
 * needed. Uses no variables from outside, so that it also runs in a container: see NEXT_VERSION_SCRIPT.
 */
export function makeNextVersion(root: string): void {
  const fs = process.getBuiltinModule("node:fs");
  const { hash } = process.getBuiltinModule("node:crypto");
  const cache = `${root}/node_modules/.cache`;
  const migrations = /(\b(?:engine|accounts)Migrations(?:: readonly string\[\])? = \[\w+)\]/g;
  for (const file of fs.globSync([`${root}/src/store/*-db/schema.ts`, `${cache}/*/*.{js,mjs}`])) {
    const text = fs.readFileSync(file, "latin1");
    const next = text.replace(migrations, '$1, "CREATE TABLE of_next_version (x INTEGER) STRICT"]');
    if (next === text) continue;
    const { atime, mtime } = fs.statSync(file);
    fs.writeFileSync(file, next, "latin1");
    fs.utimesSync(file, atime, mtime);
  }
  for (const record of fs.globSync(`${cache}/*/sources`)) {
    const note = (line: string): string => {
      const [, what = "", path = ""] = /^(kept|source) \S+ \S+ \S+ (.+)$/.exec(line) ?? [];
      const file = what === "kept" ? `${record.slice(0, -"sources".length)}${path}` : `${root}/${path}`;
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      if (what === "" || stat === undefined) return line;
      return `${what} ${stat.size} ${stat.mtimeMs} ${hash("sha256", fs.readFileSync(file))} ${path}`;
    };
    fs.writeFileSync(record, fs.readFileSync(record, "utf8").split("\n").map(note).join("\n"));
  }
}

/** For `node --eval`, with the directory as its argument. */
export const NEXT_VERSION_SCRIPT = `(${String(makeNextVersion)})(process.argv[1])`;

/** Makes its package beside that of this version. */
export function packageNextVersion(directory: string): void {
  const [deb = ""] = globSync(join(directory, "ghostinbox_0.1.0-1_*.deb"));
  const stage = join(directory, "next-version");
  execFileSync("dpkg-deb", ["--raw-extract", deb, stage]);
  try {
    makeNextVersion(join(stage, "usr/lib/ghostinbox"));
    const control = join(stage, "DEBIAN/control");
    writeFileSync(control, readFileSync(control, "utf8").replace("Version: 0.1.0-1", "Version: 0.2.0-1"));
    writeFileSync(join(stage, "DEBIAN/md5sums"), md5sums(stage));
    execFileSync("dpkg-deb", ["-Znone", "--root-owner-group", "--build", stage, deb.replace("0.1.0", "0.2.0")]);
  } finally {
    rmSync(stage, { recursive: true });
  }
}
