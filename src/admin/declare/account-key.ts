import * as z from "zod/mini";
import { type OutputOf, object, objects, text } from "./fields.ts";
import { count, list, meaning } from "./kinds.ts";

/**
 * Most keys of one account. Keys of a forgotten password are kept, because they may be opened again. Dovecot's
 * configuration has room for as many.
 */
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
/** `isOpen`: whether the account's current password opens it. */
export type KeptKey = AccountKey & Readonly<{ isOpen: boolean }>;
/** Accounts by their keys for mail: how many have one, some that lack one, and some with mail that stays closed. */
export const keyCounts = object(() => ({
  own: meaning(count, "How many have their own key."),
  without: meaning(list(z.string()), "Some that get one when their password is set."),
  ofFile: meaning(count, "How many get none: their passwords come from the accounts file."),
  closed: meaning(list(z.string()), "Some with older mail that their password does not open."),
}));
export type KeyCounts = OutputOf<typeof keyCounts>;
