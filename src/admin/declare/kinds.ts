import * as z from "zod/mini";
import { isQueueId } from "../../core/events/queued-mail.ts";
import { parseAccountName, parseAddress, parseSenderPattern } from "../../core/net/address.ts";
import { type Ip, type Prefix, parseIp, parsePrefix, prefixLength } from "../../core/net/ip.ts";
import { fitted } from "../../core/text.ts";
import { parseDuration } from "../../core/time.ts";
import { object } from "./fields.ts";
import { PAGE } from "./paging.ts";

/** Kinds of fields, for every surface: the check of a value, the error for a wrong one, and the description in `/openapi.json`. */

type Written<T> = Readonly<{
  most: number;
  /** Null if the text is invalid. */
  parse: (text: string) => T | null;
  fault: string;
  says: string;
  /** Shown in `/openapi.json`. Tests also build sample commands from it. */
  example: string;
}>;

/**
 * A text that is parsed once, at the edge of a program. The web or the command line parses it first, and then the guard, so `parse`
 * must leave its own result unchanged.
 */
export function written<T>(kind: Written<T>): z.ZodMiniType<T, string> {
  const { most, parse, fault, says, example } = kind;
  const read = z.transform((text: string, { issues }) => {
    const value = parse(text);
    if (value === null) issues.push({ code: "custom", input: text, message: fault });
    return value ?? z.NEVER;
  });
  const text = z.string("is missing, or not text").check(z.maxLength(most, fault));
  return z.pipe(text, read).check(z.describe(says), z.meta({ examples: [example] }));
}

export function meaning<S extends z.ZodMiniType>(kind: S, says: string): S {
  return kind.check(z.describe(says));
}

/** Null if it is absent. */
export function orNull<S extends z.ZodMiniType>(kind: S, says: string) {
  return meaning(z._default(z.nullable(kind), null), says);
}

const NO_ADDRESS = "is not a mail address such as anna@example.org";
const CATCH_ALL = /^\s*\*?@/;
const NO_CATCH_ALL =
  "stands for every name of the domain, and would receive mail to every name that a spammer tries: add an alias for each name you give away; mail to anna+shop@ reaches anna@ without one";

/** RFC 5321, 4.5.3.1, allows 254 characters. The bound is higher, so that somewhat longer ones get the exact fault too. */
export const mailAddress = written({
  most: 320,
  parse: parseAddress,
  fault: NO_ADDRESS,
  says: "A mail address.",
  example: "bert@example.net",
});
/** The address of an alias. Refuses catch-alls, which would receive mail to every name that a spammer tries. */
export const aliasAddress = z
  .pipe(
    z.string("is missing, or not text").check(
      z.maxLength(320, NO_ADDRESS),
      z.refine((text) => !CATCH_ALL.test(text), NO_CATCH_ALL),
    ),
    mailAddress,
  )
  .check(z.describe("A mail address."), z.meta({ examples: ["info@example.org"] }));
/** The account need not exist. */
export const accountName = written({
  most: 320,
  parse: parseAccountName,
  fault: "is not an account name such as anna@example.org",
  says: "The account, such as anna@example.org.",
  example: "anna@example.org",
});
export const senderPattern = written({
  most: 320,
  parse: parseSenderPattern,
  fault: "is not a sender such as news@example.org or *@example.org",
  says: "An address, or all of a domain: *@example.org.",
  example: "*@friend.example",
});
/** Keeps an address an address: a ban of an IPv6 address applies to its network, whose size is a setting. */
export const network = written<Ip | Prefix>({
  most: 64,
  parse: (text) => parseIp(text) ?? parsePrefix(text),
  fault: "is not an IP address or a network such as 203.0.113.0/24",
  says: "An IP address, or a network such as 203.0.113.0/24.",
  example: "203.0.113.7",
});
/** A network from which an account may sign in. */
export const restrictingNetwork = written({
  most: 64,
  parse: (text) => {
    const prefix = parsePrefix(text);
    return prefix !== null && prefixLength(prefix) > 0 ? prefix : null;
  },
  fault: "is not a network that restricts anything, such as 203.0.113.0/24",
  says: "An IP address, or a network such as 203.0.113.0/24.",
  example: "203.0.113.0/24",
});
export const tokenName = z
  .string("is missing, or not text")
  .check(
    z.regex(/^[A-Za-z0-9_.-]{1,64}$/, "is not 1 to 64 letters, digits, dots, dashes or underscores"),
    z.meta({ examples: ["phone"] }),
  );
