import type { KeyCounts } from "../../../admin/declare/account-key.ts";
import type { AccountItem } from "../../../admin/declare/items.ts";
import { ALL } from "../../../admin/declare/paging.ts";
import { messageOf } from "../../../core/error.ts";
import { UNUSED_DAYS, unusedOf } from "../../../core/report/figures.ts";
import { plural } from "../../../core/text.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { IS_IMAGE } from "../../../host/running/checkout.ts";
import type { RoleReader } from "../../../store/accounts-db/account-networks.ts";
import { weaknessOfTaken } from "../../../store/passwords/admin-password.ts";
import { verifyPassword } from "../../../store/passwords/password-hash.ts";
import { PROGRAM, type Reader } from "../call.ts";
import { type AccountOrigin, type FollowedPasswords, judgeFollowed } from "../passwords.ts";
import { MOST_NAMED, recoverCommand } from "../print/account-facts.ts";
import { firstFew } from "../print/text.ts";
import { check, type Finding, fromDatabases, ok, unknown, warning, wrong } from "./check.ts";

export function judgeUnused(
  accounts: readonly Pick<AccountItem, "name" | "suspended" | "createdAt" | "lastSignInAt">[],
  now: number,
): Finding {
  const unused = unusedOf(accounts, now);
  if (unused.length === 0)
    return ok(`${plural(accounts.length, "account")}: none has gone unused for ${UNUSED_DAYS} days.`);
  const names = unused.map(({ name, lastSignInAt }) => `${name} (${lastSignInAt?.slice(0, 10) ?? "never"})`);
  return warning(
    `${plural(unused.length, "account")} had no sign-in for ${UNUSED_DAYS} days: ${firstFew(names)}.`,
    `${PROGRAM} account suspend ADDRESS`,
  );
}

function judgeHeld(held: readonly string[]): Finding {
  if (held.length === 0) return ok("No account's mail is held.");
  return warning(
    `Mail of ${plural(held.length, "account")} is held until you release or delete it: ${firstFew(held)}.`,
    `${PROGRAM} account held`,
  );
}

/** `byAccount`: new mail is encrypted with each account's own key. */
export function judgeKeys(counts: KeyCounts, byAccount: boolean): Finding {
  const { own, without, closed } = counts;
  if (closed.length > 0)
    return warning(
      `Older mail is locked, because the password was set without the recovery key: ${firstFew(closed)}.`,
      recoverCommand("ADDRESS"),
    );
  if (!byAccount) return ok("Every account's password decrypts all of its mail.");
  if (without.length > 0)
    return warning(
      `The server's key encrypts the mail of these accounts until their password is set: ${firstFew(without)}.`,
      `${PROGRAM} account passwd ADDRESS`,
    );
  return ok(`${plural(own, "account")} ${own === 1 ? "has" : "have"} ${own === 1 ? "its" : "their"} own key.`);
}

/** RFC 5321 section 4.5.1. `administrator`: the value of the setting; empty: the first account that can sign in. */
export function judgePostmaster(reader: RoleReader | null, administrator: string, someoneSignsIn: boolean): Finding {
  const says = `${PROGRAM} config set accounts.administrator ADDRESS`;
  if (administrator !== "" && reader !== null && (reader.address !== administrator.toLowerCase() || !reader.reads))
    return wrong(`Mail for postmaster@ and abuse@ should go to ${administrator}, where no one can read it.`, says);
  if (reader?.reads) return ok(`Mail for postmaster@ and abuse@ of each domain goes to ${reader.address}.`);
  if (reader === null && someoneSignsIn)
    return ok("postmaster@ and abuse@ of each domain have their own account or alias, or are blocked.");
  return wrong("No account could read mail for postmaster@ and abuse@.", `${PROGRAM} account add ADDRESS`);
}

