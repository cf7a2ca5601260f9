import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { printable } from "../../../core/text.ts";
import { isoTime, type Millis, SECOND_MS } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { type FileLock, holdsOpenFileLock, lockDevice, parseFileLocks } from "../../../host/kernel/proc-locks.ts";
import { isOf } from "../../../host/running/processes.ts";
import { listProcesses, type Process } from "../../../host/running/read-processes.ts";
import { pidOf } from "../../../host/running/supervise.ts";
import type { Layout } from "../../../settings/layout.ts";

/** Shorter transactions of other programs are not reported. */
const REPORTED_MS = 4 * SECOND_MS;
/** The alert is sent only once, so it also names other locks at least this old. */
const ALSO_REPORTED_MS = 2 * SECOND_MS;
const MOST_NAMED = 3;
const COMMAND_CHARACTERS = 100;
/**
 * The bytes of `-shm` that writers and checkpoints lock (SQLite, "WAL-mode file format", WAL_WRITE_LOCK and WAL_CKPT_LOCK).
 * A user who may only read the file can share them, which shuts both out; SQLite itself does so for an instant at most.
 */
const WAL_WRITE_BYTE = 120;
const WAL_CHECKPOINT_BYTE = 121;
/** The bytes that readers share (WAL_READ_LOCK). */
const WAL_READ_BYTES = { first: 123, last: 127 } as const;
/** The bytes of the database file that are locked for writing without a write-ahead log ("File locking", PENDING_BYTE). */
const PENDING = { first: 0x4000_0000, last: 0x4000_0000 + 511 } as const;

type Held = Readonly<{ database: string; pid: number; command: string; since: Millis }>;

/** Names a foreign program that keeps a database locked, so that the guard cannot write. The kernel knows the lock's pid. */
export function createLockWatch(layout: Pick<Layout, "accountsDb" | "engineDb" | "node" | "services">, clock: Clock) {
  let held: readonly Held[] = [];

  function look(): void {
    const { accountsDb, engineDb, node, services } = layout;
    const locks = locksHeld();
    const found = [engineDb, accountsDb].flatMap((database) => locksOf(database, locks));
    const processes = found.length === 0 ? [] : listProcesses();
    const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
    const guard = pidOf(services, "guard");
    const now = clock.now();
    held = found.flatMap((lock) => {
      const { database } = lock;
      const holders = processes.filter((one) => holds(one, lock) && mayUse(one, lock));
      const isOfGuard = (pid: number): boolean => isOf(pid, guard, (one) => parents.get(one));
      const others = holders.filter((one) => !isOurs(one, node, database) && !isOfGuard(one.pid));
      return others.map(({ pid, args }) => {
        const before = held.find((one) => one.pid === pid && one.database === database);
        return { database, pid, command: printable(args.join(" "), COMMAND_CHARACTERS), since: before?.since ?? now };
      });
    });
  }

  function troubles(): readonly KeeperTrouble[] {
    const now = clock.now();
    const lasting = (ms: number): readonly Held[] => held.filter(({ since }) => Math.abs(now - since) >= ms);
    const long = lasting(REPORTED_MS).length === 0 ? [] : lasting(ALSO_REPORTED_MS).slice(0, MOST_NAMED);
    if (long.length === 0) return [];
    const says = long.map(
      ({ database, pid, command, since }) =>
        `pid ${pid}, \`${command}\`, has locked ${basename(database)} since ${isoTime(since)}`,
    );
    const pids = [...new Set(long.map(({ pid }) => pid))];
    return [{ code: "database_locked", detail: `${says.join("; ")}. Try: kill ${pids.join(" ")}` }];
  }

  return { look, troubles };
}

type Lock = Readonly<{ database: string; pid: number | null; inodes: readonly number[]; isOnDevice: boolean }>;

function locksHeld(): readonly FileLock[] {
  return parseFileLocks(readFileSync("/proc/locks", "utf8"));
}

