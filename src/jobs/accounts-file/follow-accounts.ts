import { ENTRIES_PER_COMMAND, type FileChanges } from "../../admin/accounts.ts";
import type { Command } from "../../admin/declare/control.ts";
import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import { codeOf } from "../../core/error.ts";
import { inMb, plural } from "../../core/text.ts";
import type { Failed } from "../../guard/ports.ts";
import { UnsafePath } from "../../host/root-files/directory.ts";
import { readNamed } from "../../host/root-files/files.ts";
import { type AccountLine, parseAccountsFile } from "../../mail/dovecot/accounts-file.ts";
import type { FollowedRow } from "../../store/accounts-db/file-accounts.ts";
import { hashed, verifyPassword } from "../../store/passwords/password-hash.ts";

type FollowCommand = Extract<Command, { readonly verb: "accounts_follow" }>;
type FollowAccountsParts = Readonly<{
  /** The secret of the hash in Dovecot's questions, by which the guard recognises a clear-text password of the file at its first use. */
  secretFile: string;
  /** The current accounts. Rejects while they cannot be read. */
  present: () => Promise<readonly FollowedRow[]>;
  /** Null if the guard did not carry it out: the next check asks again. */
  ask: (command: FollowCommand) => Promise<FileChanges | null>;
}>;

/** How many checks in a row must find the same file before it is used: a slow writer may not have finished. */
const SAME_LOOKS = 2;
/** Checks before skipped lines are tried again: an alias in the way may be gone. Each try hashes their clear-text passwords. */
const RETRY_LOOKS = 600;
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_FIELDS_NAMED = 10;

/**
 * Keeps accounts in line with a file in the format of postfix-accounts.cf. Each check reads the whole file, as
 * root, because the guard may not be able to. A missing, empty or unreadable file changes nothing.
 */
export function createAccountsFollower({ secretFile, present, ask }: FollowAccountsParts) {
  let seen: string | null = null;
  let sameLooks = 0;
  /** The last state that was applied. */
  let done: string | null = null;
  let troubles: readonly KeeperTrouble[] = [];
  /** Clear-text passwords of the file by the stored hash that they match. */
  let verified: ReadonlyMap<string, string> = new Map();

  function refuse(detail: string): void {
    troubles = [{ code: "accounts_file_refused", detail }];
  }

  /** The accounts that could not be applied; null if the guard did not answer. */
  async function bringTo(lines: readonly AccountLine[]): Promise<FileChanges["skipped"] | null> {
    const rows = new Map((await present()).map((row) => [row.name, row]));
    const skipped: FileChanges["skipped"][number][] = [];
    const listed = new Set<string>(lines.map(({ name }) => name));
    const unlisted = [...rows.values()].filter(({ name, followed }) => followed === "listed" && !listed.has(name));
    // Removed lines come first, because verifying a thousand clear-text passwords takes a minute.
    for (let from = 0; from < unlisted.length; from += ENTRIES_PER_COMMAND) {
      const gone = unlisted.slice(from, from + ENTRIES_PER_COMMAND).map(({ name }) => name);
      if ((await ask({ verb: "accounts_follow", entries: [], gone })) === null) return null;
    }
    // `forget` may replace `verified` during this check.
    const known = verified;
    const matched = new Map<string, string>();
    const wanted: AccountLine[] = [];
    for (const line of lines) {
      const row = rows.get(line.name);
      // The line of an account that was added, or got its password, on this server is never in force.
      if (row?.followed === null) continue;
      const kept = row === undefined ? line : await withStoredHash(line, row.hash, { known, matched });
      if (row === undefined || !isInForce(kept, row)) wanted.push(kept);
    }
    verified = matched;
    for (let from = 0; from < wanted.length; from += ENTRIES_PER_COMMAND) {
      const some = wanted.slice(from, from + ENTRIES_PER_COMMAND);
      const entries = await Promise.all(some.map((line) => hashed(line, secretFile)));
      const changes = await ask({ verb: "accounts_follow", entries, gone: [] });
      if (changes === null) return null;
      skipped.push(...changes.skipped);
    }
    return skipped;
  }

  /** Forgets what was seen, because changed settings may accept skipped lines. */
  function forget(): void {
    verified = new Map();
    done = null;
    seen = null;
    troubles = [];
  }

  return {
    forget,
    troubles: () => troubles,
    /** Checks the file; "" means that there is none. */
    look: async (path: string): Promise<void> => {
      if (path === "") return forget();
      const read = readAccountsFile(path);
      const fingerprint = `${path}\n${read.ok ? read.text : read.reason}`;
      sameLooks = fingerprint === seen ? sameLooks + 1 : 0;
      seen = fingerprint;
      if (sameLooks < SAME_LOOKS || fingerprint === done) return;
      done = null;
      if (!read.ok) return refuse(`${path} ${read.reason}`);
      const parsed = parseAccountsFile(read.text);
      if (!parsed.ok) return refuse(`${path}: ${parsed.problems[0]?.says ?? ""}`);
      if (parsed.accounts.length === 0) return refuse(`${path} names no account`);
      const skipped = await bringTo(parsed.accounts);
      if (skipped === null) return;
      const [first] = skipped;
      // `forget` has cleared `seen` if the settings have changed since.
      if (seen === fingerprint) {
        if (first === undefined) done = fingerprint;
        else sameLooks = -RETRY_LOOKS;
      }
      const ignored = ignoredFields(parsed.accounts);
      if (first === undefined) troubles = [];
      else refuse(`${path}: ${first.name} ${first.why}`);
      if (ignored !== null) troubles = [...troubles, { code: "accounts_file_ignored", detail: `${path}: ${ignored}` }];
    },
  };
}

/** Names the first line with unused fields, and how many more have some; null if there are none. */
function ignoredFields(lines: readonly AccountLine[]): string | null {
  const [first, ...others] = lines.filter(({ unused }) => unused.length > 0);
  if (first === undefined) return null;
  const more = others.length === 0 ? "" : `, and fields in ${plural(others.length, "more line")}`;
  return `ignored in line ${first.line}: ${first.unused.slice(0, MOST_FIELDS_NAMED).join(", ")} of ${first.name}${more}`;
}

/** Passwords by the stored hash that they match: `known` from the last check, `matched` from this one. */
type Verified = Readonly<{ known: ReadonlyMap<string, string>; matched: Map<string, string> }>;

/** Returns the line with the stored hash if the password is the same: a new hash would end the account's sessions and app passwords. */
async function withStoredHash(line: AccountLine, hash: string, { known, matched }: Verified): Promise<AccountLine> {
  const { secret } = line;
  if (secret.type !== "plain") return line;
  if (known.get(hash) !== secret.password && !(await verifyPassword(hash, secret.password))) return line;
  matched.set(hash, secret.password);
  return { ...line, secret: { type: "hash", hash } };
}

function isInForce({ secret, quotaBytes }: AccountLine, { followed, hash, quotaBytes: quota }: FollowedRow): boolean {
  return followed === "listed" && quota === quotaBytes && secret.type === "hash" && secret.hash === hash;
}

/** The text of a followed file, or the reason of a failure. */
export function readAccountsFile(path: string): Readonly<{ ok: true; text: string }> | Failed {
  try {
    return { ok: true, text: readNamed(path, MOST_BYTES).toString() };
  } catch (error) {
    if (error instanceof UnsafePath)
      return { ok: false, reason: `is not a file, or is larger than ${inMb(MOST_BYTES)} MB` };
    return { ok: false, reason: codeOf(error) === "ENOENT" ? "does not exist" : "cannot be read" };
  }
}