export const accounts = {
  postmaster: check(
    "Checks who reads mail for postmaster@ and abuse@ of each domain.",
    fromDatabases((reader, { settings }) => {
      const someoneSignsIn = reader.accounts(ALL).items.some(({ suspended }) => !suspended);
      return judgePostmaster(reader.roleReader(), settings["accounts.administrator"], someoneSignsIn);
    }),
  ),
  unused: check(
    `Looks for accounts without a sign-in for ${UNUSED_DAYS} days.`,
    fromDatabases((reader, { now }) => judgeUnused(reader.accounts(ALL).items, now)),
  ),
  held: check(
    "Looks for accounts whose mail is held.",
    fromDatabases(({ heldMail }) =>
      judgeHeld([...new Set([...heldMail.accounts(), ...heldMail.counts()].map(({ account }) => account))]),
    ),
  ),
  keys: check(
    "Looks for mail that its account's password cannot decrypt, and for accounts without their own key.",
    fromDatabases((reader, { settings }) =>
      judgeKeys(reader.countKeys(MOST_NAMED), settings["mailboxes.encryption"] === "account"),
    ),
  ),
};

const API_MS = 5 * SECOND_MS;
const GUESS_MS = 10 * SECOND_MS;

/** The password of the README's tour. */
const PRINTED = "correct horse battery";

/** Defaults that vendors ship and owners keep, and common first choices. */
export function defaultPasswords(domains: readonly string[], hostname: string): readonly string[] {
  const words = ["admin", "password", "changeme", "ghostinbox", "secret"];
  const numbered = ["1234567890", "admin12345", "changeme123", "password123"];
  return [...new Set([...words, ...numbered, PRINTED, "correct horse battery staple", hostname, ...domains])];
}

/** `isOpen`: one of the passwords works. The finding does not say which, because it may be stored or mailed. */
export function judgeDashboard(hash: string | null, tried: number, isOpen: boolean, weakness: string | null): Finding {
  const fix = `${PROGRAM} admin passwd`;
  if (hash === null) return unknown("No password of the dashboard is stored.", fix);
  if (isOpen) return wrong(`One of ${tried} well-known passwords opens the dashboard.`, fix);
  if (weakness !== null) return warning(`ADMIN_PASSWORD, which still opens the dashboard, is weak: ${weakness}`, fix);
  return ok(`None of ${tried} well-known passwords opens the dashboard.`);
}

/** Judges clear-text passwords of the followed file. Imported hashes reveal nothing about their passwords. */
export function judgeImported(accounts: readonly AccountOrigin[], { weak, judged }: FollowedPasswords): Finding {
  if (weak.size > 0)
    return wrong(
      `Weak passwords in the accounts file: ${firstFew([...weak].map(([name, why]) => `${name} (${why.replace(/\.$/, "")})`))}.`,
      "Write longer passwords into the file that accounts.follow names; the accounts keep working until then.",
    );
  const imported = accounts
    .filter(({ name, origin }) => origin !== "command" && !judged.has(name))
    .map(({ name }) => name);
  if (imported.length > 0)
    return unknown(
      `Only the hashes of ${plural(imported.length, "imported account")} are known, so their passwords cannot be judged: ${firstFew(imported)}.`,
      `${PROGRAM} account passwd ADDRESS`,
    );
  return ok(`${plural(accounts.length, "account")}: each password was checked when it was set.`);
}

/** Guesses that attackers try first with an address. Commands refuse to set these, except the one that the README prints. */
function firstGuesses({ name: address, origin }: AccountOrigin): readonly string[] {
  if (origin === "command") return [PRINTED];
  const [local = "", domain = ""] = address.split("@");
  const [name = ""] = domain.split(".");
  const common = ["password", "123456", "12345678", "changeme", PRINTED];
  return [...new Set([local, `${local}123`, name, `${name}123`, address, ...common])];
}

/** `open`: accounts that a guess opens. `untried`: how many were not tried for lack of time or of a hash method. */
type Guessed = Readonly<{ open: readonly string[]; tried: number; untried: number }>;

/** Does not print the guess that worked. */
function judgeGuessable({ open, tried, untried }: Guessed): Finding {
  if (open.length > 0)
    return wrong(`Easily guessed passwords open ${firstFew(open)}.`, `${PROGRAM} account passwd ADDRESS`);
  if (untried > 0)
    return unknown(
      `${plural(untried, "imported account")} could not be tried: too many, or hashes in different schemes.`,
    );
  if (tried === 0) return ok("No account was imported.");
  return ok(`No common guess opens any of ${plural(tried, "imported account")}.`);
}

