import { hash } from "node:crypto";
import { existsSync, globSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { removeFile } from "../../host/root-files/files.ts";
import { giveDirectory } from "../../host/root-files/trees.ts";
import { removeEmptyDirectory } from "../../host/root-files/walk.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import type { Layout } from "../../settings/layout.ts";

/** Changes that the packages installed by set-up made, and that Debian does not undo. */
export type Besides = ReturnType<typeof parseBesides>;

/** On a small board, apt plans for a minute. */
const ANSWER_MS = 600_000;

/** Files that name the users that remaining packages need: dpkg(1) scripts, and sysusers.d(5). */
const CLAIMS = ["/var/lib/dpkg/info/*.{preinst,postinst,config}", "/{usr/lib,etc}/sysusers.d/*.conf"];

export function readBesides({ data }: Pick<Layout, "data">): Besides {
  const file = join(data, "installed-besides");
  return parseBesides(existsSync(file) ? readFileSync(file, "utf8") : "");
}

/** Parses set-up's record. Accepts only names that useradd(8) and Debian accept, because they become arguments. */
export function parseBesides(text: string) {
  // No path climbs with "..": each stays below the directory that it names.
  const lines = text.split("\n").filter((line) => !line.split("/").includes(".."));
  const found = (pattern: RegExp) => lines.map((line) => pattern.exec(line)).filter((match) => match !== null);
  const named = (pattern: RegExp): readonly string[] => found(pattern).map(([, name = ""]) => name);
  return {
    users: named(/^user ([a-z_][a-z0-9_-]*)$/),
    groups: named(/^group ([a-z_][a-z0-9_-]*)$/),
    /** Files in /etc that belong to no package, with the SHA-256 of their content; for links, their target. */
    files: found(/^(?:file|link) ([0-9a-f]{64}) (\/etc\/.+)$/).map(([, sha256 = "", path = ""]) => ({ path, sha256 })),
    directories: named(/^directory (\/etc\/.+)$/),
    /** Directories in /etc that existed before, whose mode or owner packages changed: `710 0:105`. */
    modes: found(/^mode ([0-7]{1,4} \d+:\d+) ([0-7]{1,4} \d+:\d+) (\/etc\/.+)$/).map(
      ([, now = "", before = "", path = ""]) => ({ path, now, before }),
    ),
    /** Lines of dpkg-statoverride(1): `root root 700 /etc/dovecot/private`. */
    overrides: named(/^override (\S+ \S+ [0-7]{3,4} \/.+)$/),
    /** Packages that were removed for those of set-up; `auto` are those that apt had installed because others needed them. */
    removed: [...new Set(named(/^removed ([a-z0-9][a-z0-9+.-]+)(?::[a-z0-9]+)?(?: auto)?$/))],
    auto: named(/^removed ([a-z0-9][a-z0-9+.-]+)(?::[a-z0-9]+)? auto$/),
  };
}

/** The names that no remaining package mentions. Call it after the packages are removed. */
export function unclaimed(names: readonly string[]): readonly string[] {
  const texts = CLAIMS.flatMap((pattern) => globSync(pattern)).map((path) => readFileSync(path, "utf8"));
  return names.filter((name) => {
    const mention = new RegExp(`(?<![\\w-])${RegExp.escape(name)}(?![\\w-])`);
    return !texts.some((text) => mention.test(text));
  });
}

/** Removes overrides that are unchanged since they were added and whose directory has gone with its package. */
export async function removeOverrides({ overrides }: Pick<Besides, "overrides">): Promise<void> {
  const here = (await runProgram("dpkg-statoverride", ["--list"])).stdout.split("\n");
  for (const line of overrides.filter((one) => here.includes(one))) {
    const path = line.slice(line.indexOf("/"));
    if (!existsSync(path)) await runProgram("dpkg-statoverride", ["--remove", path]);
  }
}

/** Deletes unchanged files that no package owns any more; then empty directories. */
export async function removeFilesBesides({ files, directories }: Besides): Promise<void> {
  const same = files.filter(({ path, sha256 }) => hashOfEntry(path) === sha256).map(({ path }) => path);
  const here = directories.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
  const owned = await ownedByPackages([...same, ...here]);
  for (const path of same) if (!owned.has(path)) removeFile(path);
  // The contents of a directory come before it.
  for (const path of here.toSorted().toReversed()) if (!owned.has(path)) removeEmptyDirectory(path);
}

/**
 * Restores the mode and owner of directories, unless someone has changed them since. Call it before their groups are removed, whose ids
 * could be reused. A set-up that was interrupted and repeated has left two steps.
 */
export function restoreModes({ modes }: Pick<Besides, "modes">): void {
  for (let left = modes; left.length > 0; ) {
    const step = left.find(({ path, now }) => modeAndOwner(path) === now);
    if (step === undefined) return;
    const [, mode = "", uid = "", gid = ""] = /^(\d+) (\d+):(\d+)$/.exec(step.before) ?? [];
    giveDirectory(step.path, { mode: Number.parseInt(mode, 8), owner: { uid: Number(uid), gid: Number(gid) } });
    left = left.filter((one) => one !== step);
  }
}

function modeAndOwner(path: string): string | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true ? `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}` : null;
}

/** dpkg-query(1): `package, another: path`, a line each. */
async function ownedByPackages(paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  // Code 1: some belong to no package.
  const owners = await printedBy("dpkg-query", ["-S", ...paths], 1);
  return new Set(owners.split("\n").map((line) => line.slice(line.indexOf(": ") + 2)));
}

/** Throws SetUpFailure above this exit code, because incomplete output would decide what is removed. */
export async function printedBy(program: string, args: readonly string[], mostCode: number): Promise<string> {
  const ran = await runProgram(program, args, { timeoutMs: ANSWER_MS });
  if (ran.code > mostCode) throw new SetUpFailure(`${program} failed: ${lastLines(ran)}`);
  return ran.stdout;
}

function hashOfEntry(path: string): string | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() === true) return hash("sha256", readFileSync(path));
  return stat?.isSymbolicLink() === true ? hash("sha256", readlinkSync(path)) : null;
}