/** One for each process, and one for all locks of open files, which name no process. */
function locksOf(database: string, locks: readonly FileLock[]): readonly Lock[] {
  const [memory, file] = [`${database}-shm`, database].map((path) => statSync(path, { throwIfNoEntry: false }));
  const holding = locks.filter(
    ({ isExclusive, inode, first, last }) =>
      (inode === memory?.ino &&
        first <= (isExclusive ? WAL_WRITE_BYTE : WAL_CHECKPOINT_BYTE) &&
        last >= WAL_WRITE_BYTE) ||
      (isExclusive && inode === file?.ino && first <= PENDING.last && last >= PENDING.first),
  );
  const device = file === undefined ? "" : lockDevice(file.dev);
  return [...Map.groupBy(holding, ({ pid }) => pid)].map(([pid, own]) => ({
    database,
    pid,
    inodes: own.map(({ inode }) => inode),
    isOnDevice: own.some((lock) => lock.device === device),
  }));
}

function holds({ pid }: Process, lock: Lock): boolean {
  return lock.pid === null ? lock.inodes.some((inode) => holdsOpenFileLock(pid, inode)) : lock.pid === pid;
}

/** A program of ours that may write the database anyway. One that may only read it, such as the web, may be an attacker's. */
function isOurs({ exe, users }: Process, node: string, database: string): boolean {
  const owner = statSync(database, { throwIfNoEntry: false })?.uid;
  return exe === node && users.every((user) => user === 0 || user === owner);
}

/**
 * Checks that the process uses the database, because inodes of different disks can have the same number. Without CAP_SYS_PTRACE, other
 * users' files cannot be seen, so the device decides. Otherwise it is not enough: Btrfs reports a different one to stat(2).
 */
function mayUse({ exe, used }: Process, { database, isOnDevice }: Lock): boolean {
  return isOnDevice || (exe !== "" && used().some((name) => name === database || name === `${database}-shm`));
}

/** From this size of the log on, readers are named: sixteen times the size to which the guard lets it grow without readers. */
const LOG_BYTES = 64 * 1024 * 1024;
/** Checks in a row that find the same process: a query of a second is not reported. */
const LOOKS = 3;

/**
 * Names programs that keep `engine.db` open while its write-ahead log grows: frames that a reader may still need stay in the
 * log. Only root sees other users' open files.
 */
export function createReaderWatch(layout: Layout, logBytes: number = LOG_BYTES) {
  /** By pid, how many checks in a row have found it, and its command. */
  let seen = new Map<number, Readonly<{ looks: number; command: string }>>();

  function look(): void {
    const { engineDb, node } = layout;
    const size = statSync(`${engineDb}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    const isLong = size >= logBytes;
    const reading = isLong ? readingNow(engineDb) : [];
    const isReading = (asked: number): boolean => reading.some((pid) => pid === null || pid === asked);
    const isReader = ({ used }: Process): boolean =>
      used().some((name) => [engineDb, `${engineDb}-wal`, `${engineDb}-shm`].includes(name));
    // The web and the exporter always have it open.
    const readers = (isLong ? listProcesses() : []).filter(
      (one) => isReader(one) && (one.exe !== node || (isReading(one.pid) && !isOurs(one, node, engineDb))),
    );
    seen = new Map(
      readers.map(({ pid, args }) => [
        pid,
        { looks: (seen.get(pid)?.looks ?? 0) + 1, command: printable(args.join(" "), COMMAND_CHARACTERS) },
      ]),
    );
  }

  function troubles(): readonly KeeperTrouble[] {
    const long = [...seen].filter(([, { looks }]) => looks >= LOOKS).slice(0, MOST_NAMED);
    if (long.length === 0) return [];
    return [{ code: "database_reader", detail: long.map(([pid, { command }]) => `pid ${pid}: ${command}`).join("; ") }];
  }

  return { look, troubles };
}

/** The processes within a read transaction; null for one that only an open file shows. */
function readingNow(database: string): readonly (number | null)[] {
  const memory = statSync(`${database}-shm`, { throwIfNoEntry: false })?.ino;
  const { first, last } = WAL_READ_BYTES;
  return locksHeld()
    .filter((lock) => lock.inode === memory && lock.first <= last && lock.last >= first)
    .map(({ pid }) => pid);
}
