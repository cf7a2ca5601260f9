import { tell } from "./attempt.ts";
import { t } from "./messages.ts";

/** Puts the text on the clipboard. `what` names it for those who do not see what stands beside the button. */
export function Copy({ text, what }: Readonly<{ text: string; what: string }>) {
  const words = t.value.copy;
  return (
    <button type="button" aria-label={words.copyOf(what)} onClick={() => void copy(text)}>
      {words.copy}
    </button>
  );
}

/** Browsers have a clipboard only for pages of HTTPS and of this machine. */
async function copy(text: string): Promise<void> {
  const { copied, byHand } = t.value.copy;
  try {
    await navigator.clipboard.writeText(text);
    tell(copied);
  } catch {
    tell(byHand, { tone: "bad" });
  }
}
