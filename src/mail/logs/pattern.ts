import type { ClientFault } from "../../core/events/reasons.ts";

/**
 * What a line of mail.log may say about a client, as data. A pattern is matched against the program's text, after the
 * start that the program writes itself (log-line.ts), and anchored there. The client's address comes before
 * anything that the client chose, or is read from the end if it comes last. No two adjacent quantifiers can match the
 * same characters, so the time is proportional to the line.
 */
export type LogPattern = Readonly<{
  /** Groups: `ip`; `detail`, what to show of it; `tries`, if it counts; `login`, the name that was tried. */
  matches: RegExp;
  /** Only on port 25, which does not offer sign-in. */
  port25?: true;
  /** Of a failed sign-in the guard hears directly, unless it was down: then only the log has it. */
  reports: ClientFault | "login_failed";
}>;

/** Under their names, in the order in which they are tried. */
export type LogPatterns = Readonly<Record<string, LogPattern>>;

/** `NAME[IP]`: the name is confirmed by the DNS, or `unknown`; Postfix allows no other characters in it. */
export const CLIENT = "[^\\s[\\]]{1,255}\\[(?<ip>[0-9a-f.:]{2,45})\\](?::\\d{1,5})?";
/** What a path holds, including quoted local parts (RFC 5321, 4.1.2). */
export const IN_PATH = '(?:"(?:[^"\\\\]|\\\\.){0,512}"|[^">]){0,1024}';
export const PATH = `<${IN_PATH}>`;
export const QUEUE_ID = "(?<queue>[0-9A-Za-z]{5,20})";
/** The state of a session: a command of SMTP, or CONNECT, UNKNOWN, END-OF-MESSAGE. */
export const STATE = "[A-Z][A-Z-]{0,30}";
