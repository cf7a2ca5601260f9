import { objects, text } from "./fields.ts";

/** Keys of one account: those of a password that was forgotten may be opened again. Dovecot's configuration has as many. */
export const KEYS_OF_AN_ACCOUNT = 8;

const fields = { id: text(64), publicKey: text(400), locked: text(2_000), recoverable: text(1_000) };
/** In a command: keys that a password opens. */
export const accountKeys = objects(KEYS_OF_AN_ACCOUNT, fields);

/**
 * A pair of keys with which the mail of one account is encrypted (docs/encryption.md). `id`: SHA-256 of the public key, in
 * hexadecimal. `locked`: the private key, which the password opens; `recoverable`: the same for the owner's recovery key.
 * All but `id` is base64.
 */
export type AccountKey = Readonly<{ id: string; publicKey: string; locked: string; recoverable: string }>;
/** `isOpen`: whether the account's password of now opens it. */
export type KeptKey = AccountKey & Readonly<{ isOpen: boolean }>;
/**
 * Of all accounts: how many have their own key for new mail; names of some that have none yet, and how many cannot have one,
 * because their password comes from the accounts file; names of some with mail that their password does not open.
 */
export type KeyCounts = Readonly<{
  own: number;
  without: readonly string[];
  ofFile: number;
  closed: readonly string[];
}>;
