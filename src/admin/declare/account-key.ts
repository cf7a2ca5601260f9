import * as z from "zod/mini";
import { type OutputOf, object, objects, text } from "./fields.ts";
import { count, list, meaning } from "./kinds.ts";

/**
 * Maximum keys of one account; Dovecot's configuration has room for as many. Keys of a forgotten password are kept, because
 * the recovery key may open them again.
 */
export const KEYS_OF_AN_ACCOUNT = 8;

const fields = { id: text(64), publicKey: text(400), locked: text(2_000), recoverable: text(1_000) };
/** The field of a command with the keys that a password opens. */
export const accountKeys = objects(KEYS_OF_AN_ACCOUNT, fields);

/**
 * The key pair that encrypts the mail of one account (docs/encryption.md). `id`: SHA-256 of the public key, in hexadecimal.
 * `locked`: the private key, which the password opens; `recoverable`: the private key, which the owner's recovery key opens. All
 * but `id` are base64.
 */
export type AccountKey = Readonly<{ id: string; publicKey: string; locked: string; recoverable: string }>;
/** `isOpen`: whether the account's current password opens it. */
export type KeptKey = AccountKey & Readonly<{ isOpen: boolean }>;
/** How many accounts have their own key, some that lack one, and some with mail that they cannot decrypt. */
export const keyCounts = object(() => ({
  own: meaning(count, "How many have their own key."),
  without: meaning(list(z.string()), "Some accounts that get one when their password is set."),
  ofFile: meaning(count, "How many get none: their passwords come from the accounts file."),
  closed: meaning(list(z.string()), "Some accounts with older mail that their password does not decrypt."),
}));
export type KeyCounts = OutputOf<typeof keyCounts>;
