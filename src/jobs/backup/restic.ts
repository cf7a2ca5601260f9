import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod/mini";
import { codeOf, readOr } from "../../core/error.ts";
import { parseJson } from "../../core/text.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { SYSTEM_PATH, withPipes } from "../../host/machine/run-program.ts";
import { type Failed, failure, isLost, type ResticRun } from "./restic-failure.ts";

/** Where backups are, and how to reach them. */
export type Repository = Readonly<{
  /** As restic(1) names it: a directory, or `sftp:…`, `s3:…` and others. */
  place: string;
  /** The password, or the file with it. */
  key: Readonly<{ file: string } | { text: string }>;
  /** restic's cache directory; empty: no cache. */
  cache: string;
  /** Credentials for the place. */
  environment: Readonly<Record<string, string>>;
}>;

export type Progress = Readonly<{ doneBytes: number; totalBytes: number; elapsedMs: number }>;
type Watch = (progress: Progress) => void;
type RestoreHow = Readonly<{
  to: string;
  paths?: readonly string[];
  /** The result of `size` or `sizeBelow`, if it was requested. */
  sizeBytes?: number | undefined;
  watch: Watch;
  signal?: AbortSignal | undefined;
}>;
type RunHow = Readonly<{ cwd?: string; onLine?: (line: string) => void; signal?: AbortSignal | undefined }>;

/** The tag of each of our snapshots, because another program may keep its own in the same repository. */
const OURS = "ghostinbox";
/** The tags of the backups that the keeper starts at night, and of those by `backup create`. */
export const NIGHTLY = "nightly";
export const BY_HAND = "by-hand";
export type Tag = typeof NIGHTLY | typeof BY_HAND;

export type Snapshot = Readonly<{ id: string; at: number; host: string; tags: readonly string[] }>;
export type Added = Readonly<{ id: string; files: number; bytes: number; addedBytes: number }>;

export type Restored<T> = Readonly<{ ok: true; value: T }> | Failed;

/** restic's own default on a terminal is 60. */
const FRAMES_PER_SECOND = "5";
const LOOK_MS = 200;
/** Number of last lines of standard error that are kept. Of standard output, the first lines are kept, a thousand times as many. */
const MOST_LINES = 2_000;
const LOST_TRIES = 3;
/** For Go: garbage may be a fifth of the memory in use. One core compresses less at once, which halves a large backup's memory. */
const LITTLE_GARBAGE = { GOGC: "20" };
const ONE_CORE = { GOMAXPROCS: "1" };

const status = z.object({
  message_type: z.literal("status"),
  total_bytes: z.exactOptional(z.number()),
  bytes_done: z.exactOptional(z.number()),
  seconds_elapsed: z.exactOptional(z.number()),
});
const summary = z.object({
  message_type: z.literal("summary"),
  snapshot_id: z.string(),
  total_files_processed: z.number(),
  total_bytes_processed: z.number(),
  data_added: z.number(),
});
const snapshots = z.array(
  z.object({
    id: z.string(),
    time: z.string(),
    hostname: z.exactOptional(z.string()),
    tags: z.exactOptional(z.nullable(z.array(z.string()))),
  }),
);
const stats = z.object({ total_size: z.number() });
const listedFile = z.object({ type: z.literal("file"), size: z.number() });

/** restic(1), which encrypts with AES-256 and stores each piece of data once. One call at a time. */
export class Restic {
  readonly #repository: Repository;
  #child: ChildProcess | null = null;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** Whether there is a repository that the key opens. */
  async open(): Promise<Restored<null>> {
    return result(await this.#run(["cat", "config", "--no-lock"]), () => null);
  }

  async create(): Promise<Restored<null>> {
    return result(await this.#run(["init"]), () => null);
  }

  /** Backs a directory up. Files with the same size and time as in the backup before are not read again. */
  async backup(
    directory: string,
    { host, tag, watch }: Readonly<{ host: string; tag: Tag; watch: Watch }>,
  ): Promise<Restored<Added>> {
    await this.#dropDeadLocks();
    let added: Added | null = null;
    // A hard link changes the time of the inode (ctime), and nothing else: without this option all mail is read again.
    const args = ["backup", "--json", "--ignore-ctime", "--host", host, "--tag", OURS, "--tag", tag, "."];
    const ran = await this.#run(args, {
      cwd: directory,
      onLine: (line) => {
        const json = parseJson(line);
        const now = z.safeParse(status, json);
        if (now.success) watch(progressOf(now.data));
        const end = z.safeParse(summary, json);
        if (end.success) added = addedOf(end.data);
      },
    });
    // 3: the snapshot was made, but something could not be read (restic(1), exit status codes).
    if (ran.code !== 0 || added === null) return failure(ran);
    return { ok: true, value: added };
  }

