import type { BareDebian } from "./bare-debian.ts";
import type { Host } from "./host.ts";

export type MachineLook = ReturnType<typeof machineLook>;
export type MachineState = Awaited<ReturnType<MachineLook["all"]>>;

/** Files that remain according to docs/set-up.md, and dpkg's own files, because packages are compared separately. */
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
const EVERYWHERE = "/ /run /tmp";
/** Prints for each file, directory and link a line of the list, then what changes with a file's content (inode(7)), and its path. */
const found = (places: string): string =>
  `find ${places} -xdev ${SKIPPED} -printf '%y %m %u:%g %p -> %l\\0%D %i %s %T@ %C@ %p\\0'`;
const PACKAGES = `
dpkg-query -W -f '\${Status} \${Package} \${Version}\\n'
apt-mark showauto | sed 's/^/installed for others: /'
dpkg-divert --list
dpkg-statoverride --list || true
`;

const PROCESSES = 'for one in /proc/[0-9]*; do tr "\\0" " " <$one/cmdline 2>/dev/null && echo; done';

const MEMORY = `cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '$1 == "Pss:" { sum += $2 } END { print int(sum / 1024) }'`;

/** Looks at a machine repeatedly. A file that has not changed since is not read again. */
export function machineLook(machine: BareDebian, network: Host) {
  const sums = new Map<string, string>();
  const must = (script: string, input = "") => machine.must(["bash", "-c", script], { deadlineMs: 120_000, input });
  const shown = async (script: string) => lines(await must(script));
  const users = () => shown("getent passwd; getent group; getent shadow; getent gshadow");
  const processes = async () => (await shown(PROCESSES)).filter((line) => !line.includes(PROCESSES));
  const firewall = async () => lines(await network.mustExec(["nft", "list", "ruleset"]));
  /** The space that everything takes. */
  const diskMb = async () => Number.parseInt((await shown("du -sxm / 2>/dev/null || true")).join(), 10);

  /** Below these places. */
  async function files(places = EVERYWHERE): Promise<readonly string[]> {
    const records = partsOf(await must(found(places)));
    const listed = records.filter((_, i) => i % 2 === 0);
    const regular = records.filter((_, i) => i % 2 === 1 && records[i - 1]?.startsWith("f "));
    const fresh = regular.filter((one) => !sums.has(one));
    const input = fresh.map((one) => `${pathOf(one)}\0`).join("");
    const summed = partsOf(await must("xargs -0 -r cksum --zero", input));
    for (const [i, one] of fresh.entries()) {
      const line = summed[i] ?? "";
      if (!line.endsWith(` ${pathOf(one)}`)) throw new Error(`${line}, not of ${one}`);
      sums.set(one, line);
    }
    return [...listed, ...regular.map((one) => sums.get(one) ?? "")];
  }

  /** Everything that a program could have left on the machine, one line each. */
  const all = async () => ({
    packages: await shown(PACKAGES),
    users: await users(),
    files: await files(),
    processes: await processes(),
    firewall: await firewall(),
    diskMb: await diskMb(),
  });
  return { all, users, processes, firewall, diskMb, files };
}

/** The lines of `files` about entries below a place. */
export const below = (place: string, files: readonly string[]): readonly string[] =>
  files.filter((line) => line.replace(/^(?:\w \d+ \S+ |\d+ \d+ )/, "").startsWith(`${place}/`));

/** Splits NUL-terminated items. */
const partsOf = (text: string): readonly string[] => text.split("\0").slice(0, -1);

/** Parses lines of `found` about a file, whose path may contain spaces. */
const pathOf = (record: string): string => record.slice(record.indexOf("/"));

/** Proportional memory of all processes (proc(5), Pss), in MB. */
export const memoryOf = async (machine: BareDebian) => Number(await machine.must(["bash", "-c", MEMORY]));

/** Lines that are in one state only: `-` before, `+` after. */
export function changes(before: readonly string[], after: readonly string[]): readonly string[] {
  const [had, has] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ];
}

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line.trim() !== "");
