/** `npm run package`: makes the Debian package of this checkout, with everything that npm would install. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Architecture, controlFile, debianVersion, dependenciesOf, md5sums } from "./debian/control.ts";
import { installedKib, layFiles, layScripts } from "./debian/lay-files.ts";

const USAGE = `npm run package [-- OPTION]   makes dist/ghostinbox_VERSION_ARCHITECTURE.deb

  --arch amd64|arm64   processor that runs it (default: this machine's)
  --revision N         Debian revision of this version (default: 1)
  --out DIR            where to put it (default: dist)

DPKG_DEB_COMPRESSOR_TYPE (dpkg-deb(1)) replaces the default compression, zstd at level 12.`;

const CHECKOUT = resolve(import.meta.dirname, "..");
const OWN: Architecture = process.arch === "arm64" ? "arm64" : "amd64";

await main();

async function main(): Promise<void> {
  const { arch, revision, out } = options();
  const version = debianVersion(revision);
  const file = join(out, `ghostinbox_${version}_${arch}.deb`);
  const stage = join(out, `stage-${process.pid}`);
  try {
    mkdirSync(stage, { recursive: true });
    chmodSync(stage, 0o755);
    await layFiles({ checkout: CHECKOUT, stage, arch, isForeign: arch !== OWN });
    const setup = readFileSync(join(CHECKOUT, "scripts", "setup"), "utf8");
    const control = controlFile({ version, arch, depends: dependenciesOf(setup), installedKib: installedKib(stage) });
    layScripts(CHECKOUT, stage, { control, md5sums: md5sums(stage) });
    const how = process.env["DPKG_DEB_COMPRESSOR_TYPE"] === undefined ? ["-Zzstd", "-z12"] : [];
    execFileSync("dpkg-deb", ["--root-owner-group", ...how, "--build", stage, file], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    console.log(file);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function options(): Readonly<{ arch: Architecture; revision: number; out: string }> {
  const { arch = OWN, revision = "1", out = "dist" } = parsed();
  if (arch !== "amd64" && arch !== "arm64") fail(`Node has no runtime for ${arch}: use --arch amd64 or arm64.`);
  if (!/^[0-9]+$/.test(revision)) fail("--revision must be a number.");
  return { arch, revision: Number(revision), out: resolve(out) };
}

function parsed() {
  try {
    const { values } = parseArgs({
      options: {
        arch: { type: "string" },
        revision: { type: "string" },
        out: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      console.log(USAGE);
      process.exit(0);
    }
    return values;
  } catch (error) {
    return fail(error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error));
  }
}

function fail(says: string): never {
  console.error(`ghostinbox: ${says}\n\n${USAGE}`);
  process.exit(2);
}
