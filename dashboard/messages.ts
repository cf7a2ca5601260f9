import { computed, signal } from "@preact/signals";
import { access } from "./texts/access.ts";
import { accounts } from "./texts/accounts.ts";
import { bans } from "./texts/bans.ts";
import { events } from "./texts/events.ts";
import { find } from "./texts/find.ts";
import { frame } from "./texts/frame.ts";
import { mail } from "./texts/mail.ts";
import { now } from "./texts/now.ts";
import { passkeys } from "./texts/passkeys.ts";
import { security } from "./texts/security.ts";
import { settings } from "./texts/settings.ts";
import { system } from "./texts/system.ts";
import { upkeep } from "./texts/upkeep.ts";

/** Every text of the page, in each language that it speaks. What the server says of an event comes from the server. */
export const catalogue = { en: textsIn("en"), de: textsIn("de") } as const;
export type Messages = ReturnType<typeof textsIn>;

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "language";

/** The first of the reader's languages that the page speaks. */
export function preferred(wanted: readonly (string | null)[]): Language {
  for (const one of wanted) {
    const name = one?.slice(0, 2).toLowerCase();
    if (name === "en" || name === "de") return name;
  }
  return "en";
}

export const language = signal<Language>(preferred([kept(), ...(globalThis.navigator?.languages ?? [])]));
export const t = computed<Messages>(() => catalogue[language.value]);

export function speak(wanted: Language): void {
  language.value = wanted;
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

function textsIn(name: Language) {
  return {
    ...frame[name],
    now: now[name],
    events: events[name],
    bans: bans[name],
    mail: mail[name],
    find: find[name],
    passkeys: passkeys[name],
    security: security[name],
    system: system[name],
    settings: settings[name],
    access: access[name],
    upkeep: upkeep[name],
    accounts: accounts[name],
  };
}
