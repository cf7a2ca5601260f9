import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import type { Layout } from "../../settings/layout.ts";
import { SetUpFailure } from "./failure.ts";

const PROGRAMS = ["guard", "web", "keeper"];
const PAGE_SOURCES = ["index.html", "style.css", "icon.svg"];
/** Some libraries are CommonJS and call require for what Node brings along. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Puts the programs and their runtime where the unprivileged users can read them, whatever place the clone is in. */
export async function installPrograms(checkout: string, layout: Layout): Promise<void> {
  const made = await build({
    entryPoints: PROGRAMS.map((name) => join(checkout, "src", "daemon", `${name}.ts`)),
    outdir: layout.program,
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node26",
    banner: { js: REQUIRE },
    legalComments: "eof",
    logLevel: "silent",
  }).catch((error: unknown) => {
    const says = error instanceof Error ? error.message : String(error);
    throw new SetUpFailure(
      `The programs could not be built from ${checkout}: ${says.split("\n").slice(0, 2).join(" ")}`,
    );
  });
  for (const { path, text } of made.outputFiles) writeIfDifferent(path, text);
  await installDashboard(join(checkout, "dashboard"), join(layout.program, "dashboard"));
  writeIfDifferent(join(layout.program, "package.json"), '{ "type": "module" }\n');
  installRuntime(process.execPath, layout.node);
}

/** The page as the web serves it: one script, and the files that need no making. */
async function installDashboard(from: string, to: string): Promise<void> {
  const made = await build({
    entryPoints: [join(from, "app.ts")],
    outfile: join(to, "app.js"),
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2023",
    logLevel: "silent",
  });
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const { path, text } of made.outputFiles) writeIfDifferent(path, text);
  for (const file of PAGE_SOURCES) writeIfDifferent(join(to, file), readFileSync(join(from, file), "utf8"));
}

function writeIfDifferent(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode: 0o644 });
  chmodSync(`${path}.new`, 0o644);
  renameSync(`${path}.new`, path);
}

/** A second name for the same file where that is safe and possible, a copy elsewhere. */
function installRuntime(from: string, to: string): void {
  const source = statSync(from);
  if (existsSync(to)) {
    const present = statSync(to);
    const same = present.ino === source.ino && present.dev === source.dev;
    if (same || (present.size === source.size && present.mtimeMs >= source.mtimeMs)) return;
  }
  const fresh = `${to}.new`;
  rmSync(fresh, { force: true });
  const rootsAlone = source.uid === 0 && (source.mode & 0o022) === 0;
  if (!rootsAlone || !linked(from, fresh)) copyFileSync(from, fresh);
  chmodSync(fresh, 0o755);
  renameSync(fresh, to);
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}
