export type WordLists = Readonly<Record<string, (string | number)[]>>;

/** Characters that stand for a letter in a password ("p4ssw0rd"). */
export type Substitutes = Readonly<Record<string, readonly string[]>>;

/**
 * The lists with "" in place of each word that cannot be part of this password, so that the others keep their rank. Kept are words
 * made of the password's characters and of letters they may stand for. An estimator with all 236,000 words takes
 * ten times as long to make.
 */
export function wordsWithin(password: string, lists: WordLists, substitutes: Substitutes): WordLists {
  const lower = password.toLowerCase();
  const letters = Object.keys(substitutes).filter((letter) =>
    substitutes[letter]?.some((text) => lower.includes(text)),
  );
  const mayOccur = [lower, ...letters].join("").replaceAll(/[^]/g, (unit) => `\\u${hexOf(unit)}`);
  const isWithin = new RegExp(`^[${mayOccur}]{1,${Math.max(1, lower.length)}}$`);
  return Object.fromEntries(
    Object.entries(lists).map(([name, words]) => [
      name,
      words.map((word) => (isWithin.test(String(word)) ? word : "")),
    ]),
  );
}

function hexOf(unit: string): string {
  return unit.charCodeAt(0).toString(16).padStart(4, "0");
}
