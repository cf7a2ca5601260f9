import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { type AccountName, parseAccountName } from "../../core/net/address.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { cleanEnvironment, lastLines, runProgram, withPipes } from "../../host/machine/run-program.ts";
import { removeFile, writeFile } from "../../host/root-files/files.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { homeOf } from "./sieve-redirects.ts";

/** Older than any live lock that is empty: Dovecot writes its process id into a lock as soon as it exists. */
const EMPTY_MINUTES = 0.2;

/**
 * A command that removes locks of Maildirs, and prints their names. Dovecot waits two minutes for a lock that is empty (the disk failed
 * when it was written) or names another host (a container that was replaced). `empty`: only empty ones, as others may be in use.
 */
export function removesStaleLocks({ mail }: Pick<Layout, "mail">, which: "empty" | "all"): readonly string[] {
  const folders = "-maxdepth 5 -name cur -prune -o -name new -prune -o -name tmp -prune";
  const locks = `-name dovecot-uidlist.lock -type f -mmin +${EMPTY_MINUTES}${which === "empty" ? " -empty" : ""}`;
  return findAsOwner(mail, `${folders} -o ${locks} -print -exec rm -f {} +`);
}

/** Runs find(1) as the owner of all mail. `mail` may be a link. Maildirs are at mail/DOMAIN/USER/Maildir, with their folders below. */
function findAsOwner(mail: string, expression: string): readonly string[] {
  const user = USERS.mail;
  const asOwner = `setpriv --reuid ${user} --regid ${user} --clear-groups --bounding-set=-all --no-new-privs`;
  return `${asOwner} find -H ${mail} ${expression}`.split(" ");
}

/**
 * Disk space in bytes that Dovecot does not count for the quota. `storingBytes`: mails that sessions are storing; copies are links.
 * `indexBytes`: indexes, their logs and caches. `listBytes`: lists with a line of 40 to 100 bytes for each mail.
 */
export type Uncounted = Readonly<{ folders: number; storingBytes: number; indexBytes: number; listBytes: number }>;

/** A user may store millions of mails at once. */
const FIND_MS = 10 * MINUTE_MS;
const IN_FOLDER = "-type f -regex .*/Maildir/\\(\\.[^/]*/\\)?";

const STORING = `${IN_FOLDER}tmp/[^/]* -links 1`;

/** Returns the sums by account. Throws an Error with find's exit code or signal. */
export async function uncountedOf({ mail }: Pick<Layout, "mail">): Promise<ReadonlyMap<AccountName, Uncounted>> {
  const found = findAsOwner(
    mail,
    `-mindepth 4 -maxdepth 6 ( -name cur -o -name new ) -prune -o ( -type d -name .?* -o ${STORING} -o ${IN_FOLDER}dovecot\\(\\.index.*\\|-uidlist\\) ) -printf %y\\t%b\\t%P\\0`,
  );
  return readPrinted(found, parseUncounted);
}

async function readPrinted<T>(
  [program = "", ...argv]: readonly string[],
  parse: (printed: AsyncIterable<string>) => Promise<T>,
): Promise<T> {
  const env = cleanEnvironment();
  const limit = { timeout: FIND_MS, killSignal: "SIGKILL" } as const;
  const child = withPipes(spawn(program, argv, { stdio: ["ignore", "pipe", "ignore"], env, ...limit }));
  const ended = once(child, "close");
  const [found] = await Promise.all([parse(child.stdout.setEncoding("utf8")), ended]);
  // Code 1: a file was renamed while find looked at it.
  if (child.exitCode === null || child.exitCode > 1)
    throw new Error(`find failed: ${child.signalCode ?? `code ${child.exitCode}`}`);
  return found;
}

/**
 * Reads lines of type, blocks of 512 bytes and path, which end with a NUL. Reads them in pieces, because a session may store a million
 * mails at once, and a limit on the output would let it hide all mailboxes.
 */
