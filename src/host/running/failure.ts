import { codeOf, messageOf } from "../../core/error.ts";

/** Ends a start or another command. The message is one sentence for the person who typed it. */
export class SetUpFailure extends Error {
  readonly exitCode: number;

  constructor(sentence: string, exitCode = 1) {
    super(sentence);
    this.name = "SetUpFailure";
    this.exitCode = exitCode;
  }
}

/** Says in one sentence what the owner must do about a disk error; null for other errors. `again`: the next step once it is fixed. */
export function diskTrouble(error: unknown, again = "start again"): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  const where = "path" in error && typeof error.path === "string" ? ` (${error.path})` : "";
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return `The disk is full${where}: make room, then ${again}.`;
    case "EROFS":
      return `The disk is mounted read-only${where}: mount it for writing, then ${again}.`;
    // rename(2).
    case "EBUSY":
      return `A separate mount cannot be replaced${where}: mount the directory that contains it instead, then ${again}.`;
    case "EIO":
      return `The disk cannot be read or written${where}: check it with dmesg and smartctl before anything else.`;
    default:
      return null;
  }
}

/** Why a program of the guard's user ended, with a next step if the error has none. */
export function withAdvice(error: unknown): string {
  const isForbidden = ["EACCES", "EPERM"].includes(codeOf(error));
  const advice = isForbidden ? ". Stop the server and start it again: the start restores owners and rights." : "";
  return `${messageOf(error)}${advice}`;
}
