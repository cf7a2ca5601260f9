import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./commands.ts";

const SUITE = "bookworm";
/** What tells apt where packages are. */
const APT = ["sources.list", "sources.list.d", "auth.conf", "auth.conf.d", "keyrings", "trusted.gpg", "trusted.gpg.d"];
/** How it reaches them. */
const APT_REACHES = /^(Acquire::(http|https|Check|Retries)\b.*|Dir::Etc::SourceList.*)$/i;

/**
 * Makes the tree that files of a run copy: $1 is its directory, $2 the suite, $3 the mirror. Others wait for the first (flock(1)).
 * The packages of which it was made are a fifth of it, and none is needed again.
 */
const ONCE = `
exec 9>"$1/lock"; flock 9
[ -d "$1/debian" ] || {
  rm -rf "$1/new"
  debootstrap --variant=minbase "$2" "$1/new" "$3" && rm "$1/new/var/cache/apt/archives/"*.deb && mv "$1/new" "$1/debian"
}
`;

/**
 * A Debian 12 with nothing installed but what every Debian has, by debootstrap(8), with the machine's own sources. That takes
 * 20 s of a processor: files of one run share it.
 */
export async function makeDebian(root: string): Promise<void> {
  const ofRun = process.env["TEST_RUN_DIRECTORY"];
  const directory = ofRun ?? `${root}-made`;
  mkdirSync(directory, { recursive: true });
  const once = ["bash", "-c", ONCE, "-", directory, SUITE, mirror() ?? ""];
  await mustRun(once, { deadlineMs: 480_000, env: { DPKG_FORCE: "unsafe-io" } });
  await mustRun(["cp", "-a", "--reflink=auto", join(directory, "debian"), root]);
  if (ofRun === undefined) rmSync(directory, { recursive: true });
  // Speed is asked of the disk: nothing of this is needed after a power failure.
  writeFileSync(join(root, "etc/dpkg/dpkg.cfg.d/fast"), "force-unsafe-io\n");
  await configureApt(root);
}

/** Why none can be made here; null if one can. */
export function whyNoDebian(): string | null {
  if (spawnSync("debootstrap", ["--version"]).status !== 0) return "there is no debootstrap";
  return mirror() === null ? `apt knows no source of Debian's ${SUITE}` : null;
}

/** From where debootstrap takes the packages: where the machine itself does. */
function mirror(): string | null {
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
  const argv = ["indextargets", "--format", format, "Created-By: Packages"];
  const targets = spawnSync("apt-get", argv, { encoding: "utf8" }).stdout ?? "";
  const line = targets.split("\n").find((target) => target.endsWith(` ${SUITE} main`));
  return line?.slice(0, line.indexOf(" ")) ?? null;
}

async function configureApt(root: string): Promise<void> {
  rmSync(join(root, "etc/apt/sources.list"), { force: true });
  for (const name of APT) copyIfThere(`/etc/apt/${name}`, join(root, "etc/apt", name));
  copyIfThere("/usr/share/keyrings", join(root, "usr/share/keyrings"));
  copyIfThere("/etc/resolv.conf", join(root, "etc/resolv.conf"));
  const reaches = (await mustRun(["apt-config", "dump"])).split("\n").filter((line) => APT_REACHES.test(line));
  // Descriptions of packages in other languages take a third of the time of `apt-get update`.
  const lines = [...reaches, 'Acquire::Languages "none";'];
  writeFileSync(join(root, "etc/apt/apt.conf.d/00reach"), lines.map((line) => `${line}\n`).join(""));
}

function copyIfThere(from: string, to: string): void {
  if (existsSync(from)) cpSync(from, to, { recursive: true, dereference: true });
}
