import { codeOf, messageOf } from "../../core/error.ts";

/** Why a program of the guard's user ended, with a next step if the error has none. */
export function withAdvice(error: unknown): string {
  const isForbidden = ["EACCES", "EPERM"].includes(codeOf(error));
  const advice = isForbidden ? ". Stop the server and start it again: the start restores owners and rights." : "";
  return `${messageOf(error)}${advice}`;
}
