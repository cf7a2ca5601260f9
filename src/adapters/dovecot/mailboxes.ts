import { type AccountName, parseAccountName } from "../../core/net/address.ts";
import { type Amount, type Folder, parseFolders, parseSizes } from "../../wire/dovecot/folders.ts";
import { lastLines, runProgram } from "../machine/run-program.ts";

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

  async folders(account: AccountName): Promise<readonly Folder[]> {
    const fields = "guid messages vsize";
    const printed = await this.#doveadm(["-f", "tab", "mailbox", "status", "-u", account, fields, "*"]);
    return parseFolders(printed) ?? fail("mailbox status", printed);
  }

  /** Mails that arrived in the folder before then (ms). Sizes are those on disk. */
  async cameBefore(account: AccountName, { guid }: Pick<Folder, "guid">, at: number): Promise<Amount> {
    const query = ["size.physical", ...before(guid, at)];
    const printed = await this.#doveadm(["-f", "tab", "fetch", "-u", account, ...query]);
    return parseSizes(printed) ?? fail("fetch", printed);
  }

  /** Removes them for good. */
  async expunge(account: AccountName, { guid }: Pick<Folder, "guid">, at: number): Promise<void> {
    await this.#doveadm(["expunge", "-u", account, ...before(guid, at)]);
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

/** doveadm-search-query(7). By number, since a name may contain wildcards. Dovecot's times are in seconds. */
function before(guid: string, at: number): readonly string[] {
  return ["mailbox-guid", guid, "savedbefore", String(Math.max(0, Math.floor(at / 1_000)))];
}

function fail(what: string, printed: string): never {
  throw new Error(`doveadm ${what} printed something else: ${printed.slice(0, 200)}`);
}
