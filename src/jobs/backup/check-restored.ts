import { createPrivateKey, randomInt } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf, readOr } from "../../core/error.ts";
import { instant } from "../../core/time.ts";
import type { Failed } from "../../guard/ports.ts";
import { hashOf } from "../../host/root-files/copies.ts";
import { Directory, UnsafePath } from "../../host/root-files/directory.ts";
import { readPair, servedFiles } from "../../mail/certificates/issue-certificate.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Environment, loadSettings, sentencesOf } from "../../settings/load.ts";
import { namedFiles } from "../../settings/schema.ts";
import { MANIFEST, type Manifest, parseManifest, type Rows, tables } from "./manifest.ts";
import { lackingFile } from "./outside-files.ts";
import { damageOf, MAIL_DIRECTORIES, type MailFile } from "./stage.ts";

/** Whether a restored directory has its description, and its databases are intact. */
export function checkRestored(layout: Layout): Readonly<{ ok: true; manifest: Manifest }> | Failed {
  const file = join(layout.data, MANIFEST);
  const manifest = existsSync(file) ? parseManifest(readFileSync(file, "utf8")) : null;
  if (manifest === null) return { ok: false, reason: "the snapshot is not one of this program's" };
  for (const path of [layout.engineDb, layout.accountsDb]) {
    const trouble = damageOf(path);
    if (trouble !== null) return { ok: false, reason: `${basename(path)} of the snapshot is damaged (${trouble})` };
  }
  return { ok: true, manifest };
}

/** Null, or what the databases had when the backup was made, and lack now. */
export function rowsTrouble({ rows: then }: Manifest, now: Rows): string | null {
  const table = tables.find((name) => then !== undefined && then[name].sha256 !== now[name].sha256);
  if (then === undefined || table === undefined) return null;
  const [had, has] = [then[table].count, now[table].count];
  return had === has
    ? `its ${table} differ from those that the server had`
    : `the server had ${had} ${table} and has ${has} after the restore`;
}

/** Null, or why the restored settings cannot be used. `at`: when the running server was backed up. */
export function settingsTrouble(restored: Layout, running: Layout, at: number, env: Environment): string | null {
  const { settings } = restored;
  const loaded = loadSettings(existsSync(settings) ? readFileSync(settings, "utf8") : null, env);
  if (!loaded.ok) return `its settings are wrong: ${sentencesOf(loaded.problems)}`;
  const lacking = lackingFile(namedFiles(loaded.settings), running, restored, at);
  return lacking === undefined ? null : `${lacking}, which the settings name, is missing`;
}

/**
 * Null, or what is wrong with the restored keys: a certificate without its key, an invalid DKIM key, or one that differs from the key
 * that the running server had then and still has.
 */
export function keysTrouble(restored: Layout, running: Layout, at: number): string | null {
  const served = servedFiles(restored);
  if (existsSync(served.cert) || existsSync(servedFiles(running).cert)) {
    const pair = readPair(served, instant(at));
    if (!pair.ok) return `its certificate cannot be used: ${pair.reason.replace(/\.$/, "")}`;
  }
  for (const name of namesOf(restored.dkimKeys)) {
    if (!isPrivateKey(join(restored.dkimKeys, name))) return `the DKIM key ${name} cannot be read`;
  }
  const missing = namesOf(running.dkimKeys).find((name) => {
    const own = join(running.dkimKeys, name);
    if (statSync(own).mtimeMs >= at) return false;
    const other = join(restored.dkimKeys, name);
    return !existsSync(other) || readFileSync(other, "utf8") !== readFileSync(own, "utf8");
  });
  return missing === undefined ? null : `the DKIM key ${missing} is missing or different`;
}

function isPrivateKey(file: string): boolean {
  return readOr(() => createPrivateKey(readFileSync(file, "utf8")).type === "private", false);
}

function namesOf(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith(".pem")) : [];
}

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

/**
 * Compares restored mails with those of the mailboxes, which users may change at the same time. `gone`: no longer in that folder of the
 * mailbox. `different`: the paths of mails whose content differs.
 */
export function compareMails(sample: readonly MailFile[], restored: string, running: string) {
  const folders = new Map<string, ReadonlyMap<string, string>>();
  const different: string[] = [];
  let same = 0;
  for (const { path } of sample) {
    const now = hashOf(join(running, path)) ?? hashOfRenamed(folders, running, path);
    if (now === null) continue;
    if (now === hashOf(join(restored, path))) same += 1;
    else different.push(path);
  }
  return { same, gone: sample.length - same - different.length, different };
}

/**
 * Finds a mail whose name has changed, because its flags have or because it was first seen (maildir(5)). Null if it is gone. Reads each
 * folder once.
 */
function hashOfRenamed(folders: Map<string, ReadonlyMap<string, string>>, top: string, path: string): string | null {
  const pathsIn = (folder: string): ReadonlyMap<string, string> => {
    const places = [...MAIL_DIRECTORIES].map((name) => join(folder, name));
    const present = places.flatMap((place) => namesIn(place).map((name) => join(place, name)));
    return new Map(present.map((one) => [ownName(one), one]));
  };
  const now = folders.getOrInsertComputed(join(top, dirname(dirname(path))), pathsIn).get(ownName(path));
  return now === undefined ? null : hashOf(now);
}

function ownName(path: string): string {
  return basename(path).split(":2,", 1)[0] ?? path;
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
