import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { messageOf, nullOn } from "../../core/error.ts";
import { VERSION } from "../../core/version.ts";
import { readServiceEnvironment, settingsIn, whyEmptied } from "../../host/machine/settings-text.ts";
import { copyFile } from "../../host/root-files/copies.ts";
import { removeFile, setAccess, writeFile } from "../../host/root-files/files.ts";
import { COPY_ALL, Mirror, type MirrorRules } from "../../host/root-files/mirror.ts";
import { makeDirectory, makePrivateDirectory } from "../../host/root-files/trees.ts";
import { bytesBelow, filesBelow, removeTree } from "../../host/root-files/walk.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { namedFiles, settingKeys, variableOf } from "../../settings/schema.ts";
import { openAccountsForReading, openEngineForReading } from "../../store/open.ts";
import { type MailStage, openMailStage, removeMailStage } from "./mail-stage.ts";
import { MANIFEST, type Manifest, rowsOf } from "./manifest.ts";
import { copyNamedFiles } from "./outside-files.ts";
import { asideOfMount, BEFORE } from "./replace-contents.ts";

/** How often the live queue is read. */
const QUEUE_LOOKS = 3;
/** More pages than any database has (sqlite3_backup_step takes an int). */
const ALL_PAGES = 2 ** 31 - 1;
/** Otherwise a mail that arrives in each round would delay a backup forever. */
const MOST_ROUNDS = 20;

/** Files that Dovecot makes again, unlike dovecot-keywords and subscriptions. Old UIDs would confuse clients (see `restoreServer`). */
const MADE_AGAIN = /^(?:dovecot(?:\.index|\.list\.index|\.mailbox\.log|-uid).*|.*\.lock|.*\.tmp|maildirsize)$/;
const COPIES: MirrorRules = { links: () => false, skips: () => false };
/** Directories that a restore set aside within a mount. */
const ASIDE = asideOfMount(BEFORE);
const LOGS: MirrorRules = {
  links: () => false,
  skips: (path) => /\.(?:index|half)$/.test(path) || basename(path).startsWith(ASIDE),
};

function mailRules({ mail, backupMailStage }: Layout): MirrorRules {
  const top = existsSync(mail) ? realpathSync(mail) : mail;
  const own = [basename(backupMailStage), ASIDE].map((name) => join(top, name));
  const isOut = (path: string): boolean =>
    own.some((start) => path.startsWith(start)) || (basename(path) === "tmp" && isInMaildir(path));
  return {
    links: holdsMails,
    skips: (path, stat) => (stat.isDirectory() ? isOut(path) : MADE_AGAIN.test(basename(path))),
  };
}

/** The queues whose files are mails (postfix's qmgr(8)). */
export const QUEUES = ["maildrop", "incoming", "active", "deferred", "hold"] as const;

/** Directories that are copied unchanged: few files, that only root or one program changes. */
function plainParts(layout: Layout): readonly string[] {
  return [
    layout.fail2banFilters,
    layout.tls,
    layout.secrets,
    layout.incidents,
    layout.dkimKeys,
    dirname(layout.proofWord),
    dirname(layout.legalHolds),
    dirname(layout.mailPublicKey),
    layout.spamState,
    layout.exportData,
    join(layout.data, "lib", "dovecot"),
  ];
}

/**
 * Makes the tree of a backup in `backup/stage` while the server runs: hard links to mails, copies of the rest. The tree
 * contains each mail that was accepted before, in its mailbox or in the queue; one on its way between them may be in both. If mail is a
 * separate mount, the whole tree is finally there. `named`: files that the settings in force name, wherever they are.
 */
