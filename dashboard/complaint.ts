import { Refused } from "./api.ts";
import { type Language, language, t } from "./messages.ts";

/** Why something failed, and the language in which that is said. */
export type Complaint = Readonly<{ text: string; lang: Language }>;

/** Also for a text of the page. The server's error messages are English, unless the page has a sentence for the code. */
export function complaintOf(error: unknown): Complaint {
  const lang = language.peek();
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Refused) || error.code === "") return { text, lang };
  const own = t.peek().problems[error.code];
  return own === undefined ? { text, lang: "en" } : { text: own, lang };
}
