import * as z from "zod/mini";
import { messageOf, nullOn } from "../../core/error.ts";
import { NOT_UTF8, readPlain } from "../../host/root-files/files.ts";
import { readRecord, writeRecord } from "../../host/root-files/record-file.ts";
import type { Layout } from "../../settings/layout.ts";

type UnusedRecord = Pick<Layout, "ownDovecotUnused">;

const OTHERS_WRITE = 0o022;
const MOST_BYTES = 1024 * 1024;

/** `unused`: why the file is not used; null if it is, or if there is none. */
type OwnDovecot = Readonly<{ text: string; unused: string | null }>;
const NOTHING: OwnDovecot = { text: "", unused: null };

/**
 * The owner's Dovecot settings; empty if the file is missing. Some of them name programs that Dovecot runs as root, so a file that anyone
 * but root can write is not used. Mail works without it.
 */
export function ownDovecotSettings(file: string): OwnDovecot {
  if (file === "") return NOTHING;
  try {
    const found = nullOn(["ENOENT"], () => readPlain(file, MOST_BYTES));
    if (found === null) return NOTHING;
    if (found.text.includes("\ufffd")) return { text: "", unused: `${file} ${NOT_UTF8}` };
    if (found.owner.uid === 0 && (found.mode & OTHERS_WRITE) === 0)
      return { text: withoutBareRemotes(found.text), unused: null };
    const wrong = `${file} must belong to root, and no one else may write to it`;
    return { text: "", unused: `${wrong}: chown root ${file}; chmod go-w ${file}` };
  } catch (error) {
    return { text: "", unused: `${file} cannot be read: ${messageOf(error)}` };
  }
}

/** Records why the settings are not used, for the notice. */
export function noteOwnDovecot(layout: UnusedRecord, unused: string | null): void {
  if (unusedOwnDovecot(layout) !== unused) writeRecord(layout.ownDovecotUnused, unused);
}

export function unusedOwnDovecot({ ownDovecotUnused }: UnusedRecord): string | null {
  return readRecord(ownDovecotUnused, z.nullable(z.string()), null);
}

/**
 * `remote {` without a network means every client. Dovecot refuses it, so its contents become settings for all. Each line keeps
 * its number, which Dovecot names when it refuses one.
 */
function withoutBareRemotes(text: string): string {
  let depth = 0;
  let remoteAt: number | null = null;
  return text
    .split("\n")
    .map((line) => {
      if (/^\s*remote\s*\{\s*(?:#.*)?$/.test(line) && remoteAt === null) {
        remoteAt = depth;
        return `# ${line}`;
      }
      if (/^[^#]*\{\s*(?:#.*)?$/.test(line)) depth++;
      if (!/^\s*\}/.test(line)) return line;
      if (depth === remoteAt) {
        remoteAt = null;
        return `# ${line}`;
      }
      depth--;
      return line;
    })
    .join("\n");
}
