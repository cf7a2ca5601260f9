/** What the user of a mailbox sees of it. */

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
