import { codeOf, messageOf } from "../../core/error.ts";

/** What ended a program of the guard's user, with a next step where the error has none of its own. */
export function withAdvice(error: unknown): string {
  const isForbidden = ["EACCES", "EPERM"].includes(codeOf(error));
  const advice = isForbidden ? ". Stop the server and start it again: the start restores owners and rights." : "";
  return `${messageOf(error)}${advice}`;
}
