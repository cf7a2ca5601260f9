import { execFileSync } from "node:child_process";
import { constants, openSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Descriptor, Directory, explained } from "./directory.ts";

const { O_CREAT, O_NOFOLLOW, O_RDONLY } = constants;
/** A lock is usually held for milliseconds. The limit keeps a stopped holder (SIGSTOP) from stopping the keeper too. */
const MOST_SECONDS = "10";
/** The exit status of flock(1) with -w. */
const TIMED_OUT = 1;

/**
 * Runs `work` while no other process does so for the same file (flock(1)). The lock is a separate file that only root can open,
 * because any user can lock a file that they can read. Throws if another process keeps the lock for long.
 */
export function whileLocked<Result>(path: string, work: () => Result): Result {
  using place = Directory.own(dirname(path));
  const lockFile = `${path}.lock`;
  const name = basename(lockFile);
  for (;;) {
    const opened = explained(lockFile, () => openSync(place.at(name), O_CREAT | O_NOFOLLOW | O_RDONLY, 0o600));
    using lock = new Descriptor(opened);
    try {
      execFileSync("flock", ["-w", MOST_SECONDS, "3"], { stdio: ["ignore", "ignore", "pipe", lock.fd] });
    } catch (error) {
      if (!(error instanceof Error && "status" in error && error.status === TIMED_OUT)) throw error;
      throw new Error(`${path} is in use by another process: try again.`, { cause: error });
    }
    using present = place.hold(name);
    // The previous holder has removed this lock file.
    if (present?.stat.ino !== lock.stat.ino) continue;
    try {
      return work();
    } finally {
      explained(lockFile, () => place.remove(name));
    }
  }
}