async function guess(reader: Pick<Reader, "password">, accounts: readonly AccountItem[]): Promise<Guessed> {
  const until = performance.now() + GUESS_MS;
  const open: string[] = [];
  let tried = 0;
  for (const account of accounts) {
    const hash = reader.password(account.name) ?? "";
    if (!hash.startsWith("{ARGON2ID}") || performance.now() > until) continue;
    tried += 1;
    for (const password of firstGuesses(account))
      if (await verifyPassword(hash, password)) {
        open.push(account.name);
        break;
      }
  }
  return { open, tried, untried: accounts.length - tried };
}

function judgeApi(status: number): Finding {
  if (status === 401) return ok("The API refuses a request without a password or token (401).");
  if (status < 300) return wrong(`The API answers without a password or token (${status}).`, `${PROGRAM} restart`);
  return unknown(`The API answers with ${status}.`, `${PROGRAM} status`);
}

/** Replaces a wildcard address by loopback, and writes IPv6 in brackets (RFC 3986 section 3.2.2). */
function hostOf(address: string): string {
  if (address === "0.0.0.0" || address === "::") return "127.0.0.1";
  return address.includes(":") ? `[${address}]` : address;
}

/** A password among the variables is a risk, because every program that the shell starts gets them. */
export function judgeSecretInEnvironment(env: NodeJS.ProcessEnv, isImage = IS_IMAGE): Finding {
  if ((env["ADMIN_PASSWORD"] ?? "") === "") return ok("The environment has no password of the dashboard.");
  return warning(
    `ADMIN_PASSWORD is set in this ${isImage ? "container" : "shell"}: every program started from it can read it, and the server needs it only at its first start.`,
    isImage ? "Remove ADMIN_PASSWORD from .env, then: docker compose up -d" : "unset ADMIN_PASSWORD",
  );
}

export const passwords = {
  dashboard: check(
    "Tries well-known passwords on the dashboard's stored hash.",
    fromDatabases(async (reader, { layout, settings }) => {
      const hash = reader.dashboardPassword();
      const tried = defaultPasswords(settings.domains, settings.hostname);
      // In parallel, one password per thread.
      const opens = await Promise.all(tried.map((password) => verifyPassword(hash ?? "", password)));
      return judgeDashboard(hash, tried.length, opens.includes(true), weaknessOfTaken(layout, hash));
    }),
  ),
  accounts: check(
    "Judges clear-text passwords of the followed accounts file, and looks for accounts with only a hash.",
    fromDatabases(async (reader, { settings }) => {
      const all = reader.accounts(ALL).items;
      return judgeImported(all, await judgeFollowed(settings["accounts.follow"], all));
    }),
  ),
  guessable: check(
    "Tries common guesses on imported accounts, and the README's password on the others, for at most ten seconds each.",
    fromDatabases(async (reader) => {
      const all = reader.accounts(ALL).items;
      const imported = all.filter(({ origin }) => origin !== "command");
      const isTour = ({ name }: AccountItem) => Number(name.startsWith("alice@"));
      const others = all.filter(({ origin }) => origin === "command").toSorted((a, b) => isTour(b) - isTour(a));
      const guessed = await guess(reader, imported);
      return judgeGuessable({ ...guessed, open: [...guessed.open, ...(await guess(reader, others)).open] });
    }),
  ),
  api: check("Asks the dashboard's API for the bans, without a password or token.", async ({ settings }) => {
    const url = `http://${hostOf(settings["http.address"])}:${settings["ports.http"]}/api/v1/bans`;
    try {
      const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(API_MS) });
      await answer.body?.cancel();
      return judgeApi(answer.status);
    } catch (error) {
      return unknown(`The dashboard does not answer: ${messageOf(error)}.`, `${PROGRAM} status`);
    }
  }),
  environment: check("Looks for a password among this shell's variables.", ({ env }) => judgeSecretInEnvironment(env)),
};