  /** Only our snapshots, oldest first. */
  async snapshots(): Promise<Restored<readonly Snapshot[]>> {
    const ran = await this.#run(["snapshots", "--json", "--no-lock", "--tag", OURS]);
    return result(ran, () =>
      z
        .parse(snapshots, parseJson(ran.out.join("\n")) ?? [])
        .map(({ id, time, hostname = "", tags }) => ({
          id,
          at: Date.parse(time),
          host: hostname,
          tags: (tags ?? []).filter((tag) => tag !== OURS),
        }))
        .toSorted((a, b) => a.at - b.at),
    );
  }

  /**
   * Removes snapshots that are older than the latest one by more than `keepMs`, and data that no other snapshot needs. Keeps at least as
   * many of the latest as nightly backups make within that time: after a snapshot that was made while the clock was ahead, all others look
   * old. Also keeps what another program has in the repository.
   */
  async forget(keepMs: number): Promise<Restored<null>> {
    const hours = Math.max(1, Math.round(keepMs / HOUR_MS));
    const nights = Math.max(1, Math.ceil(keepMs / DAY_MS));
    const keeps = ["--keep-within", `${hours}h`, "--keep-last", String(nights)];
    return result(await this.#run(["forget", "--tag", OURS, ...keeps, "--group-by", "", "--prune"]), () => null);
  }

  /** Removes what a failed backup stored: `forget` only does so if it removes a snapshot. Moves no data: the disk may be full. */
  async dropUnfinished(): Promise<Restored<null>> {
    return result(await this.#run(["prune", "--max-repack-size", "0"]), () => null);
  }

  /** Reads everything back and verifies it; without `reads` checks only the structure. */
  async check(reads: boolean): Promise<Restored<null>> {
    await this.#dropDeadLocks();
    return result(await this.#run(["check", ...(reads ? ["--read-data"] : [])]), () => null);
  }

  /** The size of a snapshot in bytes, as restored. */
  async size(snapshot: string): Promise<Restored<number>> {
    const ran = await this.#run(["stats", "--json", "--no-lock", "--mode", "restore-size", snapshot]);
    return result(ran, () => z.parse(stats, parseJson(ran.out.at(-1) ?? "")).total_size);
  }

  /** The size of a snapshot's files below a path. A file with several names counts several times. `signal` ends it. */
  async sizeBelow(snapshot: string, path: string, signal: AbortSignal): Promise<Restored<number>> {
    let bytes = 0;
    const ran = await this.#run(["ls", "--json", "--no-lock", "--recursive", snapshot, path], {
      signal,
      onLine: (line) => {
        const file = z.safeParse(listedFile, parseJson(line));
        if (file.success) bytes += file.data.size;
      },
    });
    return result(ran, () => bytes);
  }

  /**
   * Writes the contents of a snapshot, or only these paths of it, below `to`. Paths start with a slash, which stands for the
   * directory that was backed up. `signal` ends it.
   */
  async restore(snapshot: string, { to, paths = [], sizeBytes, watch, signal }: RestoreHow): Promise<Restored<null>> {
    const size: Restored<number> = sizeBytes === undefined ? await this.size(snapshot) : { ok: true, value: sizeBytes };
    if (!size.ok) return size;
    const from = performance.now();
    const timer = setInterval(() => {
      const doneBytes = writtenBy(this.#child?.pid);
      if (doneBytes !== null) watch({ doneBytes, totalBytes: size.value, elapsedMs: performance.now() - from });
    }, LOOK_MS);
    try {
      const include = paths.flatMap((path) => ["--include", path]);
      const ran = await this.#run(["restore", snapshot, "--no-lock", "--target", to, ...include], { signal });
      return result(ran, () => null);
    } finally {
      clearInterval(timer);
    }
  }

  /** Reads one small file of a snapshot. */
  async read(snapshot: string, path: string): Promise<Restored<string>> {
    const ran = await this.#run(["dump", "--no-lock", snapshot, path]);
    return result(ran, () => ran.out.join("\n"));
  }

  /** Removes locks of ended processes of this machine (restic-unlock(1)). */
  async #dropDeadLocks(): Promise<void> {
    // Each call takes half a second of a core to open the key.
    if (hasNoLock(this.#repository.place)) return;
    await this.#run(["unlock"]);
  }

  async #run(args: readonly string[], { cwd = "/", onLine, signal }: RunHow = {}): Promise<ResticRun> {
    const { place, key, cache, environment } = this.#repository;
    const isRemote = !place.startsWith("/");
    const restic = ["restic", ...(cache === "" ? ["--no-cache"] : ["--cache-dir", cache, "--cleanup-cache"])];
    // Otherwise restic would keep writing after this process is killed.
    const argv = ["--pdeathsig", "TERM", "--", ...restic, ...args];
    const env = {
      PATH: SYSTEM_PATH,
      HOME: "/root",
      LC_ALL: "C.UTF-8",
      RESTIC_PROGRESS_FPS: FRAMES_PER_SECOND,
      ...LITTLE_GARBAGE,
      ...(args[0] === "backup" ? ONE_CORE : {}),
      ...environment,
      RESTIC_REPOSITORY: place,
      ...("file" in key ? { RESTIC_PASSWORD_FILE: key.file } : { RESTIC_PASSWORD: key.text }),
    };
    const child = withPipes(spawn("setpriv", argv, { cwd, stdio: ["ignore", "pipe", "pipe"], env }));
    this.#child = child;
    const end = (): unknown => child.kill("SIGTERM");
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted === true) end();
    const out: string[] = [];
    const err: string[] = [];
    createInterface(child.stdout).on("line", (line) => {
      if (onLine !== undefined) onLine(line);
      else if (out.length < MOST_LINES * 1_000) out.push(line);
    });
    let lost = 0;
    createInterface(child.stderr).on("line", (line) => {
      // The last one says why restic ended.
      if (err.push(line) > MOST_LINES) err.shift();
      if (isLost(line, isRemote) && ++lost === LOST_TRIES) child.kill("SIGTERM");
    });
    return new Promise((resolve) => {
      child.once("error", (error) =>
        resolve({ code: codeOf(error) === "ENOENT" ? 127 : 126, out, err: error.message, isRemote }),
      );
      child.once("close", (code, ended) => {
        this.#child = null;
        signal?.removeEventListener("abort", end);
        // As a shell counts (bash(1), EXIT STATUS).
        resolve({ code: code ?? 128 + constants.signals[ended ?? "SIGTERM"], out, err: err.join("\n"), isRemote });
      });
    });
  }
}

/** The latest snapshot. One from more than a day ahead was made while the clock was wrong, and is returned only if all are. */
export function latestOf(oldestFirst: readonly Snapshot[], now: number = Date.now()): Snapshot | undefined {
  return oldestFirst.findLast(({ at }) => at < now + DAY_MS) ?? oldestFirst.at(-1);
}

function progressOf({ bytes_done = 0, total_bytes = 0, seconds_elapsed = 0 }: z.output<typeof status>): Progress {
  return { doneBytes: bytes_done, totalBytes: total_bytes, elapsedMs: seconds_elapsed * 1_000 };
}

function addedOf(end: z.output<typeof summary>): Added {
  return {
    id: end.snapshot_id,
    files: end.total_files_processed,
    bytes: end.total_bytes_processed,
    // restic also counts its own records, which may be more than the files.
    addedBytes: Math.min(end.data_added, end.total_bytes_processed),
  };
}

function result<T>(ran: ResticRun, value: () => T): Restored<T> {
  return ran.code === 0 ? { ok: true, value: value() } : failure(ran);
}

/** Whether a repository is known to have no locks: only in a directory of this machine, because a remote one cannot be checked. */
export function hasNoLock(place: string): boolean {
  return place.startsWith("/") && readOr(() => readdirSync(join(place, "locks")).length === 0, false);
}

/** What a process has written so far (proc(5), wchar); null if it has ended. */
export function writtenBy(pid: number | undefined): number | null {
  return readOr(() => Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1] ?? 0), null);
}
