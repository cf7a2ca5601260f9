import { type AccountName, localPart } from "../net/address.ts";

/** The minimum number of characters (Unicode code points) of a password. */
export const MIN_PASSWORD_LENGTH = 10;
/** The maximum number of bytes: SASL PLAIN and Dovecot's buffers accept this many. */
export const MAX_PASSWORD_BYTES = 512;

/** What is wrong with a new password, in one sentence; null if nothing is. `owner` is null for the administrator. */
export function passwordProblem(password: string, owner: AccountName | null): string | null {
  if ([...password].length < MIN_PASSWORD_LENGTH)
    return `The password is too short: it needs at least ${MIN_PASSWORD_LENGTH} characters.`;
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
    return `The password is too long: it may have at most ${MAX_PASSWORD_BYTES} bytes.`;
  if (hasControlCharacter(password))
    return "The password contains a control character, which mail programs cannot type.";
  // What was read as UTF-8 and is none, such as a letter with an accent in Latin-1.
  if (password.includes("\ufffd"))
    return "The password contains a character that is not UTF-8, as mail programs send it.";
  if (owner !== null && password.toLowerCase().includes(localPart(owner)) && localPart(owner).length > 2)
    return "The password contains the name of the account.";
  return null;
}

function hasControlCharacter(text: string): boolean {
  for (const character of text) if (character < " " || character === "\x7f") return true;
  return false;
}
