import { execFile, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { lacking } from "./needs.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** For `skip`: only root can mount another /etc, and not in every container. */
export const OWN_ETC = {
  skip:
    lacking({ root: true, installed: ["unshare", "mount"] }) ||
    (spawnSync("unshare", ["--mount", "true"]).status !== 0 && "no mount namespace can be made"),
};

/** For sh(1), in a mount namespace: `$1` is `path` of an OwnEtc. */
export const OVER_ETC = 'mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1,workdir=$1.work" /etc';

/** For a Node.js that gets a clean environment: the tests' cache of compiled code, without which it takes three times as long. */
export const COMPILED = { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "" };

const ROOT = join(import.meta.dirname, "..", "..");
/** `tmpfs`: files about users outside of /etc (lastlog(8)). */
const MOUNT = `
  ${OVER_ETC}
  mount -t tmpfs none /var/log
  [ -z "$2" ] || hostname "$2"
  shift 2
  exec "$@"`;
/** Prints the value as its last line. */
const RUN = `import(process.argv[1])
  .then((module) => module[process.argv[2]](...JSON.parse(process.argv[3])))
  .then((value) => value ?? null, (error) => ({ failed: String(error) }))
  .then((value) => process.stdout.write("\\n" + JSON.stringify(value)))`;

/** One of our functions: its file below the checkout, its name, and its arguments as JSON. */
export type Call = readonly [file: string, name: string, ...args: readonly unknown[]];

/**
 * A copy of /etc in which a test may add and remove users, and run our code. The machine's own /etc stays untouched: changes
 * are below `path`. A full copy would take a second.
 */
export class OwnEtc {
  // In memory, because an overlay cannot lie on another overlay, such as /tmp in a container.
  readonly path = join(temporaryDirectory("/dev/shm"), "etc");

  constructor() {
    for (const made of [this.path, `${this.path}.work`]) mkdirSync(made);
    chmodSync(this.path, 0o755);
    for (const name of ["passwd", "shadow", "group", "gshadow"])
      cpSync(join("/etc", name), join(this.path, name), { preserveTimestamps: true });
  }

  /** Fields of a line of `passwd` or `group`; empty if there is none. */
  fields(file: "passwd" | "group", name: string): readonly string[] {
    const line = this.#lines(file).find((entry) => entry.startsWith(`${name}:`));
    return line === undefined ? [] : line.split(":");
  }

  numberOf(file: "passwd" | "group", name: string): number {
    return Number(this.fields(file, name)[2]);
  }

  /** Members whom `group` lists. */
  members(group: string): readonly string[] {
    return (this.fields("group", group)[3] ?? "").split(",").filter((name) => name !== "");
  }

  /** Removes users and groups whose names start with this, and drops them from the member lists of groups. */
  remove(start: string): void {
    for (const file of ["passwd", "shadow", "group", "gshadow"]) {
      const lines = this.#lines(file).filter((line) => !line.startsWith(start));
      const without = lines.map((line) => {
        const at = line.lastIndexOf(":") + 1;
        const members = line.slice(at).split(",");
        return line.slice(0, at) + members.filter((name) => !name.startsWith(start)).join(",");
      });
      this.write(file, file.endsWith("shadow") || file === "passwd" ? lines : without);
    }
  }

  /** Adds a user and a group of that name if missing, as a package would. */
  add(name: string, id: number): void {
    if (this.fields("group", name).length === 0) {
      this.write("group", [...this.#lines("group"), `${name}:x:${id}:`]);
      this.write("gshadow", [...this.#lines("gshadow"), `${name}:!::`]);
    }
    if (this.fields("passwd", name).length > 0) return;
    const group = this.numberOf("group", name);
    this.write("passwd", [...this.#lines("passwd"), `${name}:x:${id}:${group}::/nonexistent:/usr/sbin/nologin`]);
    this.write("shadow", [...this.#lines("shadow"), `${name}:!:20000::::::`]);
  }

  write(file: string, lines: readonly string[]): void {
    writeFileSync(join(this.path, file), `${lines.join("\n")}\n`);
  }

  /** Runs it in a separate process that sees this /etc. Returns its result, or `{ failed }`. */
  async call([file, name, ...args]: Call, { hostName = "" } = {}): Promise<unknown> {
    const argv = [join(ROOT, file), name, JSON.stringify(args)];
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", "-e", RUN, ...argv];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const mounted = ["--mount", "--uts", "sh", "-ec", MOUNT, "sh", this.path, hostName, ...node];
    const { stdout } = await promisify(execFile)("unshare", mounted, { env });
    return JSON.parse(stdout.slice(stdout.lastIndexOf("\n")));
  }

  #lines(file: string): readonly string[] {
    return readFileSync(join(this.path, file), "utf8").trimEnd().split("\n");
  }
}
