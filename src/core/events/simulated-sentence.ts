import type { Verdict } from "../decide/decision.ts";
import { actionOf, type Sentence } from "./columns.ts";

/** The sentence for a decision without effect: what it would have been. */
export function simulatedSentence({ details }: Pick<Sentence, "details">, verdict: Verdict): Sentence {
  const would = `would be ${actionOf(verdict)}`;
  return { details: `${details} (simulated: ${would})`, action: `${actionOf("pass")}; ${would}` };
}
