import { passwordProblem } from "../../core/access/passwords.ts";
import { type AccountName, domainOf, localPart } from "../../core/net/address.ts";

/** The weakness of a new password, in one sentence; null if it is strong. `owner` is null for the administrator. */
export type PasswordJudge = (password: string, owner: AccountName | null) => string | null;

/**
 * Minimum zxcvbn score of a password: 3 of 4, "safely unguessable" offline, more than 10^8 guesses (Wheeler, zxcvbn,
 * USENIX Security 2016).
 */
const MIN_SCORE = 3;
/**
 * How many characters zxcvbn sees. A password with a strong start is strong, and the time grows faster than the length: 500 characters
 * of dictionary words took five seconds.
 */
const MOST_ESTIMATED = 64;

/**
 * Adds zxcvbn-ts to our own rule: lists of 49,000 leaked and common passwords, English words, names and key patterns,
 * and the account's own name. Loading it takes 0.1 s and 60 MB, so only programs that set passwords load it.
 */
export async function loadPasswordJudge(): Promise<PasswordJudge> {
  const [{ Options, ZxcvbnFactory }, common, english] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
    import("@zxcvbn-ts/language-en"),
  ]);
  const { translations } = english;
  const { adjacencyGraphs: graphs } = common;
  const lists = { ...common.dictionary, ...english.dictionary };
  const { l33tTable } = new Options();
  const estimate = (whole: string, names: readonly string[] = []) => {
    const password = whole.slice(0, MOST_ESTIMATED);
    const dictionary = wordsWithin(password, lists, l33tTable);
    return new ZxcvbnFactory({ translations, graphs, dictionary }).check(password, [...names]);
  };
  return (password, owner) => {
    const problem = passwordProblem(password, owner);
    if (problem !== null) return problem;
    const names = namesOf(owner);
    const { score, feedback } = estimate(password, names);
    if (score < MIN_SCORE)
      return `The password is too easy to guess. ${feedback.warning ?? "It is made of common words or patterns."}`;
    const rest = without(password, names);
    return rest === password.toLowerCase() || estimate(rest).score >= MIN_SCORE
      ? null
      : "The password is too easy to guess: it is little more than the account's own name.";
  };
}

/** Words that an attacker who knows the address tries first. Longest first. */
function namesOf(owner: AccountName | null): readonly string[] {
  if (owner === null) return ["administrator", "ghostinbox", "dashboard", "admin"];
  const whole = [owner, localPart(owner), domainOf(owner)];
  const parts = whole.flatMap((text) => text.split(/[@._-]/));
  return [...new Set([...whole, ...parts])].filter((name) => name.length > 2).toSorted((a, b) => b.length - a.length);
}

function without(password: string, names: readonly string[]): string {
  return names.reduce((rest, name) => rest.replaceAll(name, ""), password.toLowerCase());
}

export type WordLists = Readonly<Record<string, (string | number)[]>>;

/** Characters that stand for a letter in a password ("p4ssw0rd"). */
export type Substitutes = Readonly<Record<string, readonly string[]>>;

/**
 * Returns the lists with "" in place of each word that cannot be part of this password, so that the others keep their rank. Keeps words
 * made of the password's characters and of letters that they may stand for. Making an estimator with all 236,000 words takes ten times
 * as long.
 */
export function wordsWithin(password: string, lists: WordLists, substitutes: Substitutes): WordLists {
  const lower = password.toLowerCase();
  const letters = Object.keys(substitutes).filter((letter) =>
    substitutes[letter]?.some((text) => lower.includes(text)),
  );
  const mayOccur = RegExp.escape([lower, ...letters].join(""));
  const isWithin = new RegExp(`^[${mayOccur}]{1,${Math.max(1, lower.length)}}$`);
  return Object.fromEntries(
    Object.entries(lists).map(([name, words]) => [
      name,
      words.map((word) => (isWithin.test(String(word)) ? word : "")),
    ]),
  );
}
