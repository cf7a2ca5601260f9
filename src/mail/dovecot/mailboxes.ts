import { type AccountName, parseAccountName } from "../../core/net/address.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";

/** Several times the output for a folder with a million mails. */
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;
/** A large folder without an index is read mail by mail. */
const TIMEOUT_MS = 30 * 60_000;

/** The mailboxes of all accounts, by doveadm(1). Each method throws an Error with doveadm's message. */
export class Mailboxes {
  readonly #conf: string;

  constructor(dovecotConf: string) {
    this.#conf = dovecotConf;
  }

  async accounts(): Promise<readonly AccountName[]> {
    const printed = await this.#doveadm(["user", "*"]);
    return printed
      .split("\n")
      .map(parseAccountName)
      .filter((name) => name !== null)
      .toSorted();
  }

  folders(account: AccountName): Promise<readonly Folder[]> {
    return this.#table(["mailbox", "status", "-u", account, "guid messages vsize", "*"], parseFolders);
  }

  /** How many mails the account has in all folders, of which a user may create thousands. */
  async mailCount(account: string): Promise<number> {
    const argv = ["mailbox", "status", "-u", account, "messages", "*"];
    const counts = await this.#table(argv, (printed) => numbersOf(printed, "messages"));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Mails that arrived in the folder before `at` (ms). Sizes are those on disk. */
  cameBefore(account: AccountName, { guid }: Pick<Folder, "guid">, at: number): Promise<Amount> {
    return this.#table(["fetch", "-u", account, "size.physical", ...before(guid, at)], parseSizes);
  }

  async expunge(account: AccountName, { guid }: Pick<Folder, "guid">, at: number): Promise<void> {
    await this.#doveadm(["expunge", "-u", account, ...before(guid, at)]);
  }

  async #table<T>(args: readonly string[], parse: (printed: string) => T | null): Promise<T> {
    const printed = await this.#doveadm(["-f", "tab", ...args]);
    const read = parse(printed);
    if (read !== null) return read;
    const asked = args.slice(0, args.indexOf("-u")).join(" ");
    throw new Error(`doveadm ${asked} printed unexpected output: ${printed.slice(0, 200)}`);
  }

  async #doveadm(args: readonly string[]): Promise<string> {
    const ran = await runProgram("doveadm", ["-c", this.#conf, ...args], {
      timeoutMs: TIMEOUT_MS,
      mostOutputBytes: MOST_OUTPUT_BYTES,
    });
    if (ran.code !== 0) throw new Error(`doveadm failed: ${lastLines(ran)}`);
    return ran.stdout;
  }
}

/** doveadm-search-query(7). The folder is named by its GUID, since a name may contain wildcards. Dovecot's times are in seconds. */
function before(guid: string, at: number): readonly string[] {
  return ["mailbox-guid", guid, "savedbefore", String(Math.max(0, Math.floor(at / 1_000)))];
}

/** A folder of a mailbox, as `doveadm mailbox status` prints it. `bytes`: of its mails as a client sees them. */
export type Folder = Readonly<{ name: string; guid: string; mails: number; bytes: number }>;

/** Some mails, and their size. */
export type Amount = Readonly<{ mails: number; bytes: number }>;

/**
 * Reads `doveadm -f tab mailbox status "guid messages vsize"`: a line of titles, then a line for each folder. Null for anything
 * else: no folder may be mistaken for another.
 */
export function parseFolders(printed: string): readonly Folder[] | null {
  const rows = rowsOf(printed);
  if (rows === null) return null;
  const folders: Folder[] = [];
  for (const row of rows) {
    const [name = "", guid = ""] = [row.get("mailbox"), row.get("guid")];
    const [mails, bytes] = [numberIn(row.get("messages")), numberIn(row.get("vsize"))];
    if (name === "" || !/^[0-9a-f]{32}$/.test(guid) || mails === null || bytes === null) return null;
    folders.push({ name, guid, mails, bytes });
  }
  return folders;
}

/** Reads `doveadm -f tab fetch size.physical`: a line of titles, then a line for each mail. Null for anything else. */
export function parseSizes(printed: string): Amount | null {
  const sizes = numbersOf(printed, "size.physical");
  return sizes === null ? null : { mails: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** A column of a table; null if it is missing, or holds anything but numbers. */
function numbersOf(printed: string, title: string): readonly number[] | null {
  const cells = rowsOf(printed)?.map((row) => numberIn(row.get(title))) ?? null;
  return cells?.every((cell) => cell !== null) === true ? cells : null;
}

/** Reads a table of `doveadm -f tab`, each row by its titles; null if it is not one. Without any row, doveadm prints nothing at all. */
export function rowsOf(printed: string): readonly ReadonlyMap<string, string>[] | null {
  const [titles = "", ...lines] = printed.split("\n").filter((line) => line !== "");
  const names = titles.split("\t");
  const rows = lines.map((line) => line.split("\t"));
  if (rows.some((cells) => cells.length !== names.length)) return null;
  return rows.map((cells) => new Map(cells.map((cell, i) => [names[i] ?? "", unescaped(cell)])));
}

/** Dovecot's str_tabescape. */
function unescaped(cell: string): string {
  const characters: Readonly<Record<string, string>> = { "0": "\0", "1": "\x01", t: "\t", r: "\r", n: "\n" };
  const [head = "", ...rest] = cell.split("\x01");
  return head + rest.map((part) => (characters[part.charAt(0)] ?? "") + part.slice(1)).join("");
}

export function numberIn(cell: string | undefined): number | null {
  return cell !== undefined && /^\d{1,15}$/.test(cell) ? Number(cell) : null;
}
