import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { SetUpFailure } from "./failure.ts";

const OTHERS_WRITE = 0o022;

/**
 * The owner's settings of Dovecot; empty if there is no such file. Some of them name programs that Dovecot runs as root.
 * Throws SetUpFailure if others than root could have written the file.
 */
export function ownDovecotSettings(file: string): string {
  const descriptor = file === "" ? null : opened(file);
  if (descriptor === null) return "";
  try {
    const found = fstatSync(descriptor);
    const { uid, mode } = found;
    if (!found.isFile()) throw unreadable(file);
    if (uid !== 0 || (mode & OTHERS_WRITE) !== 0)
      throw new SetUpFailure(
        `The file ${file} of mailboxes.dovecot must belong to root, and nobody else may write it: chown root ${file}; chmod go-w ${file}`,
      );
    return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
}

function opened(file: string): number | null {
  try {
    // Something that is no file, such as a pipe, must not make this wait.
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw unreadable(file);
  }
}

function unreadable(file: string): SetUpFailure {
  return new SetUpFailure(
    `${file} of mailboxes.dovecot is no file that can be read. Correct it, or empty the setting: ./ghostinbox config unset mailboxes.dovecot`,
  );
}
