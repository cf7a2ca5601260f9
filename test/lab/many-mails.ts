import { hash, randomBytes } from "node:crypto";
import { chownSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Layout } from "../../src/settings/layout.ts";
import { mailText } from "./mailbox.ts";

const FOLDERS = ["", ".Archive", ".Archive.2026"] as const;
const FLAGS = ["", "S", "FS", "RS"] as const;

/** Writes mails directly into mailboxes, in folders and with flags, which is faster than delivery. */
export function manyMails(layout: Layout, accounts: readonly string[], bodyBytes = 800) {
  const paths: string[] = [];
  let made = 0;

  function add(count: number): void {
    const { uid, gid } = statSync(layout.mail);
    for (let i = 0; i < count; i++) {
      const n = made++;
      const account = accounts[n % accounts.length] ?? "";
      const folder = FOLDERS[Math.floor(n / accounts.length) % FOLDERS.length] ?? "";
      const [local = "", domain = ""] = account.split("@");
      const cur = join(layout.mail, domain, local, "Maildir", folder, "cur");
      const path = join(cur, `1763700000.M${n}P1.lab:2,${FLAGS[n % FLAGS.length]}`);
      // Sets the owner of each new directory at once, because the server is running.
      const first = mkdirSync(cur, { recursive: true, mode: 0o700 });
      if (first !== undefined) for (let at = cur; at.length >= first.length; at = dirname(at)) chownSync(at, uid, gid);
      const body = `${randomBytes((bodyBytes * 3) / 4).toString("base64")}\r\n`;
      writeFileSync(path, `${mailText({ subject: `Many ${n}`, to: account, body })}\r\n`);
      chownSync(path, uid, gid);
      paths.push(path);
    }
  }

  /** A third of them are deleted, a third get a flag, and a third are new. */
  function change(count: number): void {
    const some = paths.splice(0, count);
    const deleted = Math.floor(count / 3);
    for (const path of some.slice(0, deleted)) rmSync(path);
    const flagged = some.slice(deleted, deleted * 2);
    for (const path of flagged) renameSync(path, `${path}T`);
    paths.push(...some.slice(deleted * 2), ...flagged.map((path) => `${path}T`));
    add(count - deleted * 2);
  }
  return { add, change };
}

/** The content of these files below `top`. */
export const hashesOf = (top: string, paths: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(paths.map((path) => [path, hash("sha256", readFileSync(join(top, path)))]));