export async function parseUncounted(printed: AsyncIterable<string>): Promise<ReadonlyMap<AccountName, Uncounted>> {
  const found = new Map<AccountName, { -readonly [K in keyof Uncounted]: number }>();
  for await (const line of linesOf(printed)) {
    const [type, blocks, path = ""] = line.split("\t");
    const [domain = "", user = ""] = path.split("/");
    const account = parseAccountName(`${user}@${domain}`);
    if (account === null) continue;
    const sum = found.get(account) ?? { folders: 0, storingBytes: 0, indexBytes: 0, listBytes: 0 };
    const name = basename(path);
    if (type === "d") sum.folders++;
    else if (name === "dovecot-uidlist") sum.listBytes += 512 * Number(blocks);
    else if (name.startsWith("dovecot.index")) sum.indexBytes += 512 * Number(blocks);
    else sum.storingBytes += 512 * Number(blocks);
    found.set(account, sum);
  }
  return found;
}

async function* linesOf(printed: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of printed) {
    const lines = (rest + piece).split("\0");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/**
 * Removes unfinished mails whose process has ended. A process leaves them if it is killed, or fails with CATENATE, as on a full disk.
 * Dovecot would remove them after 36 hours. Throws an Error with find's exit code or signal.
 */
export async function removeUnfinished(layout: Pick<Layout, "mail">, account: AccountName): Promise<void> {
  for (const pid of await readPrinted(unfinished(layout, account, "-printf %f\\0"), storingProcesses))
    if (!existsSync(`/proc/${pid}`)) await readPrinted(removesUnfinished(layout, account, pid), storingProcesses);
}

/** A command that removes the unfinished mails of an ended process. */
export function removesUnfinished(layout: Pick<Layout, "mail">, account: AccountName, pid: number): readonly string[] {
  return unfinished(layout, account, `-name *P${pid}.* -delete`);
}

function unfinished({ mail }: Pick<Layout, "mail">, account: AccountName, more: string): readonly string[] {
  return findAsOwner(join(homeOf(mail, account), "Maildir"), `-mindepth 2 -maxdepth 3 ${STORING} ${more}`);
}

/** Reads names that end with a NUL. Dovecot's have seconds, microseconds and its process id: 1795673453.M341300P17701.host. */
export async function storingProcesses(printed: AsyncIterable<string>): Promise<Set<number>> {
  const found = new Set<number>();
  for await (const name of linesOf(printed)) {
    const pid = /^\d+\.M\d+P(\d+)\./.exec(name)?.[1];
    if (pid !== undefined) found.add(Number(pid));
  }
  return found;
}

/** A command that removes the indexes of an account. Dovecot makes them again from the mails, with at most 26 keywords per folder. */
export function removesIndexes({ mail }: Pick<Layout, "mail">, account: AccountName): readonly string[] {
  const indexes = `-mindepth 1 -maxdepth 2 ${IN_FOLDER}dovecot\\.index.* -exec rm -f {} +`;
  return findAsOwner(join(homeOf(mail, account), "Maildir"), indexes);
}

/** Throws an Error with find's message. */
export async function removeIndexes(layout: Pick<Layout, "mail">, account: AccountName): Promise<void> {
  const [program = "", ...argv] = removesIndexes(layout, account);
  const ran = await runProgram(program, argv, { timeoutMs: FIND_MS });
  if (ran.code !== 0) throw new Error(`find failed: ${lastLines(ran)}`);
}

/** Rights of RFC 4314: all but `k`, to create folders. */
const NO_NEW_FOLDERS = "* owner lrwstipexa\n";

/** For `plugin { }`, with the plugin acl. An account without a file has all rights. Dovecot reads the file when a session starts. */
export function folderLimitPlugin({ folderLimits }: Layout): string {
  return `  acl = vfile:${join(folderLimits, "%u")}\n  acl_globals_only = yes`;
}

/** Accounts that may create no folder. */
export function withoutNewFolders({ folderLimits }: Layout): readonly AccountName[] {
  if (!existsSync(folderLimits)) return [];
  return readdirSync(folderLimits)
    .map(parseAccountName)
    .filter((name) => name !== null);
}

/** Applies to sessions that start afterwards. */
export function limitFolders({ folderLimits }: Layout, account: AccountName, isLimited: boolean): void {
  const file = join(folderLimits, account);
  if (isLimited) writeFile(file, NO_NEW_FOLDERS, { mode: 0o644 });
  else removeFile(file);
}
