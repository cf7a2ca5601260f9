import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import type { Reader } from "./expect-mails.ts";
import { assertAccepted, openImapAs, sendMail } from "./mail.ts";
import { mailText } from "./mailbox.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

type User = Readonly<{ account: string; password: string }>;

/** Turns on encryption by account, with a key for this one. */
export async function encryptByAccount(product: Product, { account, password }: User): Promise<void> {
  await product.json(["encryption", "recovery-key"]);
  await product.configure("mailboxes.encryption", "account");
  await product.does(["account", "passwd", account, "--password-stdin"], { input: password });
}

/** Writes to an account as a stranger, and looks at its mail as it lies on the disk and as its user sees it. */
export function encryptedMail({ lab, product }: Running, { account, from }: Reader) {
  const [local = "", domain = ""] = account.split("@");
  const home = join(product.layout.mail, domain, local);
  const files = (): readonly string[] => globSync("Maildir/{new,cur}/*", { cwd: home });

  const holding = async (word: string, ...below: readonly string[]): Promise<string> =>
    (await lab.server.exec(["grep", "-rlai", word, ...below])).stdout;
  /** The files in the mailbox and the queue that contain this word in clear text. */
  const onDisk = (word: string): Promise<string> => holding(word, home, product.layout.postfixQueue);

  /** Signs in and opens this folder. */
  const open = async (password: string, folder: string) => {
    const imap = await openImapAs(lab.sender, from, account, password);
    return { imap, selected: (await imap.imap(`SELECT "${folder}"`)).join("\n") };
  };

  /** Gives a command to the inbox. */
  const ask = async (password: string, command: string): Promise<void> => {
    const { imap } = await open(password, "INBOX");
    assert.match((await imap.imap(command)).at(-1) ?? "", / OK /);
    imap.close();
  };

  const mailsOf = (selected: string): number => Number(/^\* (\d+) EXISTS/m.exec(selected)?.[1] ?? 0);

  const write = async (subject: string): Promise<void> => {
    const before = files().length;
    const text = mailText({ subject, to: account, body: `bodysecret of ${subject}` });
    assertAccepted(await sendMail({ host: lab.sender, from, recipient: account, text }));
    // A notice to the owner may arrive first.
    await until("it has left the queue", async () => (await holding(subject, product.layout.postfixQueue)) === "");
    await until("it has arrived", () => files().length > before);
  };

  /** The mails of the folder with this subject; empty if Dovecot is down, or cannot decrypt a mail of the folder. */
  const find = async (password: string, subject: string, folder = "INBOX"): Promise<string> => {
    try {
      const { imap } = await open(password, folder);
      const [, ids] = /^\* SEARCH ([\d ]+)$/m.exec((await imap.imap(`SEARCH SUBJECT "${subject}"`)).join("\n")) ?? [];
      const found = ids === undefined ? [] : await imap.imap(`FETCH ${ids.replaceAll(" ", ",")} BODY.PEEK[]`);
      imap.close();
      return found.join("\n");
    } catch {
      return "";
    }
  };

  return {
    onDisk,
    write,
    find,

    /** Sends a mail, and waits until its user can read it and it is nowhere in clear text. */
    async writeHidden(password: string, subject: string): Promise<void> {
      await write(subject);
      await until("it can be read", async () => (await find(password, subject)).includes(`bodysecret of ${subject}`));
      await until("it is nowhere in clear", async () => (await onDisk(`bodysecret of ${subject}`)) === "");
    },

    /** Stores a mail as a mail program stores sent mail. */
    async append(password: string, folder: string): Promise<void> {
      const text = mailText({ subject: "kept", from: account, body: "bodysecret of what was sent" });
      await ask(password, `APPEND ${folder} {${text.length}+}\r\n${text}`);
    },

    /** The newest mail of the inbox. */
    copy: (password: string, folder: string): Promise<void> => ask(password, `COPY * ${folder}`),

    /** Root asks Dovecot how many mails the folder has. */
    async count(folder: string): Promise<number> {
      const status = ["doveadm", "-c", product.layout.dovecotConf, "-f", "flow", "mailbox", "status", "-u", account];
      return Number(/messages=(\d+)/.exec(await lab.server.mustExec([...status, "messages", folder]))?.[1]);
    },

    /** All mails of the folder except those that Dovecot cannot decrypt: fetching one ends the session. */
    async read(password: string, folder = "INBOX"): Promise<string> {
      const texts: string[] = [];
      let { imap, selected } = await open(password, folder);
      for (let n = 1, all = mailsOf(selected); n <= all; n++) {
        // Fetches what mail programs list, too, because none of that may be cached in clear text.
        const lines = await imap.imap(`FETCH ${n} (ENVELOPE BODYSTRUCTURE BODY.PEEK[])`);
        texts.push(...lines);
        if (/ OK /.test(lines.at(-1) ?? "")) continue;
        imap.close();
        ({ imap, selected } = await open(password, folder));
      }
      imap.close();
      return texts.join("\n");
    },

    /** In one session: reads another folder, then the inbox from the newest mail back to the first that is locked. */
    async readNewest(password: string, folder: string): Promise<Readonly<{ beside: string; newest: string }>> {
      const texts: string[] = [];
      const { imap } = await open(password, folder);
      const beside = await imap.imap("FETCH 1:* BODY.PEEK[]");
      const selected = (await imap.imap("SELECT INBOX")).join("\n");
      for (let n = mailsOf(selected); n > 0; n--) {
        const lines = await imap.imap(`FETCH ${n} BODY.PEEK[]`);
        texts.push(...lines);
        if (!/ OK /.test(lines.at(-1) ?? "")) break;
      }
      imap.close();
      return { beside: beside.join("\n"), newest: texts.join("\n") };
    },
  };
}
