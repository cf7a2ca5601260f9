import { randomInt } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { Directory } from "../../adapters/root-files/directory.ts";
import { hashOf } from "../../adapters/root-files/hash.ts";
import { UnsafePath } from "../../adapters/root-files/unsafe-path.ts";
import { codeOf } from "../../core/error.ts";
import { MAIL_DIRECTORIES, type MailFile } from "./mail-files.ts";

/** `gone`: no longer in that folder of the mailbox. `different`: the paths of mails whose content differs. */
export type Compared = Readonly<{ same: number; gone: number; different: readonly string[] }>;

/** A random sample in one pass (reservoir sampling). */
export function sampleOf(files: Iterable<MailFile>, size: number): readonly MailFile[] {
  const sample: MailFile[] = [];
  let seen = 0;
  for (const file of files) {
    seen += 1;
    if (sample.length < size) sample.push(file);
    else {
      const at = randomInt(seen);
      if (at < size) sample[at] = file;
    }
  }
  return sample;
}

/** Compares restored mails with those of the mailboxes, which users may change at the same time. */
export function compareMails(sample: readonly MailFile[], restored: string, running: string): Compared {
  const folders = new Map<string, ReadonlyMap<string, string>>();
  const different: string[] = [];
  let same = 0;
  for (const { path } of sample) {
    const now = hashOf(join(running, path)) ?? hashOfRenamed(running, path, folders);
    if (now === null) continue;
    if (now === hashOf(join(restored, path))) same += 1;
    else different.push(path);
  }
  return { same, gone: sample.length - same - different.length, different };
}

/** Finds a mail whose name has changed, because its flags did or because it was first seen (maildir(5)). Null if it is gone. */
function hashOfRenamed(top: string, path: string, folders: Map<string, ReadonlyMap<string, string>>): string | null {
  const folder = dirname(dirname(path));
  let names = folders.get(folder);
  if (names === undefined) {
    names = new Map(
      [...MAIL_DIRECTORIES].flatMap((directory) =>
        namesIn(join(top, folder, directory)).map((name) => [ownName(name), join(top, folder, directory, name)]),
      ),
    );
    folders.set(folder, names);
  }
  const now = names.get(ownName(basename(path)));
  return now === undefined ? null : hashOf(now);
}

function ownName(name: string): string {
  return name.split(":2,", 1)[0] ?? name;
}

function namesIn(directory: string): readonly string[] {
  try {
    using held = Directory.open(directory);
    return [...held.names()];
  } catch (error) {
    if (error instanceof UnsafePath || codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