export function createStage(layout: Layout, named: readonly string[]) {
  /** Null if the hard links to mails are in `backup/stage`. */
  let mailStage: MailStage | null = null;

  /** Removes the stage, also that of an earlier, killed backup. */
  function remove(): void {
    mailStage?.close();
    mailStage = null;
    removeTree(layout.backupStage);
    removeMailStage(layout);
  }

  async function build(about: Pick<Manifest, "at" | "host">): Promise<Manifest> {
    remove();
    makePrivateDirectory(layout.backupStage);
    mailStage = openMailStage(layout);
    // The queue first: a mail delivered in between is found in its mailbox. A mail that changes its queue must not be missing in both.
    const queue = QUEUES.map((name) => mirror(join(layout.postfixQueue, name), COPY_ALL));
    settle(queue);
    const mail = mirror(layout.mail, mailRules(layout));
    settle([mail]);
    // Mail that has left the queue by now is in its mailbox, so reading the mailboxes again finds it there.
    settle(queue);
    dropDelivered();
    settle([mail]);
    for (const part of plainParts(layout)) settle([mirror(part, COPIES)]);
    mirror(layout.log, LOGS).pass();
    const settings = inStage(layout.settings);
    copyFile(whyEmptied(layout) === null ? layout.settings : layout.settingsInForce, settings, 0o640);
    for (const record of [layout.adoptedScript, layout.backupPlaces])
      if (existsSync(record)) copyFile(record, inStage(record), 0o600);
    // The copied settings file may name other files than the settings in force.
    const edited = settingsIn(settings, {});
    const namedInCopy = edited.ok ? namedFiles(edited.settings) : [];
    copyNamedFiles(layout, [...named, ...namedInCopy], layoutOf(layout.backupStage));
    // Copies the databases last, so that they contain accounts that were added while mail was copied.
    for (const database of [layout.accountsDb, layout.engineDb]) await copyChecked(database);
    const accounts = mailsOfAccounts(mailFiles(inStage(layout.mail)));
    const mails = totalOf(accounts);
    const queued = queuedBelow(inStage(layout.postfixQueue)).length;
    const rows = rowsOf({ accountsDb: inStage(layout.accountsDb), engineDb: inStage(layout.engineDb) });
    const started = readServiceEnvironment(layout.environment);
    const variables = settingKeys().flatMap((key) => (Object.hasOwn(started, variableOf(key)) ? variableOf(key) : []));
    const { data } = layout;
    const whole: Manifest = { format: 1, ...about, version: VERSION, data, mails, queued, accounts, rows, variables };
    writeFile(join(layout.backupStage, MANIFEST), `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600 });
    mailStage?.complete(layout.backupStage);
    return whole;
  }

  function mirror(from: string, rules: MirrorRules): Mirror {
    const to = inStage(from);
    makeDirectory(dirname(to), 0o755);
    return new Mirror(from, to, rules);
  }

  /**
   * Drops a mail that is in no queue any more, because it has reached its mailbox, and the second copy of one that changed its queue. Reads
   * the queues more than once, because a mail may move during a read.
   */
  function dropDelivered(): void {
    const { postfixQueue } = layout;
    const waiting = new Set<string>();
    for (let look = 0; look < QUEUE_LOOKS; look += 1)
      for (const name of QUEUES) for (const path of filesBelow(join(postfixQueue, name))) waiting.add(basename(path));
    const kept = new Set<string>();
    for (const path of QUEUES.toReversed().flatMap((name) => filesBelow(inStage(join(postfixQueue, name))))) {
      const id = basename(path);
      if (waiting.has(id) && !kept.has(id)) kept.add(id);
      else removeFile(path);
    }
  }

  /** Copies a database. Throws if the copy is damaged. */
  async function copyChecked(path: string): Promise<void> {
    const to = inStage(path);
    makeDirectory(dirname(to), 0o700);
    using db = path === layout.engineDb ? openEngineForReading(path) : openAccountsForReading(path);
    await copyDatabase(db, to, 0o640);
    const damage = damageOf(to);
    if (damage !== null) throw new Error(`${path} is damaged (${damage}), so it is not backed up`);
  }

  function inStage(path: string): string {
    const { data, mail, backupStage } = layout;
    const top = path === mail && mailStage !== null ? mailStage.path : backupStage;
    return join(top, relative(data, path));
  }

  return {
    /** Changes with each build, and with its removal. */
    path: (): string => mailStage?.heldPath ?? layout.backupStage,
    remove,
    build,
  };
}

/** The mails in Postfix's queue below this directory. */
export function queuedBelow(postfix: string): readonly string[] {
  return QUEUES.flatMap((name) => filesBelow(join(postfix, name)));
}

/** A complete copy at one instant, whatever other connections write at the same time. */
export async function copyDatabase(db: DatabaseSync, to: string, mode: number): Promise<void> {
  // All pages in one step: between steps, each commit of the guard would restart it (sqlite3_backup_step).
  await backup(db, to, { rate: ALL_PAGES });
  setAccess(to, { mode });
}

/** What SQLite's check finds wrong with a database; null if nothing. */
export function damageOf(path: string): string | null {
  try {
    using db = new DatabaseSync(path, { readOnly: true });
    const found = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    return found === "ok" ? null : String(found);
  } catch (error) {
    return messageOf(error);
  }
}

/** Repeats until all have found nothing new in one round: a mail may move from one directory to another while they are read. */
function settle(mirrors: readonly Mirror[]): void {
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds += 1) {
    const changes = mirrors.map((mirror) => mirror.pass());
    if (changes.every((count) => count === 0)) return;
  }
}

/** The size of the parts that a backup copies and that others can make large (bytes). Mails in mailboxes only get hard links. */
export function stagedBytes(layout: Layout): number {
  const copied = [
    layout.log,
    layout.incidents,
    layout.spamState,
    ...QUEUES.map((name) => join(layout.postfixQueue, name)),
  ];
  return copied.reduce((sum, path) => sum + bytesBelow(path), copiedBytes(layout));
}

/** The size of the databases (bytes). */
export function copiedBytes(layout: Layout): number {
  return [layout.engineDb, layout.accountsDb, `${layout.engineDb}-wal`]
    .map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, bytes) => sum + bytes, 0);
}

export const MAIL_DIRECTORIES: ReadonlySet<string> = new Set(["cur", "new"]);

/** Whether a file of this directory is a mail, whose content never changes (maildir(5)). */
function holdsMails(directory: string): boolean {
  return MAIL_DIRECTORIES.has(basename(directory)) && isInMaildir(directory);
}

/** An account may be called `tmp` or `cur`: these names have their meaning only below a Maildir. */
function isInMaildir(path: string): boolean {
  return dirname(path).split("/").slice(-3).includes("Maildir");
}

/** A mail in `mail/DOMAIN/LOCAL/…` of a directory that belongs to root; `path` starts below `mail`. */
export type MailFile = Readonly<{ account: string; path: string }>;

/** All mails below `top`, which need not exist. Does not follow links. */
export function* mailFiles(top: string, below = ""): Generator<MailFile> {
  const isMail = holdsMails(below);
  const entries = nullOn(["ENOENT"], () => readdirSync(join(top, below), { withFileTypes: true }));
  for (const entry of entries ?? []) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) yield* mailFiles(top, path);
    else if (isMail && entry.isFile()) yield { account: accountOf(path), path };
  }
}

export type MailCounts = Readonly<Record<string, number>>;

export function mailsOfAccounts(files: Iterable<MailFile>): MailCounts {
  const counts = new Map<string, number>();
  for (const { account } of files) counts.set(account, (counts.get(account) ?? 0) + 1);
  return Object.fromEntries(counts);
}

export function totalOf(counts: MailCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function accountOf(path: string): string {
  const [domain = "", local = ""] = path.split("/");
  return `${local}@${domain}`;
}
