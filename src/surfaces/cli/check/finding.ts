import { CHECK_STATES } from "../../../admin/declare/reports.ts";
import { asSentence } from "../../../core/text.ts";

export type State = (typeof CHECK_STATES)[number];

/** `saw` is the evidence, `fix` the command or page that helps; empty if nothing needs to be done. */
export type Finding = Readonly<{ state: State; saw: string; fix: string }>;

export function ok(saw: string): Finding {
  return { state: "ok", saw, fix: "" };
}

export function unknown(saw: string, fix = ""): Finding {
  return { state: "unknown", saw, fix };
}

export function warning(saw: string, fix: string): Finding {
  return { state: "warning", saw, fix };
}

export function wrong(saw: string, fix: string): Finding {
  return { state: "wrong", saw, fix };
}

/** Returns the worst finding, with the evidence of all that are equally bad; `saw` if there is none. */
export function worstOf(findings: readonly Finding[], saw: string): Finding {
  const state = CHECK_STATES.findLast((one) => findings.some((finding) => finding.state === one)) ?? "ok";
  const those = findings.filter((finding) => finding.state === state);
  const [first] = those;
  if (first === undefined) return ok(saw);
  const sentences = those.map((finding) => asSentence(finding.saw));
  return { state, saw: [...new Set(sentences)].join(" "), fix: first.fix };
}
