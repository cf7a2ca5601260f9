import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "../../src/settings/layout.ts";

export type Written = Readonly<{
  subject: string;
  from?: string;
  to?: string;
  headers?: readonly string[];
  body?: string;
}>;

/** A date four days ago would be half of a spam score (DATE_IN_PAST_96_XX of SpamAssassin). */
const TODAY = new Date().toUTCString().replace("GMT", "+0000");

/** A complete mail, as a mail program would write it. */
export function mailText({ subject, headers = [], body = "Hello.", ...envelope }: Written): string {
  const { from = "someone@sender.test", to = "anna@example.test" } = envelope;
  return [
    ...headers,
    `From: <${from}>`,
    `To: <${to}>`,
    `Subject: ${subject}`,
    `Date: ${TODAY}`,
    `Message-ID: <${subject.replaceAll(" ", ".")}@sender.test>`,
    "",
    body,
  ].join("\r\n");
}

/** The mail with this subject, tagged or not, in a folder of a mailbox; null if it is missing. */
export function findMail(
  layout: Layout,
  subject: string,
  { folder = "INBOX", account = "anna@example.test" }: Readonly<{ folder?: "INBOX" | "Junk"; account?: string }> = {},
): string | null {
  const line = new RegExp(`^Subject: (\\[SPAM\\] )?${subject}$`, "m");
  return mailsIn(layout, account, folder).find((text) => line.test(text)) ?? null;
}

/** The files of the mails in a folder of a mailbox; none if there is no such folder. */
export function mailFiles(
  { mail }: Pick<Layout, "mail">,
  account: string,
  folder: "INBOX" | "Junk" = "INBOX",
): readonly string[] {
  const [local = "", domain = ""] = account.split("@");
  return globSync(join(mail, domain, local, "Maildir", folder === "INBOX" ? "" : ".Junk", "{new,cur}", "*"));
}

/** Their texts. */
export const mailsIn = (...where: Parameters<typeof mailFiles>): readonly string[] =>
  mailFiles(...where).map((file) => readFileSync(file, "utf8"));
