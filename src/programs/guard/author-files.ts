import { renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { domainOf } from "../../core/net/address.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { SenderLogin } from "../../store/accounts-db/mail-lookups.ts";

type AuthorFilesParts = Readonly<{
  logins: Readonly<{ all(): readonly SenderLogin[]; changes(): number }>;
  /** Mail domains of this server: a new array after each change. */
  domains: () => readonly string[];
  allowed: () => readonly Prefix[];
}>;

const SENDERS_ARE = "# ADDRESS ACCOUNT,ACCOUNT: who may send as whom. Written by the guard.";
const CLIENTS_ARE = "# The allow list. Written by the guard.";
/** The last line: without it a reader knows that the file is incomplete. */
const END = "# end";

/** `stat` of the last written file; null before the first write. */
type Written = Readonly<{ text: string; stat: string | null }>;

/**
 * The files that Rspamd uses to check a mail's author: `senders` (the view `sender_login`) and `clients` (the allow
 * list). With files mail flows while the guard is down. The guard is the only writer of accounts, so they are never out
 * of date. A file that another program emptied, changed or removed is written again at the next check.
 */
export class AuthorFiles {
  readonly #directory: string;
  readonly #parts: AuthorFilesParts;
  readonly #written = new Map<string, Written>();
  #changes = -1;
  #domains: readonly string[] = [];
  #senders = "";

  constructor(directory: string, parts: AuthorFilesParts) {
    this.#directory = directory;
    this.#parts = parts;
  }

  /** Throws if the files cannot be written. */
  refresh(): void {
    const { logins, domains, allowed } = this.#parts;
    const changes = logins.changes();
    const served = domains();
    if (changes !== this.#changes || served !== this.#domains) {
      const ours = logins.all().filter(({ address }) => served.includes(domainOf(address)));
      const lines = ours.map(({ address, logins: by }) => `${address} ${by}`);
      this.#senders = textOf(SENDERS_ARE, lines);
      this.#changes = changes;
      this.#domains = served;
    }
    this.#keep("senders", this.#senders);
    this.#keep("clients", textOf(CLIENTS_ARE, allowed()));
  }

  #keep(name: string, text: string): void {
    const file = join(this.#directory, name);
    const written = this.#written.get(name);
    if (written?.text === text && written.stat === statOf(file)) return;
    writeFileSync(`${file}.new`, text, { mode: 0o640, flush: true });
    renameSync(`${file}.new`, file);
    this.#written.set(name, { text, stat: statOf(file) });
  }
}

function textOf(first: string, lines: readonly string[]): string {
  return `${[first, ...lines, END].join("\n")}\n`;
}

/** A value that differs after each change of the file; null if it is missing. */
function statOf(file: string): string | null {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(" ");
}
