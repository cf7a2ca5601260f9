/**
 * The preferences of one recipient (Mail::SpamAssassin::Conf(3)). `welcomelist_auth` applies only if SPF or DKIM proves
 * that the mail is the sender's; a forged sender gains nothing.
 */
export function renderSpamPreferences(senders: readonly string[]): string {
  return [
    "# Rendered by GhostInbox; `spam allow` changes it.",
    ...senders.map((sender) => `welcomelist_auth ${sender}`),
    "",
  ].join("\n");
}