export const queueId = z.string("is not text").check(z.refine(isQueueId, "is not a queue id such as 4Wxyz12AbCz1"));
export const sessionId = z.string("is missing, or not text").check(z.regex(/^[0-9a-f]{12}$/, "is not a session"));
/** If absent or null, the command's default applies. `also`: a word that is accepted too. */
export function duration(says: string, also?: "permanent") {
  const parse = (text: string) => (text === also || (parseDuration(text) ?? 0) > 0 ? text : null);
  const text = written({ most: 32, parse, fault: "is not a time such as 30m, 2h or 7d", says, example: "2h" });
  return orNull(text, says);
}

export const NOTE_CHARACTERS = 200;
/** Control characters and separators that break a line. */
const CONTROL_OR_BREAK = /[\p{Cc}\p{Zl}\p{Zp}]/u;
export const note = meaning(
  z._default(
    z.string("is not text").check(
      z.maxLength(NOTE_CHARACTERS, `has more than ${NOTE_CHARACTERS} characters`),
      z.refine((text) => !CONTROL_OR_BREAK.test(text), "has control characters"),
    ),
    "",
  ),
  "The reason, for the record.",
).check(z.meta({ examples: ["it scanned us"] }));

/** Control characters, including line breaks and tabs, and lone surrogates. */
export const CONTROL_OR_HALF = /[\p{Cc}\p{Cs}]/u;

/** Maximum bytes of a line, without its end (RFC 5321, 4.5.3.1.6). */
const MOST_LINE = 998;
/** Characters of the parts into which a longer line is split: at most 960 bytes. */
const MOST_PART = 240;
const LONG_PART = new RegExp(`[^\\n]{${MOST_PART}}(?=[^\\n])`, "gu");

/** A text of one or more lines for a mail. The bound is twice the limit, because trimmed characters and line ends do not count. */
export function lines(most: number, example: string) {
  return written({
    most: 2 * most,
    parse: (raw) => {
      const text = raw.replaceAll("\r\n", "\n").trim();
      const counted = text.replaceAll("\n", "");
      if (text === "" || counted.length > most || CONTROL_OR_HALF.test(counted.replaceAll("\t", ""))) return null;
      // smtp(8) would split a line of more than 998 bytes in the middle of a character, which breaks the DKIM signature.
      return text.replace(/[^\n]+/g, (line) =>
        new TextEncoder().encode(line).length > MOST_LINE
          ? fitted(line, MOST_PART, "").replace(LONG_PART, "$&\n")
          : line,
      );
    },
    fault: `is not a text of 1 to ${most} characters, without control characters`,
    says: "It may have several lines.",
    example,
  });
}

export function listOf<S extends z.ZodMiniType>(
  kind: S,
  most: number,
  least: 0 | 1 = 1,
): z.ZodMiniType<readonly z.output<S>[], readonly z.input<S>[]> {
  const many = `has more than ${most} entries`;
  return z.array(kind, "is not a list").check(z.minLength(least, "is empty"), z.maxLength(most, many));
}

/** A list that is read-only in our types. `z.readonly` would also mark it as read-only in `/openapi.json`. */
export function list<S extends z.ZodMiniType>(item: S): z.ZodMiniType<readonly z.output<S>[]> {
  return z.array(item);
}

export function records<const S extends z.core.$ZodShape>(fields: S) {
  return list(z.object(fields));
}

export const count = z.int();
/** A time in an answer: UTC, with milliseconds. */
export const time = z.iso.datetime({ precision: 3 }).check(z.describe("ISO 8601 in UTC."));

/** Which page of a list, at most `most` items long. */
export function page(most: number = PAGE.most) {
  const fault = `is not between 1 and ${most}`;
  const cursor = z.string("is not text").check(z.maxLength(PAGE.cursorCharacters, "is not a cursor"));
  return {
    limit: meaning(
      z._default(z.int("is not a whole number").check(z.minimum(1, fault), z.maximum(most, fault)), PAGE.usual),
      `Maximum number of items: 1 to ${most}; ${PAGE.usual} if absent.`,
    ),
    cursor: orNull(cursor, "`next` of the page before."),
  };
}

export function numberedPage(most: number) {
  const cursor = z.string("is not text").check(z.regex(/^\d{1,15}$/, "is not a cursor"));
  return { ...page(most), cursor: orNull(cursor, "`next` of the page before.") };
}

/** A page of the items that contain a text. */
export function search(says: string, most?: number) {
  const text = z.string("is not text").check(z.maxLength(200, "has more than 200 characters"));
  return { ...page(most), text: orNull(text, says) };
}

export const next = meaning(z.nullable(z.string()), "The cursor of the next page; null on the last.");
export function pageOf<S extends z.ZodMiniType>(item: () => S) {
  return object(() => ({ items: list(item()), next, total: count }));
}
