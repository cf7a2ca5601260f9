import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { copyFile, linkProgram } from "../../host/root-files/copies.ts";
import { removeFile, writeFile } from "../../host/root-files/files.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import { CHECKOUT, commitIn, versionIn } from "../../host/running/checkout.ts";
import type { Layout } from "../../settings/layout.ts";
import { keptBuild } from "./kept-build.ts";

/** Puts the programs and their runtime where the unprivileged users can read them, wherever the clone is. */
export async function installPrograms(layout: Layout): Promise<void> {
  const files = await filesOf(layout);
  const pagePrograms = join(layout.program, "dashboard", "programs");
  for (const directory of [dirname(pagePrograms), pagePrograms]) makeDirectory(directory, 0o755);
  for (const { path, content } of files) {
    const data = content();
    if (isThere(path, data)) continue;
    makeDirectory(dirname(path), 0o755);
    writeFile(path, data, { mode: 0o644, flush: false });
  }
  // Removes the page's programs of a different version, which have different names.
  const wanted = new Set(files.map(({ path }) => path));
  for (const path of readdirSync(pagePrograms).map((name) => join(pagePrograms, name)))
    if (!wanted.has(path)) removeFile(path);
  installRuntime(process.execPath, layout.node);
}

/** The names of the programs that a start from this checkout would replace. */
export async function changedPrograms(layout: Layout): Promise<readonly string[]> {
  const files = await filesOf(layout);
  const changed = files.filter(({ path, content }) => !isThere(path, content()));
  return changed.map(({ path }) => relative(layout.program, path));
}

type ProgramFile = Readonly<{ path: string; content: () => Uint8Array }>;

async function filesOf({ program, spamHead, perUserBayes }: Layout): Promise<readonly ProgramFile[]> {
  const built = await keptBuild(CHECKOUT, "programs");
  const copied = (name: string, from: string, to: string): ProgramFile => ({
    path: join(to, name),
    content: () => readFileSync(join(CHECKOUT, from, name)),
  });
  const about = { type: "module", version: versionIn(CHECKOUT), commit: commitIn(CHECKOUT) ?? undefined };
  return [
    ...built.map(({ name, content }) => ({ path: join(program, name), content })),
    copied("icon.svg", "dashboard", join(program, "dashboard")),
    { path: join(program, "package.json"), content: () => Buffer.from(`${JSON.stringify(about, null, 1)}\n`) },
    ...[basename(spamHead), "spam_view.py", basename(perUserBayes)].map((name) => copied(name, "security", program)),
  ];
}

function isThere(path: string, data: Uint8Array): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === data.length && readFileSync(path).equals(data);
}

/** Links the runtime if that is safe and possible, otherwise copies it. */
function installRuntime(from: string, to: string): void {
  const source = statSync(from);
  if (existsSync(to)) {
    const present = statSync(to);
    const same = present.ino === source.ino && present.dev === source.dev;
    if (same || (present.size === source.size && present.mtimeMs >= source.mtimeMs)) return;
  }
  if (!linkProgram(from, to)) copyFile(from, to, 0o755);
}
