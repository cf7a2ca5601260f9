import { readPlain } from "../../adapters/root-files/files.ts";
import { codeOf, messageOf } from "../../core/error.ts";
import { SetUpFailure } from "./failure.ts";

const OTHERS_WRITE = 0o022;
const MOST_BYTES = 1024 * 1024;
const WAY_OUT = "Correct it, or empty the setting: ./ghostinbox config unset mailboxes.dovecot";

/**
 * The owner's settings of Dovecot; empty if there is no such file. Some of them name programs that Dovecot runs as root.
 * Throws SetUpFailure if others than root could have written the file.
 */
export function ownDovecotSettings(file: string): string {
  const found = file === "" ? null : read(file);
  if (found === null) return "";
  if (found.owner.uid !== 0 || (found.mode & OTHERS_WRITE) !== 0)
    throw new SetUpFailure(
      `The file ${file} of mailboxes.dovecot must belong to root, and nobody else may write it: chown root ${file}; chmod go-w ${file}`,
    );
  return found.text;
}

function read(file: string): ReturnType<typeof readPlain> {
  try {
    return readPlain(file, MOST_BYTES);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new SetUpFailure(`The file ${file} of mailboxes.dovecot is not read: ${messageOf(error)} ${WAY_OUT}`);
  }
}
