/** The stage of a button that asks before it acts. `asks`: it has just asked, and ignores a double click. `armed`: the next press runs it. */
export type Stage = "rests" | "asks" | "armed" | "runs";

/** The other half of a double click comes within it. */
export const DOUBLE_CLICK_MS = 500;

/** The stage after a press. `clicks`: as the event counts them; above 1 the press belongs to the one before it. */
export function pressed(stage: Stage, clicks: number): Stage {
  if (stage === "rests") return "asks";
  return stage === "armed" && clicks <= 1 ? "runs" : stage;
}

/** A held key answers no question that its press opened. Browsers click a button at each repeat of Enter, and Tab must keep repeating. */
export function ignoreHeld(event: Pick<KeyboardEvent, "key" | "repeat" | "preventDefault">): void {
  if (event.repeat && event.key === "Enter") event.preventDefault();
}
