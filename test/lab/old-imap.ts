import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./host.ts";
import { openImap } from "./mail.ts";
import { mailText } from "./mailbox.ts";
import { plainDovecot } from "./plain-dovecot.ts";
import type { Certificate } from "./tls-server.ts";

export type Stored = Readonly<{ folder: string; subject: string; flags: string; date: string }>;
type Login = Readonly<{ name: string; password: string }>;
type Wish = Readonly<{ directory: string; address: string; certificate: Certificate }>;

const OLD_DATE = "13-Sep-2020 12:26:40 +0000";
/** The mailbox that moves: folders within folders, other characters, every flag. */
export const MOVED: readonly Stored[] = inOrder([
  ...mailsOf("INBOX", 12, ["", "\\Seen", "\\Answered \\Seen", "\\Flagged"]),
  ...mailsOf("Sent", 4, ["\\Seen"]),
  ...mailsOf("Drafts", 1, ["\\Draft"]),
  ...mailsOf("Work/Plans 2025", 5, ["\\Seen"]),
  ...mailsOf("Gr&APwA3w-e", 2, [""]),
]);
export const LATE: Stored = { folder: "INBOX", subject: "late mail", flags: "", date: OLD_DATE };

/** The mail server that a user leaves: a plain Dovecot that accepts any name and password. */
export async function startOldImap(host: Host, { directory, address, certificate }: Wish): Promise<void> {
  const at = (name: string): string => join(directory, `old-${name}`);
  const mail = at("mail");
  mkdirSync(mail, { mode: 0o777 });
  // Many servers use this separator, but ours doesn't.
  const own = "ssl = required\nnamespace inbox {\n  inbox = yes\n  separator = /\n}\n";
  const wish = { name: "old", address, certificate, passdb: "nopassword=y", imapPort: 0 };
  writeFileSync(at("dovecot.conf"), plainDovecot(at, wish) + own);
  await host.mustExec(["chown", "nobody:nogroup", mail]);
  await host.spawnServer(["dovecot", "-F", "-c", at("dovecot.conf")], address, 993);
}

/** A mailbox over IMAP, from `from`. */
export async function openMailbox(host: Host, from: string, to: string, { name, password }: Login) {
  const dialog = await openImap(host, from, to);
  const must = async (command: string): Promise<readonly string[]> => {
    const lines = await dialog.imap(command, 30_000);
    if (!/^t\d+ OK/.test(lines.at(-1) ?? "")) throw new Error(`${command}: ${lines.join("\n")}`);
    return lines;
  };
  await must(`LOGIN "${name}" "${password}"`);
  return {
    create: (folder: string) => must(`CREATE "${folder}"`),
    close: () => dialog.close(),

    /** Uses a literal that is sent without the server's consent (LITERAL+, RFC 7888). */
    add: ({ folder, subject, flags, date }: Stored) => {
      const text = `${mailText({ subject, from: "friend@sender.test", body: `It is about: ${subject}.` })}\r\n`;
      return must(`APPEND "${folder}" (${flags}) "${date}" {${text.length}+}\r\n${text}`);
    },

    /** Every mail, in order of folder and subject. Folder names use `/` as the separator. */
    mails: async (command: "LIST" | "LIST (SUBSCRIBED)" = "LIST"): Promise<readonly Stored[]> => {
      const mails: Stored[] = [];
      for (const line of await must(`${command} "" "*"`)) {
        const listed = /^\* LIST \(([^)]*)\) "(.)" "?([^"]*)"?$/.exec(line) ?? [];
        const [, attributes = "", separator = "/", name = ""] = listed;
        if (name === "" || /\\No(?:select|nExistent)/.test(attributes)) continue;
        await must(`EXAMINE "${name}"`);
        const fetched = await dialog.imap("FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])");
        const [, ...each] = fetched.join("\n").split(/^\* \d+ FETCH /m);
        mails.push(...each.map((text) => storedOf(name.replaceAll(separator, "/"), text)));
      }
      return inOrder(mails);
    },
  };
}

export function inOrder(mails: readonly Stored[]): readonly Stored[] {
  return mails.toSorted((a, b) => `${a.folder} ${a.subject}`.localeCompare(`${b.folder} ${b.subject}`));
}

/** The subject of the mail; it must be in the text too, or the mail did not arrive whole. */
function storedOf(folder: string, text: string): Stored {
  const [, subject = "?"] = /^Subject: (.*)$/m.exec(text) ?? [];
  const [, flags = ""] = /FLAGS \(([^)]*)\)/.exec(text) ?? [];
  const [, date = ""] = /INTERNALDATE "([^"]*)"/.exec(text) ?? [];
  const isWhole = text.includes(`It is about: ${subject}.`);
  const kept = flags.split(" ").filter((flag) => flag !== "\\Recent" && flag !== "");
  return { folder, subject: isWhole ? subject : `${subject}, damaged`, flags: kept.toSorted().join(" "), date };
}

function mailsOf(folder: string, count: number, flags: readonly string[]): readonly Stored[] {
  return Array.from({ length: count }, (_, n) => ({
    folder,
    subject: `old mail ${n} of ${folder.replaceAll(/\W+/g, "-")}`,
    flags: flags[n % flags.length] ?? "",
    date: OLD_DATE.replace("12:26", `12:${10 + n}`),
  }));
}
