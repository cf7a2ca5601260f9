import assert from "node:assert/strict";
import { type Dialog, openDialog, type SmtpReply } from "./dialog.ts";
import type { Host } from "./host.ts";
import { SERVER } from "./network.ts";
import { PASSWORD } from "./product.ts";

export type MailFrom = Readonly<{
  host: Host;
  from: string;
  to?: string;
  sender?: string;
  recipient?: string | readonly string[];
  subject?: string;
  /** The whole mail, headers and body, instead of the default short one. */
  text?: string;
  /** Called once all of it is sent and only the reply is missing. */
  onceSent?: () => void;
}>;

/** Most servers of the lab have these accounts. */
export const [ANNA, BERT] = ["anna@example.test", "bert@example.test"];
const HELLO = "EHLO client.test";
/** Content filters may be slow. */
const MILTERS_MS = 40_000;

/** The server's address of the same family. */
export const serverFor = (from: string): string => (from.includes(":") ? SERVER.v6 : SERVER.v4);

/** One mail from a stranger through port 25; returns the last reply, or the first that is not positive. */
export async function sendMail(mail: MailFrom): Promise<SmtpReply> {
  using dialog = await openDialog(mail.host, { from: mail.from, to: mail.to ?? serverFor(mail.from), port: 25 });
  // Postfix greets once its milters have answered.
  const banner = await dialog.reply(MILTERS_MS);
  if (banner.code !== 220) return banner;
  await dialog.ask(HELLO);
  return await mailOver(dialog, mail);
}

/** A session on port 25 that has sent these lines, whatever the answers. */
export async function openSmtp(host: Host, from: string, lines: readonly string[] = [HELLO]): Promise<Dialog> {
  const dialog = await openDialog(host, { from, to: serverFor(from), port: 25 });
  await dialog.reply();
  for (const line of lines) await dialog.ask(line);
  return dialog;
}

/** A reply in one line. */
export const words = ({ code, lines }: SmtpReply): string => `${code} ${lines.join(" ")}`;

/** Checks that the mail was accepted. Returns its queue id. */
export function assertAccepted(reply: SmtpReply): string {
  return /^250 .*queued as (\w+)/.exec(words(reply))?.[1] ?? assert.fail(words(reply));
}

/** Checks that a ban ended the session: by Postfix's 421, or by the end of the connection, which may come before that reply. */
export function assertCutOff(reply: SmtpReply): void {
  assert.ok(reply.code === 421 || reply.code === 0, words(reply));
}

/** Checks that the mail's content was refused with this reply, unless the ban for it came first. */
export function assertRefused(reply: SmtpReply, line: string): void {
  if (reply.code === 550) assert.deepEqual(reply.lines, [line]);
  else assertCutOff(reply);
}

/** A mail in a session that has said EHLO. */
export async function mailOver(dialog: Dialog, mail: Omit<MailFrom, "host" | "from">): Promise<SmtpReply> {
  const { sender = "someone@sender.test", recipient = "anna@example.test", subject = "A mail" } = mail;
  const recipients = [recipient].flat();
  for (const line of [`MAIL FROM:<${sender}>`, ...recipients.map((to) => `RCPT TO:<${to}>`), "DATA"]) {
    const reply = await dialog.ask(line);
    if (reply.code >= 400 || reply.code === 0) return reply;
  }
  // A bounce has an empty envelope sender, but still an author (RFC 3464).
  const author = sender === "" ? "mailer-daemon@sender.test" : sender;
  const short = `From: <${author}>\r\nTo: <${recipients[0]}>\r\nSubject: ${subject}\r\n\r\nHello.`;
  dialog.send(`${mail.text ?? short}\r\n.`);
  mail.onceSent?.();
  return dialog.reply(MILTERS_MS);
}

/** A session on 587 (STARTTLS) or 465 (TLS) that has said EHLO over TLS. */
export async function openSubmission(
  host: Host,
  from: string,
  port: 587 | 465 = 587,
  to: string = serverFor(from),
): Promise<Dialog> {
  const dialog = await openDialog(host, { from, to, port, tls: port === 465 });
  await dialog.reply();
  if (port === 587) {
    await dialog.ask(HELLO);
    await dialog.ask("STARTTLS");
    await dialog.startTls();
  }
  await dialog.ask(HELLO);
  return dialog;
}

export const authenticate = (dialog: Dialog, name: string, password: string = PASSWORD): Promise<SmtpReply> =>
  dialog.ask(`AUTH PLAIN ${Buffer.from(`\0${name}\0${password}`).toString("base64")}`);

/** The same, in which the account has signed in. */
export async function openSubmissionAs(host: Host, from: string, name: string, port: 587 | 465 = 587): Promise<Dialog> {
  const dialog = await openSubmission(host, from, port);
  assert.equal((await authenticate(dialog, name)).code, 235);
  return dialog;
}

/** One mail of an account; returns the last reply, or the first that is not positive. */
export async function sendMailAs(
  name: string,
  { host, from, port, ...mail }: Omit<MailFrom, "to"> & Readonly<{ port?: 587 | 465 }>,
): Promise<SmtpReply> {
  using dialog = await openSubmissionAs(host, from, name, port);
  return await mailOver(dialog, { sender: name, ...mail });
}

/** An IMAP session over TLS that has read the greeting. */
export async function openImap(host: Host, from: string, to: string = serverFor(from)): Promise<Dialog> {
  const dialog = await openDialog(host, { from, to, port: 993, tls: true });
  await dialog.line();
  return dialog;
}

/** The same, in which the account has signed in. */
export async function openImapAs(host: Host, from: string, name: string, password?: string): Promise<Dialog> {
  const dialog = await openImap(host, from);
  assert.match((await logIn(dialog, name, password)) ?? "", /^OK/);
  return dialog;
}

/** A sign-in by IMAP whose session is closed after the answer, which is empty when the server closed the connection first. */
export async function tryLogIn(host: Host, from: string, name: string, password: string = PASSWORD): Promise<string> {
  using dialog = await openImap(host, from);
  return (await logIn(dialog, name, password)) ?? "";
}

/** The tagged answer to LOGIN: starts with `OK` or `NO`; null when the server closed the connection. */
export async function logIn(dialog: Dialog, name: string, password: string = PASSWORD): Promise<string | null> {
  const lines = await dialog.imap(`LOGIN "${name}" "${password}"`, 40_000);
  return /^t\d+ (.*)$/.exec(lines.at(-1) ?? "")?.[1] ?? null;
}
