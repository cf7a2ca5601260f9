import assert from "node:assert/strict";
import type { Lab } from "./lab.ts";
import { logIn, openImap } from "./mail.ts";
import { until } from "./wait.ts";

/** Signs in by IMAP, and waits until the inbox holds this many mails. */
export async function expectMails(
  { sender }: Lab,
  { account, from }: Readonly<{ account: string; from: string }>,
  count: number,
): Promise<void> {
  const dialog = await openImap(sender, from);
  assert.match((await logIn(dialog, account)) ?? "", /^OK/);
  const isThere = async () => (await dialog.imap("SELECT INBOX")).includes(`* ${count} EXISTS`);
  await until(`${count} mails are there`, isThere);
  dialog.close();
}
