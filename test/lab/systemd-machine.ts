import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { childrenOf, type Ran, type RunOptions, runProgram } from "./commands.ts";
import type { Lab } from "./lab.ts";
import { namespaceOf } from "./network.ts";
import { Typist } from "./typist.ts";
import { until } from "./wait.ts";

/**
 * A copy of this machine, with its disk: changes stay in memory. The services of its packages are off, except those
 * that systemd needs, and it has no journal and no mail server yet.
 */
const BOOT = `
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$0"
mkdir "$0/changes" "$0/work" "$0/root"
mount -t overlay -o "lowerdir=/,upperdir=$0/changes,workdir=$0/work" overlay "$0/root"
umount -R /sys/fs/cgroup 2>/dev/null; mount -t cgroup2 none /sys/fs/cgroup
units=$0/root/etc/systemd/system
# As \`systemctl disable\` does, which takes a tenth of a second for each.
find "$units" -type l ! -lname /dev/null ! -name '*@*' -delete
rm -rf "$0/root/etc/rc"[0-6S].d
for unit in spamass-milter systemd-timesyncd; do ln -sf /dev/null "$units/$unit.service"; done
ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
# Its database of manual pages is not updated at each installation: lib/man-db/auto-update.
for left in lib/ghostinbox log/journal cache/ghostinbox lib/man-db/auto-update; do rm -rf "$0/root/var/$left"; done
: >"$0/root/etc/machine-id"
mkdir -p /run/systemd/nspawn; mount -t tmpfs tmpfs /run/systemd/nspawn
again=133
while [ $again = 133 ]; do
  systemd-nspawn --quiet --directory="$0/root" --machine="$1" --register=no --keep-unit \\
    --network-namespace-path="/run/netns/$1" --capability=CAP_NET_ADMIN --resolv-conf=off --link-journal=no --boot
  again=$?
done`;
const BOOT_MS = 120_000;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export type SystemdMachine = Awaited<ReturnType<typeof bootMachine>>;

/** A machine that systemd has booted, with the lab's network as its own, this checkout, and this machine's packages. */
export async function bootMachine(lab: Lab) {
  const place = lab.path("machine");
  mkdirSync(place);
  // Otherwise systemd-nspawn(1) would mount an empty /tmp over this machine's, where the checkout may be.
  const env = { ...process.env, SYSTEMD_NSPAWN_TMPFS_TMP: "0" };
  const argv = ["--mount", "bash", "-c", BOOT, place, namespaceOf(lab.server.name)];
  const container = spawn("unshare", argv, { stdio: ["ignore", "ignore", "inherit"], env });
  let pid = 0;

  function inside(words: readonly string[], more: RunOptions["env"] = {}): readonly string[] {
    const variables = Object.entries({ HOME: "/root", LANG: "C.UTF-8", TERM: "dumb", PATH, ...more });
    const within = ["env", "-i", ...variables.map(([name, value]) => `${name}=${value}`), ...words];
    return ["nsenter", "--target", `${pid}`, "--all", `--wd=/proc/${pid}/cwd`, "--", ...within];
  }
  const run = (words: readonly string[], { env: more = {}, ...options }: RunOptions = {}): Promise<Ran> =>
    runProgram(inside(words, more), { deadlineMs: 180_000, ...options });
  /** As above, and throws unless it exits with 0; returns its standard output. */
  async function must(words: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await run(words, options);
    if (code !== 0) throw new Error(`${words.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  async function booted(): Promise<void> {
    const before = pid;
    const find = () => {
      const all = childrenOf(container.pid ?? 0).flatMap(childrenOf);
      return all.find((one) => one !== before && readFileSync(`/proc/${one}/comm`, "utf8") === "systemd\n");
    };
    pid = await until("a systemd", find, BOOT_MS);
    const isDone = async (): Promise<boolean> =>
      /^(running|degraded)$/m.test((await run(["systemctl", "is-system-running", "--wait"])).stdout);
    await until("it has booted", isDone, BOOT_MS);
  }

  await booted();
  return {
    run,
    must,
    shell: (script: string) => must(["bash", "-c", script]),

    /** Types a line at a separate terminal in this directory. Packages ask nothing there, and are built without delay. */
    types: (line: string, directory: string): Typist => {
      const quiet = { DEBIAN_FRONTEND: "noninteractive", DPKG_DEB_COMPRESSOR_TYPE: "none", SYSTEMD_PAGER: "cat" };
      return new Typist((words) => inside(words, quiet), `stty cols 110; cd ${directory} && ${line}`);
    },

    /** Reboots, and waits until everything that starts at boot runs or has failed. */
    reboot: async (): Promise<void> => {
      await must(["systemctl", "reboot"]);
      await booted();
    },

    /** Ends it as if its power were cut; all its changes are gone. */
    remove: async (): Promise<void> => {
      if (container.exitCode !== null || container.signalCode !== null) return;
      const ended = once(container, "close");
      await runProgram(["kill", "-KILL", `${pid}`]);
      await ended;
      rmdirSync(place);
    },
  };
}

/** Why no machine can be booted here; null if one can. */
export const whyNoSystemd = (): string | null =>
  spawnSync("systemd-nspawn", ["--version"]).status === 0 ? null : "systemd-nspawn is missing";
