import { domainOf, parseAddress } from "../net/address.ts";
import { printable } from "../text.ts";

/** ISO 8601, UTC; `from`: an address or a network, empty if it is not known. */
export type Seen = Readonly<{ at: string; from: string }>;

/** An account, and the addresses under which it may send, as the mail programs see them. */
export type AccountAccess = Readonly<{
  name: string;
  suspended: boolean;
  /** From where it may sign in; empty: anywhere that `logins.networks` allows. */
  networks: readonly string[];
  createdAt: string;
  addresses: readonly string[];
  /** The names of its app passwords. */
  appPasswords: readonly string[];
  lastSeen: Seen | null;
  /** What is wrong with its password in the followed accounts file; null: nothing known. */
  weakness: string | null;
}>;
/** Mail for `address` is sent on to `to`. `by`: the alias, the command, the setting, or the file of a Sieve script. */
export type Forward = Readonly<{ address: string; to: readonly string[]; by: string }>;
export type AliasAccess = Readonly<{ address: string; targets: readonly string[]; blocked: boolean }>;
/** A token of the API, or the administrator of the dashboard. `lastSeen`: when it last did something that is in the audit. */
export type AdminAccess = Readonly<{
  name: string;
  createdAt: string | null;
  createdBy: string;
  lastSeen: Seen | null;
}>;

export type AccessFacts = Readonly<{
  accounts: readonly AccountAccess[];
  aliases: readonly AliasAccess[];
  /** What Sieve scripts send on. */
  redirects: readonly Forward[];
  /** Those of accounts, set by the owner or by their users. */
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

/** `unusedMs`: an account without a sign-in for this long, and at least as old, counts as unused. */
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

/** RFC 5228, 2.3, 2.4 and 8.1: comments, quoted strings, multi-line strings, words and signs. One left open lasts to the end. */
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
