import type { Facts } from "./facts.ts";

/** More accounts than one thief usually has: an office, a family or a school signs in from there. */
const ACCOUNTS = 3;

export type SharedFacts = Pick<Facts, "known" | "knownAccounts">;

/**
 * Whether several accounts know the address. One infected machine behind it must not lock everyone out, so limits that
 * count by address defer there and never ban.
 */
export function isShared({ known, knownAccounts }: SharedFacts): boolean {
  return known && knownAccounts.length >= ACCOUNTS;
}
