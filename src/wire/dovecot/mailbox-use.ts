/** How much of its quota a mailbox uses. Dovecot counts in whole kilobytes. */
export type MailboxUse = Readonly<{ usedBytes: number; mails: number }>;

/**
 * Reads `doveadm -f tab quota get` (doveadm-quota(1)): a line of titles, then a line for each resource with name, type, value,
 * limit and percentage. Null for anything else.
 */
export function parseMailboxUse(printed: string): MailboxUse | null {
  const values = new Map<string, number>();
  for (const line of printed.split("\n")) {
    const [, type = "", value = ""] = line.split("\t");
    if (/^\d{1,15}$/.test(value)) values.set(type, Number(value));
  }
  const [kilobytes, mails] = [values.get("STORAGE"), values.get("MESSAGE")];
  return kilobytes === undefined || mails === undefined ? null : { usedBytes: kilobytes * 1024, mails };
}
