import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { texts as english } from "./texts/english.ts";

export type Messages = typeof english;

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "language";

/** Each is a separate program, so that a reader loads only one language. */
type Catalogue<Texts> = Readonly<Record<Language, () => Promise<Texts>>>;

/** The first of the reader's languages that the page speaks. */
export function preferred(wanted: readonly (string | null)[]): Language {
  for (const one of wanted) {
    const name = one?.slice(0, 2).toLowerCase();
    if (name === "en" || name === "de") return name;
  }
  return "en";
}

export const language = signal<Language>(preferred([kept(), ...(globalThis.navigator?.languages ?? [])]));
/** Each loads its texts in another language, and answers with what lets it speak that. */
const catalogues: ((wanted: Language) => Promise<() => void>)[] = [];
let wantedLast = language.peek();

/** Those of a part of the page, in the language that it speaks, now and later. */
export async function textsOf<Texts>(of: Catalogue<Texts>): Promise<ReadonlySignal<Texts>> {
  let first = await spokenNow(of);
  // The reader chose a different one while it loaded.
  while (first.language !== language.peek()) first = await spokenNow(of);
  const spoken = signal(first.texts);
  catalogues.push(async (wanted) => {
    const texts = await of[wanted]();
    return () => (spoken.value = texts);
  });
  return spoken;
}

/** What every page says. */
export const t: ReadonlySignal<Messages> = await textsOf<Messages>({
  en: () => import("./texts/english.ts").then(({ texts }) => texts),
  de: () => import("./texts/german.ts").then(({ texts }) => texts),
});

/** Where the texts cannot be loaded, the page speaks as before, and this language once it is loaded again. */
export async function speak(wanted: Language): Promise<void> {
  wantedLast = wanted;
  keep(wanted);
  const loaded = await Promise.all(catalogues.map((load) => load(wanted)));
  if (wantedLast !== wanted) return;
  // A part of the page that was loaded in between speaks as before.
  if (loaded.length < catalogues.length) return speak(wanted);
  batch(() => {
    language.value = wanted;
    for (const say of loaded) say();
  });
}

/** Where the texts in its language cannot be loaded, those in the other: the page is never without any. */
async function spokenNow<Texts>(of: Catalogue<Texts>) {
  const now = language.peek();
  const texts = await of[now]().catch(of[now === "en" ? "de" : "en"]);
  return { language: now, texts };
}

function kept(): string | null {
  if (typeof document === "undefined") return null;
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(wanted: Language): void {
  try {
    localStorage.setItem(KEPT, wanted);
  } catch {
    // A browser that keeps nothing forgets the choice.
  }
}
