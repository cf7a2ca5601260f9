import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { groupId, userIds } from "../../host/machine/system-users.ts";
import { Directory } from "../../host/root-files/directory.ts";
import { giveFile, writeFile } from "../../host/root-files/files.ts";
import { giveDirectory, makeDirectory } from "../../host/root-files/trees.ts";
import { removeTree, walk } from "../../host/root-files/walk.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { QUEUE_WALK } from "../../mail/postfix/mail-queue.ts";
import type { Layout } from "../../settings/layout.ts";
import { QUEUES } from "./stage.ts";

/**
 * Puts the mails of a restored queue into Postfix's queue, before Postfix starts. postsuper(1) then
 * sorts them into its directories; long queue ids stay. Returns the number of mails.
 */
export async function takeRestoredQueue(layout: Layout): Promise<number> {
  if (!existsSync(layout.backupQueue)) return 0;
  const owner = userIds("postfix");
  let mails = 0;
  for (const queue of QUEUES) {
    const from = join(layout.backupQueue, queue);
    const to = join(layout.postfixQueue, queue === "active" ? "incoming" : queue);
    if (!existsSync(from)) continue;
    giveDirectory(to, {
      mode: queue === "maildrop" ? 0o730 : 0o700,
      owner: { uid: owner.uid, gid: queue === "maildrop" ? groupId("postdrop") : 0 },
    });
    using directory = Directory.open(from);
    // Postfix hashes its queues by the first letters of a name; it also finds files at the top.
    walk(directory, (entry, path) => {
      if (!entry.stat.isFile()) return true;
      giveFile(path, join(to, basename(path)), owner);
      mails += 1;
      return false;
    });
  }
  const renamed = await runProgram("postsuper", ["-c", configuration(layout), "-s"], QUEUE_WALK);
  if (renamed.code !== 0) throw new SetUpFailure(`The restored queue could not be taken over: ${lastLines(renamed)}`);
  removeTree(layout.backupQueue);
  return mails;
}

/** Writes the configuration that postsuper(1) needs. With the server's, it would write to a log that only a running Postfix opens. */
function configuration({ backupQueue, postfixQueue, postfixData }: Layout): string {
  const directory = join(backupQueue, "conf");
  makeDirectory(directory, 0o755);
  const main = `compatibility_level = 3.6\nqueue_directory = ${postfixQueue}\ndata_directory = ${postfixData}\nenable_long_queue_ids = yes\n`;
  writeFile(join(directory, "main.cf"), main, { mode: 0o644 });
  writeFile(join(directory, "master.cf"), "", { mode: 0o644 });
  return directory;
}
