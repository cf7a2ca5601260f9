import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Forward, redirectsOf } from "../../core/access-review.ts";
import { readPlain } from "../root-files/files.ts";
import { UnsafePath } from "../root-files/unsafe-path.ts";

const MOST_SCRIPTS = 100;
const MOST_BYTES = 1_000_000;

/** Where an account's scripts and mail lie, below the directory of all mail. */
export function homeOf(mail: string, account: string): string {
  const [local = "", domain = ""] = account.split("@");
  return join(mail, domain, local);
}

/**
 * Where the Sieve scripts of an account send mail on: each script in its home counts, in force or not. Their owner could put
 * anything there, so links are not followed.
 */
export function redirectsIn(home: string, account: string): readonly Forward[] {
  const names = [
    ".dovecot.sieve",
    ...namesIn(join(home, "sieve"))
      .filter((name) => name.endsWith(".sieve"))
      .slice(0, MOST_SCRIPTS)
      .map((name) => join("sieve", name)),
  ];
  return names.flatMap((name) => {
    const to = redirectsOf(textOf(join(home, name)));
    return to.length === 0 ? [] : [{ address: account, to, by: name }];
  });
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
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
