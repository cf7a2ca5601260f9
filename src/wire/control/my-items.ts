import type { SessionItem } from "./access-items.ts";

/** What the user of a mailbox sees of it. */

/** What its user sees of a mailbox. `usedBytes` and `mails` null: they are not known now. `aliases`: at most 100 that lead to it. */
export type MyMailbox = Readonly<{
  account: string;
  /** 0: no limit. */
  quotaBytes: number;
  usedBytes: number | null;
  mails: number | null;
  aliases: readonly string[];
  networks: readonly string[];
  guarded: boolean;
  greylistPausedUntil: string | null;
  passwordOnServer: boolean;
}>;

/** Under which mail comes to the account: its own, and aliases that lead to it, directly or by others. */
export type MyAddresses = Readonly<{ account: string; addresses: readonly string[] }>;
export type MySessions = Readonly<{ sessions: readonly SessionItem[] }>;
export type MySenders = Readonly<{ allowed: readonly Readonly<{ sender: string; at: string }>[] }>;

/** Where a mail program finds the mailbox. Both ports begin with TLS. */
export type MyClient = Readonly<{ account: string; host: string; imapPort: number; smtpPort: number }>;

/** A sign-in to an account. `slowed`: it had to wait; `refused`: its password was not looked at. */
export type OwnSignIn = Readonly<{
  at: string;
  ip: string | null;
  service: string | null;
  isRight: boolean;
  what: "signed_in" | "wrong_password" | "slowed" | "refused";
}>;

export const MAIL_STEPS = [
  "accepted",
  "queued",
  "held",
  "put_off",
  "refused",
  "spam",
  "delivered",
  "waiting",
  "returned",
  "deleted",
] as const;
export type MailStep = (typeof MAIL_STEPS)[number];
/** The way of a mail, the first step first. `state`: the last one. */
export type OwnMail = Readonly<{
  state: MailStep;
  steps: readonly Readonly<{ at: string; what: MailStep; says: string }>[];
}>;
