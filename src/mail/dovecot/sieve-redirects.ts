import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { type Forward, sieveRedirectsOf } from "../../core/access/access-review.ts";
import { Directory, UnsafePath } from "../../host/root-files/directory.ts";
import { readPlain } from "../../host/root-files/files.ts";

/** Dovecot keeps a link and some other files next to the scripts. */
const MOST_ENTRIES = 1_000;
const MOST_SCRIPTS = 100;
/** Pigeonhole's own limit (`sieve_max_script_size`). */
const MOST_BYTES = 1024 * 1024;

/** Where an account's scripts and mail lie, below the directory of all mail. */
export function homeOf(mail: string, account: string): string {
  const [local = "", domain = ""] = account.split("@");
  return join(mail, domain, local);
}

/**
 * Addresses to which an account's Sieve scripts forward mail: every script in its home counts, active or not. Users could put
 * anything there, so links are not followed.
 */
export function sieveRedirectsIn(home: string, account: string): readonly Forward[] {
  const names = [
    ".dovecot.sieve",
    ...namesIn(join(home, "sieve"))
      .filter((name) => name.endsWith(".sieve"))
      .slice(0, MOST_SCRIPTS)
      .map((name) => join("sieve", name)),
  ];
  return names.flatMap((name) => {
    const to = sieveRedirectsOf(textOf(join(home, name)));
    return to.length === 0 ? [] : [{ address: account, to, by: name }];
  });
}

/** The first names of a directory; none for anything else. */
function namesIn(path: string): readonly string[] {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  using directory = Directory.open(path);
  return directory.names().take(MOST_ENTRIES).toArray();
}

function textOf(path: string): string {
  if (!existsSync(path)) return "";
  try {
    return readPlain(path, MOST_BYTES)?.text ?? "";
  } catch (error) {
    if (error instanceof UnsafePath) return "";
    throw error;
  }
}
