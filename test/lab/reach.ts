import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Product } from "./product.ts";

/** A user with the groups that a process of the server really has. */
export type Identity = Readonly<{ name: string; uid: number; gid: number; groups: readonly number[] }>;
export type Reach = Readonly<{
  /** Paths below the data directory, as `spool/postfix/ghostinbox/policy`. */
  sockets: readonly string[];
  reads: readonly string[];
  writes: readonly string[];
}>;

/** Reads lists of files, directories and sockets as JSON, tries each, and prints the reachable ones. */
const TRY = `
  const { accessSync, constants, openSync, closeSync, statSync } = require("node:fs");
  const { connect } = require("node:net");
  const [files, directories, sockets] = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const can = (work) => { try { work(); return true; } catch { return false; } };
  const opens = (flags) => (path) => can(() => closeSync(openSync(path, flags)));
  const speaks = (path) => new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => { socket.destroy(); resolve([path]); });
    socket.once("error", () => resolve([]));
  });
  (async () => {
    const found = await Promise.all(sockets.map(speaks));
    process.stdout.write(JSON.stringify({
      sockets: found.flat(),
      reads: files.filter(opens(constants.O_RDONLY | constants.O_NONBLOCK)),
      writes: [
        ...files.filter(opens(constants.O_WRONLY | constants.O_NONBLOCK)),
        ...directories.filter((path) => can(() => accessSync(path, constants.W_OK | constants.X_OK))),
      ],
    }));
  })();
`;

/** Each identity under which a program of the server runs, except root. */
export function identitiesOf(product: Product): readonly Identity[] {
  const all = product.pidsOf(/./).flatMap((pid) => identityOf(pid) ?? []);
  const found = new Map(all.map((identity) => [JSON.stringify(identity), identity]));
  return [...found.values()].filter(({ uid }) => uid !== 0);
}

/** A user with its groups from group(5), for a program that does not run all the time. */
export async function identityNamed({ lab }: Product, name: string): Promise<Identity> {
  const numbers = async (option: string): Promise<readonly number[]> =>
    (await lab.server.mustExec(["id", option, name])).trim().split(" ").map(Number);
  const [[uid = 0], [gid = 0], groups] = [await numbers("-u"), await numbers("-g"), await numbers("-G")];
  return { name, uid, gid, groups };
}

/** Whether a program of this user can connect to this port of loopback. */
export const opens = async ({ lab }: Product, identity: Identity, port: number): Promise<boolean> =>
  (await lab.server.exec([...becoming(identity), "bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`])).code === 0;

/** Everything below the data directory that this user can open or write. */
export async function reachOf(product: Product, identity: Identity): Promise<Reach> {
  const { data, node } = product.layout;
  const paths = [data, ...readdirSync(data, { recursive: true, encoding: "utf8" }).map((path) => join(data, path))];
  // Excludes the queue file that a probe of cleanup(8) makes for a moment.
  const lasting = paths.filter((path) => !/\/incoming\/[0-9A-Za-z]+$/.test(path));
  const [files, directories, sockets]: [string[], string[], string[]] = [[], [], []];
  for (const path of lasting) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() === true || stat?.isFIFO() === true) files.push(path);
    else if (stat?.isDirectory() === true) directories.push(path);
    else if (stat?.isSocket() === true) sockets.push(path);
  }
  const input = JSON.stringify([files, directories, sockets]);
  const printed = await product.lab.server.mustExec([...becoming(identity), node, "-e", TRY], { input });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what TRY printed
  const reached = JSON.parse(printed) as Reach;
  const below = (list: readonly string[]) => list.map((path) => relative(data, path)).toSorted();
  return { sockets: below(reached.sockets), reads: below(reached.reads), writes: below(reached.writes) };
}

function becoming({ uid, gid, groups }: Identity): readonly string[] {
  const ids = ["--reuid", String(uid), "--regid", String(gid)];
  return ["setpriv", ...ids, ...(groups.length === 0 ? ["--clear-groups"] : ["--groups", groups.join(",")])];
}

/** Null: the process has ended since. */
function identityOf(pid: number): Identity | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const numbers = (name: string): readonly number[] =>
      (new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1]?.match(/\d+/g) ?? []).map(Number);
    const [, uid = 0] = numbers("Uid");
    const [, gid = 0] = numbers("Gid");
    return { name: userName(uid), uid, gid, groups: numbers("Groups") };
  } catch {
    return null;
  }
}

function userName(uid: number): string {
  const [, name] = new RegExp(`^([^:]*):[^:]*:${uid}:`, "m").exec(readFileSync("/etc/passwd", "utf8")) ?? [];
  return name ?? String(uid);
}
