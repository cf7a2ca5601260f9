import type { BareDebian } from "./bare-debian.ts";
import type { Host } from "./host.ts";

/** All that a program could have left on a machine, a line each. */
export type MachineState = Readonly<{
  packages: readonly string[];
  users: readonly string[];
  files: readonly string[];
  processes: readonly string[];
  firewall: readonly string[];
  /** What all of it takes. */
  diskMb: number;
}>;

/** What docs/set-up.md says remains, and what dpkg keeps of packages, which are compared as such. */
const NOT_LEFT = [
  "/var/cache/apt",
  "/var/lib/apt",
  "/var/cache/debconf",
  "/var/cache/ldconfig",
  "/var/lib/dpkg",
  "/var/log/apt",
  "/var/log/alternatives.log",
  "/var/log/dpkg.log",
  "/root/.npm",
  "'/etc/*-'",
  "/run/adduser",
  "'/run/runit*'",
];
const SKIPPED = `\\( ${NOT_LEFT.map((path) => `-path ${path}`).join(" -o ")} \\) -prune -o`;
const FILES = `
find / /run /tmp -xdev ${SKIPPED} -printf '%y %m %u:%g %p -> %l\\n'
find / /run /tmp -xdev ${SKIPPED} -type f -print0 | xargs -0 sha256sum
`;
const PACKAGES = `
dpkg-query -W -f '\${Status} \${Package} \${Version}\\n'
apt-mark showauto | sed 's/^/installed for others: /'
dpkg-divert --list
dpkg-statoverride --list || true
`;

const PROCESSES = 'for one in /proc/[0-9]*; do tr "\\0" " " <$one/cmdline 2>/dev/null && echo; done';

const MEMORY = `cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '$1 == "Pss:" { sum += $2 } END { print int(sum / 1024) }'`;

export async function machineState(machine: BareDebian, network: Host): Promise<MachineState> {
  const shown = async (script: string): Promise<readonly string[]> =>
    lines(await machine.must(["bash", "-c", script], { deadlineMs: 120_000 }));
  return {
    packages: await shown(PACKAGES),
    users: await shown("getent passwd; getent group; getent shadow; getent gshadow"),
    files: await shown(FILES),
    processes: (await shown(PROCESSES)).filter((line) => !line.includes(PROCESSES)),
    firewall: lines(await network.mustExec(["nft", "list", "ruleset"])),
    diskMb: Number.parseInt((await shown("du -sxm / 2>/dev/null || true")).join(), 10),
  };
}

/** Proportional memory of all processes (proc(5), Pss), in MB. */
export async function memoryOf(machine: BareDebian): Promise<number> {
  return Number(await machine.must(["bash", "-c", MEMORY]));
}

/** Lines that are in one state only: `-` before, `+` after. */
export function changes(before: readonly string[], after: readonly string[]): readonly string[] {
  const [had, has] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ];
}

function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
