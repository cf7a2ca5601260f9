import type { BareDebian } from "./bare-debian.ts";
import type { Host } from "./host.ts";

/** All that a program could have left on a machine, a line each. */
export type MachineState = Readonly<{
  packages: readonly string[];
  users: readonly string[];
  files: readonly string[];
  processes: readonly string[];
  firewall: readonly string[];
  /** The space of all of it. */
  diskMb: number;
}>;

/** Files that docs/set-up.md says remain, and dpkg's own files: packages are compared separately. */
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
/** Of each file, directory and link: a line of the list; and what changes with a file's content (inode(7)), and its path. */
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

/** Looks at a machine again and again. A file that has not changed since is not read again. */
export class MachineLook {
  readonly #machine: BareDebian;
  readonly #network: Host;
  readonly #sums = new Map<string, string>();

  constructor(machine: BareDebian, network: Host) {
    this.#machine = machine;
    this.#network = network;
  }

  async all(): Promise<MachineState> {
    return {
      packages: await this.#shown(PACKAGES),
      users: await this.users(),
      files: await this.files(),
      processes: await this.processes(),
      firewall: await this.firewall(),
      diskMb: await this.diskMb(),
    };
  }

  async users(): Promise<readonly string[]> {
    return this.#shown("getent passwd; getent group; getent shadow; getent gshadow");
  }

  async processes(): Promise<readonly string[]> {
    return (await this.#shown(PROCESSES)).filter((line) => !line.includes(PROCESSES));
  }

  async firewall(): Promise<readonly string[]> {
    return lines(await this.#network.mustExec(["nft", "list", "ruleset"]));
  }

  async diskMb(): Promise<number> {
    return Number.parseInt((await this.#shown("du -sxm / 2>/dev/null || true")).join(), 10);
  }

  /** Below these places. */
  async files(places = EVERYWHERE): Promise<readonly string[]> {
    const records = partsOf(await this.#must(found(places)));
    const listed = records.filter((_, i) => i % 2 === 0);
    const files = records.filter((_, i) => i % 2 === 1 && records[i - 1]?.startsWith("f "));
    const fresh = files.filter((one) => !this.#sums.has(one));
    const input = fresh.map((one) => `${pathOf(one)}\0`).join("");
    const summed = partsOf(await this.#must("xargs -0 -r cksum --zero", input));
    for (const [i, one] of fresh.entries()) {
      const line = summed[i] ?? "";
      if (!line.endsWith(` ${pathOf(one)}`)) throw new Error(`${line}, not of ${one}`);
      this.#sums.set(one, line);
    }
    return [...listed, ...files.map((one) => this.#sums.get(one) ?? "")];
  }

  async #shown(script: string): Promise<readonly string[]> {
    return lines(await this.#must(script));
  }

  #must(script: string, input = ""): Promise<string> {
    return this.#machine.must(["bash", "-c", script], { deadlineMs: 120_000, input });
  }
}

/** The lines of `files` about entries below a place. */
export function below(place: string, files: readonly string[]): readonly string[] {
  return files.filter((line) => line.replace(/^(?:\w \d+ \S+ |\d+ \d+ )/, "").startsWith(`${place}/`));
}

/** Splits NUL-terminated items. */
function partsOf(text: string): readonly string[] {
  return text.split("\0").slice(0, -1);
}

/** Parses lines of `found` about a file, whose path may contain spaces. */
function pathOf(record: string): string {
  return record.slice(record.indexOf("/"));
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
