/** The stage of a button that asks before it acts. `asks`: it has just asked, and ignores a double click. `armed`: the next press acts. */
export type Stage = "rests" | "asks" | "armed" | "runs";

/** The second half of a double click comes within this time. */
export const DOUBLE_CLICK_MS = 500;

/** The stage after a press. `clicks`: as the event counts them; above 1, the press is the second half of a double click. */
export function pressed(stage: Stage, clicks: number): Stage {
  if (stage === "rests") return "asks";
  return stage === "armed" && clicks <= 1 ? "runs" : stage;
}

/** Ignores a held Enter, which clicks at each repeat and would answer the question that its press opened. Tab must keep repeating. */
export function ignoreHeld(event: Pick<KeyboardEvent, "key" | "repeat" | "preventDefault">): void {
  if (event.repeat && event.key === "Enter") event.preventDefault();
}
