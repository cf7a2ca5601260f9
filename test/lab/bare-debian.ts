import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { CHECKOUT } from "./checkout.ts";
import { childrenOf, mustRun, type Ran, type RunOptions, runProgram } from "./commands.ts";
import { makeDebianTree } from "./debian-tree.ts";
import { rootOf } from "./dns.ts";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import { memoryPlace } from "./memory-place.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const APT_MS = 300_000;
/** The programs whose arguments are `main.ts VERB`. */
const KILL = `
for one in /proc/[0-9]*; do
  if tr "\\0" " " <$one/cmdline 2>/dev/null | grep -q "main.ts $0 "; then kill -KILL "\${one#/proc/}"; fi
done`;
/** Where the checkout is in it. */
export const INSIDE = "/srv/ghostinbox";
/** Runs in its own namespaces of mounts and processes until its input ends; a shell adopts orphans. */
const INIT = `
mount --make-rprivate /
mount -t proc proc "$0/proc"
mount --rbind /sys "$0/sys"
mount --rbind /dev "$0/dev"
for empty in run tmp; do mount -t tmpfs -o mode=1777 tmpfs "$0/$empty"; done
exec chroot "$0" /bin/bash -c 'echo ready; read -r'
`;

const LAB_ROOT = "/srv/lab";

export type BareRun = RunOptions & Readonly<{ network?: Host; as?: readonly string[] }>;

/**
 * A Debian 12 with only what every Debian has, plus Node.js with npm, as the README requires. It is made like debootstrap(8) does
 * and entered by chroot(1) in separate namespaces, which end all of its processes.
 */
export async function makeBareDebian(directory: string) {
  const place = memoryPlace();
  const root = join(place.directory, "debian");
  const tree = await makeDebianTree(join(directory, "made"));
  await mustRun(["cp", "-a", "--reflink=auto", tree.root, root]);
  tree.configureApt(root);
  await copyNode(root);
  const filter = (path: string) => !["node_modules", ".git"].includes(relative(CHECKOUT, path));
  cpSync(CHECKOUT, join(root, INSIDE), { recursive: true, filter });
  const alone = ["--mount", "--pid", "--fork", "--kill-child", "bash", "-c", INIT, root];
  const init = spawn("unshare", alone, { stdio: ["pipe", "pipe", "inherit"] });
  await once(init.stdout, "data");
  const [pid = 0] = childrenOf(init.pid ?? 0);

  /** Ends its processes and deletes it. */
  async function remove(): Promise<void> {
    const ended = once(init, "close");
    init.stdin.end();
    await ended;
    tree.close();
    place.remove();
  }

  /** `argv` as a command in it: in the network of the machine, or of a host of the lab. */
  function inside(argv: readonly string[], { network, env = {}, as = [] }: BareRun = {}): readonly string[] {
    const entering = ["nsenter", `--target=${pid}`, "--mount", "--pid", "--root"];
    const clean = ["env", "-i", `--chdir=${INSIDE}`];
    const variables = Object.entries({ HOME: "/root", LANG: "C.UTF-8", TERM: "dumb", PATH, ...env });
    const wrapped = [...entering, ...clean, ...variables.map(([name, value]) => `${name}=${value}`), ...as, ...argv];
    return network === undefined ? wrapped : network.inside(wrapped);
  }

  /** Runs in the lab's network, where the product uses the lab's DNS. */
  function online(lab: Lab, env: RunOptions["env"] = {}): BareRun {
    const { hints, anchor } = rootOf(lab.directory);
    mkdirSync(join(root, LAB_ROOT));
    for (const file of [hints, anchor]) copyFileSync(file, join(root, LAB_ROOT, basename(file)));
    return {
      network: lab.server,
      env: {
        GHOSTINBOX_DOMAIN: "example.test",
        GHOSTINBOX_HOSTNAME: "mail.example.test",
        GHOSTINBOX_DNS__ROOT_HINTS: join(LAB_ROOT, basename(hints)),
        GHOSTINBOX_DNS__TRUST_ANCHOR: join(LAB_ROOT, basename(anchor)),
        ...env,
      },
    };
  }

  async function run(argv: readonly string[], options: BareRun = {}): Promise<Ran> {
    return runProgram(inside(argv, options), { ...options, env: {} });
  }

  async function apt(...argv: readonly string[]): Promise<void> {
    await must(["apt-get", ...argv], { deadlineMs: APT_MS, env: { DEBIAN_FRONTEND: "noninteractive" } });
  }

  /** Unpacks a package without its dependencies, as an interrupted dpkg leaves it. */
  async function unpack(name: string): Promise<void> {
    const unpack = 'cd /tmp; apt-get download -qq "$0"; dpkg --unpack "$0"_*.deb; rm "$0"_*.deb';
    await must(["bash", "-ec", unpack, name]);
  }

  /** How many packages have this state (dpkg-query(1)). */
  async function packages(state: "installed" | "unpacked"): Promise<number> {
    const count = `dpkg-query -W -f '\${db:Status-Status}\\n' | grep -cx ${state} || true`;
    return Number(await must(["bash", "-c", count]));
  }

  /** As kill(1) would: the command's children keep running. */
  const killCommand = (verb: string) => must(["bash", "-c", KILL, verb]);

  async function must(argv: readonly string[], options: BareRun = {}): Promise<string> {
    return mustRun(inside(argv, options), { ...options, env: {} });
  }

  return { root, remove, inside, online, run, apt, unpack, packages, killCommand, must };
}

export type BareDebian = Awaited<ReturnType<typeof makeBareDebian>>;

/** The machine's own Node.js, as if unpacked from nodejs.org's archive. */
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

/** Set-up's output before it asks whether to continue. */
export function expectAnnounced(question: string, text: string): void {
  for (const line of [
    "GhostInbox prepares this machine:",
    "  npm packages ",
    "    postfix          receives and sends mail (SMTP)",
    "  system users   ghostinbox ghostinbox-web ghostinbox-export ghostinbox-mail ghostinbox-fail2ban,",
    "  system groups  ghostinbox-accounts ghostinbox-data ghostinbox-logs,",
    question,
  ])
    assert.ok(text.includes(line), `${line}\n${text}`);
}
