/** The mail to people whom a mail reached that the owner of its account did not write. The first line is the subject. */
export const TEMPLATE = `Please ignore mail from {account} of {day}
Hello,

between {from} and {until} (UTC) somebody else used the account {account} on our server, and sent mail in its name. A mail
of that kind was delivered to you.

Please do not open its links or attachments, and do not answer it. If you did so already, change the passwords that
you typed, and let your provider or administrator know.

We have stopped the misuse and changed the password of the account. We are sorry for the trouble.
{contacts}`;

export type Told = Readonly<{ account: string; from: string; until: string; contacts: readonly string[] }>;

/** Subject and text of the mail. Words in braces that are not known stay. */
export function tellingMail(
  template: string,
  { account, from, until, contacts }: Told,
): Readonly<{ subject: string; text: string }> {
  const words: Readonly<Record<string, string>> = {
    account,
    day: from.slice(0, 10),
    from: `${from.slice(0, 10)} ${from.slice(11, 16)}`,
    until: `${until.slice(0, 10)} ${until.slice(11, 16)}`,
    contacts: contacts.length === 0 ? "" : `\nQuestions: ${contacts.join(", ")}\n`,
  };
  const filled = template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => words[name] ?? whole);
  const [subject = "", ...lines] = filled.split("\n");
  return { subject: subject.trim(), text: `${lines.join("\n").trim()}\n` };
}
