import type { texts as english } from "./texts/english.ts";

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const STORAGE_KEY = "language";

/** The first of the reader's languages that the page speaks. */
export function preferred(wanted: readonly (string | null)[]): Language {
  const names = wanted.map((one) => one?.slice(0, 2).toLowerCase());
  return names.find((name) => name === "en" || name === "de") ?? "en";
}

/** A new choice takes effect once the page is loaded again. */
export const language = preferred([storedLanguage(), ...(globalThis.navigator?.languages ?? [])]);

/**
 * The texts in the reader's language or, if they cannot be loaded, in the other, so that the page is never without. Each is a separate
 * program, so that a reader loads only one language.
 */
export function textsOf<Texts>(of: Readonly<Record<Language, () => Promise<Texts>>>): Promise<Texts> {
  return of[language]().catch(of[language === "en" ? "de" : "en"]);
}

export const t = await textsOf<typeof english>({
  en: () => import("./texts/english.ts").then(({ texts }) => texts),
  de: () => import("./texts/german.ts").then(({ texts }) => texts),
});

/** Takes effect the next time the page is loaded. */
export function storeLanguage(wanted: Language): void {
  try {
    localStorage.setItem(STORAGE_KEY, wanted);
  } catch {
    // A browser that stores nothing forgets the choice.
  }
}

function storedLanguage(): string | null {
  if (typeof document === "undefined") return null;
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}
