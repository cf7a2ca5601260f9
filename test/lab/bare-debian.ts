import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { CHECKOUT } from "./checkout.ts";
import { mustRun, type Ran, type RunOptions, runProgram } from "./commands.ts";
import type { Host } from "./host.ts";

const SUITE = "bookworm";
/** What tells apt where packages are. */
const APT = ["sources.list", "sources.list.d", "auth.conf", "auth.conf.d", "keyrings", "trusted.gpg", "trusted.gpg.d"];
/** How it reaches them. */
const APT_REACHES = /^(Acquire::(http|https|Check|Retries)\b.*|Dir::Etc::SourceList.*)$/i;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Where the checkout lies in it. */
export const INSIDE = "/srv/ghostinbox";
/** Runs in its own namespaces of mounts and processes until its input ends; a shell takes in what others orphan. */
const INIT = `
mount --make-rprivate /
mount -t proc proc "$0/proc"
mount --rbind /sys "$0/sys"
mount --rbind /dev "$0/dev"
for empty in run tmp; do mount -t tmpfs -o mode=1777 tmpfs "$0/$empty"; done
exec chroot "$0" /bin/bash -c 'echo ready; read -r'
`;

export type BareRun = RunOptions & Readonly<{ network?: Host; as?: readonly string[] }>;

/**
 * A Debian 12 with nothing installed but what every Debian has, and Node.js with npm, as the README asks for: what
 * debootstrap(8) makes, entered by chroot(1) in namespaces of its own. What runs in it ends with it.
 */
export class BareDebian {
  readonly root: string;
  readonly #init: ChildProcess;
  readonly #pid: number;

  private constructor(root: string, init: ChildProcess, pid: number) {
    this.root = root;
    this.#init = init;
    this.#pid = pid;
  }

  static async make(directory: string): Promise<BareDebian> {
    const root = join(directory, "debian");
    const bootstrap = ["debootstrap", "--variant=minbase", SUITE, root, mirror() ?? ""];
    await mustRun(bootstrap, { deadlineMs: 240_000, env: { DPKG_FORCE: "unsafe-io" } });
    // Speed is asked of the disk: nothing of this is needed after a power failure.
    writeFileSync(join(root, "etc/dpkg/dpkg.cfg.d/fast"), "force-unsafe-io\n");
    await configureApt(root);
    await copyNode(root);
    cpSync(CHECKOUT, join(root, INSIDE), {
      recursive: true,
      filter: (path) => !["node_modules", ".git"].includes(relative(CHECKOUT, path)),
    });
    const init = spawn("unshare", ["--mount", "--pid", "--fork", "--kill-child", "bash", "-c", INIT, root], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(init.stdout, "data");
    const children = readFileSync(`/proc/${init.pid}/task/${init.pid}/children`, "utf8");
    return new BareDebian(root, init, Number(children.trim()));
  }

  /** Ends what runs in it and deletes it. */
  async remove(): Promise<void> {
    const ended = once(this.#init, "close");
    this.#init.stdin?.end();
    await ended;
    rmSync(this.root, { recursive: true, force: true });
  }

  /** `argv` as a command in it: in the network of the machine, or of a host of the lab. */
  inside(argv: readonly string[], { network, env = {}, as = [] }: BareRun = {}): readonly string[] {
    const entering = [
      "nsenter",
      "--target",
      String(this.#pid),
      "--mount",
      "--pid",
      "--root",
      "env",
      "-i",
      `--chdir=${INSIDE}`,
    ];
    const variables = Object.entries({ HOME: "/root", LANG: "C.UTF-8", TERM: "dumb", PATH, ...env });
    const wrapped = [...entering, ...variables.map(([name, value]) => `${name}=${value}`), ...as, ...argv];
    return network === undefined ? wrapped : network.inside(wrapped);
  }

  async run(argv: readonly string[], options: BareRun = {}): Promise<Ran> {
    return runProgram(this.inside(argv, options), { ...options, env: {} });
  }

  async must(argv: readonly string[], options: BareRun = {}): Promise<string> {
    return mustRun(this.inside(argv, options), { ...options, env: {} });
  }
}

/** Why none can be made here; null if one can. */
export function whyNoBareDebian(): string | null {
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
  writeFileSync(join(root, "etc/apt/apt.conf.d/00reach"), reaches.map((line) => `${line}\n`).join(""));
}

/** The machine's own, as if the administrator had unpacked nodejs.org's archive. */
async function copyNode(root: string): Promise<void> {
  const outside = { env: { PATH: (process.env["PATH"] ?? "").replaceAll(/[^:]*node_modules[^:]*:?/g, "") } };
  const [node = "", npm = ""] = (await mustRun(["bash", "-c", "command -v node npm"], outside)).split("\n");
  cpSync(realpathSync(node), join(root, "usr/local/bin/node"));
  const modules = join(root, "usr/local/lib/node_modules");
  mkdirSync(modules, { recursive: true });
  cpSync(dirname(dirname(realpathSync(npm))), join(modules, "npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
  const [registry = "", cafile = ""] = await Promise.all(
    ["registry", "cafile"].map(async (name) => (await mustRun([npm, "config", "get", name], { ...outside })).trim()),
  );
  const reaches = [`registry=${registry}`, ...(existsSync(cafile) ? ["cafile=/usr/local/etc/npm-authorities"] : [])];
  if (existsSync(cafile)) cpSync(realpathSync(cafile), join(root, "usr/local/etc/npm-authorities"));
  mkdirSync(join(root, "usr/local/etc"), { recursive: true });
  writeFileSync(join(root, "usr/local/etc/npmrc"), reaches.map((line) => `${line}\n`).join(""));
}

function copyIfThere(from: string, to: string): void {
  if (existsSync(from)) cpSync(from, to, { recursive: true, dereference: true });
}
