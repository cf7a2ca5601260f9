import type { Lab } from "./lab.ts";
import { openImapAs } from "./mail.ts";
import { until } from "./wait.ts";

export type Reader = Readonly<{ account: string; from: string }>;

/** Signs in by IMAP, and waits until the inbox holds this many mails. */
export async function expectMails({ sender }: Lab, { account, from }: Reader, count: number): Promise<void> {
  using dialog = await openImapAs(sender, from, account);
  const isThere = async () => (await dialog.imap("SELECT INBOX")).includes(`* ${count} EXISTS`);
  await until(`${count} mails are there`, isThere);
}
