import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { texts as english } from "./texts/english.ts";

export type Messages = typeof english;

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "language";

/** Each is a program of its own, so that a reader loads the one language that they read. */
const TEXTS: Readonly<Record<Language, () => Promise<Readonly<{ texts: Messages }>>>> = {
  en: () => import("./texts/english.ts"),
  de: () => import("./texts/german.ts"),
};

/** The first of the reader's languages that the page speaks. */
export function preferred(wanted: readonly (string | null)[]): Language {
  for (const one of wanted) {
    const name = one?.slice(0, 2).toLowerCase();
    if (name === "en" || name === "de") return name;
  }
  return "en";
}

export const language = signal<Language>(preferred([kept(), ...(globalThis.navigator?.languages ?? [])]));
const spoken = signal<Messages>((await TEXTS[language.peek()]()).texts);
export const t: ReadonlySignal<Messages> = spoken;
let wantedLast = language.peek();

/** Throws a sentence if the texts cannot be loaded; then the page speaks as before. */
export async function speak(wanted: Language): Promise<void> {
  wantedLast = wanted;
  const { texts } = await TEXTS[wanted]().catch(() => {
    throw new Error(t.peek().live.unreachable);
  });
  if (wantedLast !== wanted) return;
  batch(() => {
    language.value = wanted;
    spoken.value = texts;
  });
  try {
    localStorage.setItem(KEPT, wanted);
  } catch {
    // A browser that keeps nothing forgets the choice.
  }
}

function kept(): string | null {
  if (typeof document === "undefined") return null;
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
