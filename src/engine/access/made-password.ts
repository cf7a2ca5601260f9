import { randomInt } from "node:crypto";

/** Without the letters and digits that people confuse: 20 of 31 are 99 bits. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP = 5;

/** Creates a password to be shown once, in groups that can be read out. */
export function madePassword(): string {
  const group = (): string => Array.from({ length: GROUP }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}
