import type { CommandError } from "../../wire/control/control.ts";

/**
 * The answer to a command whose record could not be committed. What it did may have been part of the same transaction,
 * and so be undone; in the accounts' own database it stands. Either way nobody may be told that all is well.
 */
export const UNRECORDED: CommandError = {
  ok: false,
  kind: "failed",
  message: "The database could not be written: it may or may not hold, and no record of it was kept.",
  next: "Look whether it holds, and do it again once `status` finds the database well.",
};
