import { lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { canLink } from "../../host/root-files/copies.ts";
import { Directory, ownUid, UnsafePath } from "../../host/root-files/directory.ts";
import { COPY_ALL, Mirror } from "../../host/root-files/mirror.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import type { Layout } from "../../settings/layout.ts";

const TREE = "tree";

export type MailStage = NonNullable<ReturnType<typeof openMailStage>>;

/**
 * The stage if mail is a separate mount. No hard link leads from one mount to another (link(2), EXDEV), so the links to mails are in
 * `mail/.backup-stage/tree`, and the rest is finally copied there. The user who owns the mails cannot enter that directory, but owns the
 * one that contains it, and so can rename it. It is therefore held by its descriptor, and nothing is written by a path through it before
 * root is known to be its owner.
 * Null if mails can get hard links in `backup/stage`, which must exist. Throws if no file can have hard links.
 */
export function openMailStage({ mail, backupStage, backupMailStage }: Layout) {
  using mails = Directory.openIfThere(mail);
  if (mails === null) return null;
  const name = basename(backupMailStage);
  using stage = Directory.own(backupStage);
  if (canLink(stage, mails, name)) return null;
  mails.makeDirectory(name, 0o700);
  using own = Directory.own(backupMailStage);
  canLink(own, own, "second");
  own.makeDirectory(TREE, 0o700);
  const path = join(backupMailStage, TREE);
  const held = own.enter(TREE);
  return {
    /** Its path, unless a program renames it. */
    path,
    /**
     * Leads to the tree whatever its present name, for this process and as the working directory of a child process. In a container the
     * child could not enter it through /proc/PID: this process has been another user (asOwnerOf), so only a process with CAP_SYS_PTRACE may
     * read its /proc entries (PR_SET_DUMPABLE(2const)).
     */
    heldPath: `/proc/self/fd/${held.fd}`,
    /** Copies the contents of `from` to the mails. */
    complete(from: string): void {
      new Mirror(from, path, COPY_ALL).pass();
      using now = Directory.own(path);
      if (now.stat.ino !== held.stat.ino || now.stat.dev !== held.stat.dev)
        throw new UnsafePath(`${dirname(path)} was replaced during the backup, by a program of the mails' user.`);
    },
    close: () => held[Symbol.dispose](),
  };
}

/** Removes the stage, also that of a killed backup. */
export function removeMailStage({ backupMailStage }: Layout): void {
  const uid = lstatSync(backupMailStage, { throwIfNoEntry: false })?.uid ?? ownUid();
  if (uid !== ownUid())
    throw new UnsafePath(
      `${backupMailStage} belongs to uid ${uid}, and not to a backup: look at it, and move it away.`,
    );
  removeTree(backupMailStage);
}
