import { chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { userIds } from "../../src/host/machine/system-users.ts";
import { deferredFile } from "../../src/mail/postfix/mail-queue.ts";
import type { Layout } from "../../src/settings/layout.ts";
import { put } from "./files.ts";
import { lacking } from "./needs.ts";

/** For tests that put mails into a queue with Postfix's sendmail(1), which lets only root choose another queue. */
export const SENDMAIL = { skip: lacking({ root: true, installed: ["sendmail", "postdrop"] }) };

/** A queue of Postfix into which mails can be put while Postfix is down. */
export function makeMailQueue({ postfixConf, postfixQueue, postfixData }: Layout): void {
  for (const directory of [postfixData, join(postfixQueue, "maildrop"), join(postfixQueue, "public")])
    mkdirSync(directory, { recursive: true });
  const main = join(postfixConf, "main.cf");
  const directories = `queue_directory = ${postfixQueue}\ndata_directory = ${postfixData}\n`;
  // Without a name, each call asks the resolver for this machine's.
  put(main, `compatibility_level = 3.6\nenable_long_queue_ids = yes\nmyhostname = mail.example.org\n${directories}`);
  // Postfix waits up to two seconds for a file that was just written, because an editor may not have finished it.
  utimesSync(main, 0, 0);
  put(join(postfixConf, "master.cf"));
}

/** The text of each file in the maildrop: sender, recipients and lines, each after its length. */
export function queuedMails({ postfixQueue }: Layout): readonly string[] {
  const directory = join(postfixQueue, "maildrop");
  return readdirSync(directory).map((name) => readFileSync(join(directory, name), "latin1"));
}

/** Moves the mail in the maildrop to the deferred queue. Returns the queue ids. */
export function deferMails({ postfixQueue }: Layout): readonly string[] {
  const { uid, gid } = userIds("postfix");
  for (const name of ["active", "corrupt", "deferred", "hold", "incoming"]) {
    mkdirSync(join(postfixQueue, name), { recursive: true });
    chownSync(join(postfixQueue, name), uid, gid);
  }
  const maildrop = join(postfixQueue, "maildrop");
  const ids = readdirSync(maildrop);
  for (const id of ids) {
    const deferred = placeFor(postfixQueue, id);
    renameSync(join(maildrop, id), deferred);
    chownSync(deferred, uid, gid);
  }
  return ids;
}

/** Copies a deferred mail; Postfix treats each copy as a separate mail. */
export function copyMail({ postfixQueue }: Layout, id: string, copies: readonly string[]): void {
  const { uid, gid } = userIds("postfix");
  for (const copy of copies) {
    const file = placeFor(postfixQueue, copy);
    copyFileSync(deferredFile(postfixQueue, id), file);
    chownSync(file, uid, gid);
  }
}

/** Returns the file's path, and makes its subdirectory, owned by Postfix's user. */
function placeFor(postfixQueue: string, id: string): string {
  const file = deferredFile(postfixQueue, id);
  mkdirSync(dirname(file), { recursive: true });
  const { uid, gid } = userIds("postfix");
  chownSync(dirname(file), uid, gid);
  return file;
}
