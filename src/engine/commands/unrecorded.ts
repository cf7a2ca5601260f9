import type { CommandError } from "../../wire/control/control.ts";

/**
 * The answer to a command whose record could not be committed. Its change may be undone with the same transaction, or
 * be in the accounts' database. Either way the caller must not hear that it succeeded.
 */
export const UNRECORDED: CommandError = {
  ok: false,
  kind: "failed",
  message: "The database could not be written: it may or may not hold, and no record of it was kept.",
  next: "Look whether it holds, and do it again once `status` finds the database well.",
};

/** The answer if the record comes first and could not be committed. */
export const UNWRITTEN: CommandError = {
  ok: false,
  kind: "failed",
  message: "The record of it could not be written, so nothing was changed.",
  next: "`status` shows what is wrong.",
};
