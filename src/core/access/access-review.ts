import { domainOf, parseAddress } from "../net/address.ts";
import { printable } from "../text.ts";

/** `at`: ISO 8601, UTC. `from`: an address or a network; empty if unknown. */
export type LastSeen = Readonly<{ at: string; from: string }>;

/** An account, and the addresses under which it may send, as the mail programs see them. */
export type AccountAccess = Readonly<{
  name: string;
  suspended: boolean;
  /** Networks from which it may sign in; if empty, from anywhere that `logins.networks` allows. */
  networks: readonly string[];
  createdAt: string;
  addresses: readonly string[];
  /** The names of its app passwords. */
  appPasswords: readonly string[];
  lastSeen: LastSeen | null;
  /** What is wrong with its password in the followed accounts file; null if nothing is known. */
  weakness: string | null;
}>;
/** Mail for `address` is forwarded to `to`. `by`: the alias, the command, the setting, or the file of a Sieve script. */
export type Forward = Readonly<{ address: string; to: readonly string[]; by: string }>;
export type AliasAccess = Readonly<{ address: string; targets: readonly string[]; blocked: boolean }>;
/** A token of the API, or the administrator of the dashboard. `lastSeen`: when it last did something that is in the audit. */
export type AdminAccess = Readonly<{
  name: string;
  createdAt: string | null;
  createdBy: string;
  lastSeen: LastSeen | null;
}>;

export type AccessFacts = Readonly<{
  accounts: readonly AccountAccess[];
  aliases: readonly AliasAccess[];
  /** Redirects of Sieve scripts. */
  redirects: readonly Forward[];
  /** Forwards of accounts, set by the owner or by their users. */
  forwards: readonly Forward[];
  admins: readonly AdminAccess[];
  domains: readonly string[];
}>;

export type AccessReview = Readonly<{
  /** Each account that can read its mail and send, and what is special about it. */
  accounts: readonly (AccountAccess & Readonly<{ isUnused: boolean }>)[];
  /** Where mail leaves this server without a user's action. */
  forwards: readonly Forward[];
  admins: readonly AdminAccess[];
  aliases: number;
}>;

/** `unusedMs`: an account counts as unused if it is at least this old, and no one has signed in to it for this long. */
export function accessReview(
  { accounts, aliases, redirects, forwards, admins, domains }: AccessFacts,
  { now, unusedMs }: Readonly<{ now: number; unusedMs: number }>,
): AccessReview {
  const isOurs = (target: string): boolean => {
    const address = parseAddress(target);
    return address !== null && domains.includes(domainOf(address));
  };
  const outside = [
    ...aliases.filter(({ blocked }) => !blocked).map(({ address, targets }) => ({ address, to: targets, by: "alias" })),
    ...forwards,
  ]
    .map((one) => ({ ...one, to: one.to.filter((target) => !isOurs(target)) }))
    .filter(({ to }) => to.length > 0);
  const usedAt = ({ lastSeen, createdAt }: AccountAccess): number => Date.parse(lastSeen?.at ?? createdAt);
  return {
    accounts: accounts.map((account) => ({ ...account, isUnused: now - usedAt(account) >= unusedMs })),
    forwards: [...outside, ...redirects],
    admins,
    aliases: aliases.length,
  };
}

/** RFC 5228, 2.3, 2.4 and 8.1: comments, quoted strings, multi-line strings, words and signs. An unclosed one extends to the end. */
const TOKEN =
  /#[^\n]*|\/\*[^]*?(?:\*\/|$)|"([^"\\]*(?:\\[^][^"\\]*)*)"?|text:[ \t]*(?:#[^\n]*|\r)?\n([^]*?)(?:(?<=\n)\.\r?\n|$)|:?\w+|\S/gi;

/** The targets of all `redirect` commands in a Sieve script, as written there. Takes time in proportion to the script's length. */
export function sieveRedirectsOf(script: string): readonly string[] {
  const found = new Set<string>();
  /** The last string after `redirect`, which is its target (RFC 5228, 2.6.2: tags come first); null outside of the command. */
  let target: string | null = null;
  for (const [token, quoted, lines] of script.matchAll(TOKEN)) {
    const string = quoted?.replaceAll(/\\([^])/g, "$1") ?? lines?.trim();
    if (token.toLowerCase() === "redirect") target = "";
    else if (target !== null && string !== undefined) target = string;
    else if (target !== null && token === ";") {
      found.add(printable(target, LONGEST_TARGET));
      target = null;
    }
  }
  return [...found];
}

/** Longer than any valid address (RFC 5321, 4.5.3.1). */
const LONGEST_TARGET = 320;
