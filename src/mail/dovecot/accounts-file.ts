import { MAX_PASSWORD_BYTES } from "../../core/access/passwords.ts";
import { type AccountName, parseAccountName } from "../../core/net/address.ts";
import { printable } from "../../core/text.ts";

/**
 * The format of docker-mailserver's postfix-accounts.cf: `user@domain|{SCHEME}secret`, one account a line. Further fields are extra fields
 * of the userdb, of which only the quota is read. A secret contains no `|`. `#` starts a comment line.
 */
export type AccountLine = Readonly<{
  line: number;
  name: AccountName;
  secret: Secret;
  /** Null if the line has none; 0 is no limit. */
  quotaBytes: number | null;
  /** The names of the further fields. */
  unused: readonly string[];
}>;
/** `hash` with its scheme, as Dovecot reads it. */
type Secret = Readonly<{ type: "plain"; password: string }> | Readonly<{ type: "hash"; hash: string }>;
type LineProblem = Readonly<{ line: number; says: string }>;
type ParsedAccounts =
  | Readonly<{ ok: true; accounts: readonly AccountLine[] }>
  | Readonly<{ ok: false; problems: readonly LineProblem[] }>;

/** The file is used completely or not at all, because an unreadable line may be incomplete while the file is written. */
export function parseAccountsFile(text: string): ParsedAccounts {
  const accounts: AccountLine[] = [];
  const problems: LineProblem[] = [];
  const seen = new Map<AccountName, number>();
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (const [index, written] of lines.entries()) {
    const line = index + 1;
    const content = written.replace(/\r$/, "");
    if (content.trim() === "" || content.trimStart().startsWith("#")) continue;
    const parsed = parseLine(content, line);
    const before = "says" in parsed ? undefined : seen.get(parsed.name);
    if ("says" in parsed) problems.push(parsed);
    else if (before !== undefined)
      problems.push({ line, says: `Line ${line}: ${parsed.name} is already in line ${before}.` });
    else {
      seen.set(parsed.name, line);
      accounts.push(parsed);
    }
  }
  return problems.length === 0 ? { ok: true, accounts } : { ok: false, problems };
}

/** For the report of an import: the fields that it did not use. */
export function ignoredIn(accounts: readonly AccountLine[]) {
  return accounts.flatMap(({ line, name, unused }) => (unused.length > 0 ? [{ line, name, fields: unused }] : []));
}

/** The problem names the line and the address, never the secret. */
function parseLine(content: string, line: number): AccountLine | LineProblem {
  const [address = "", field, ...further] = content.split("|");
  const name = parseAccountName(address.trim());
  const wrong = (what: string): LineProblem => ({ line, says: `Line ${line}: ${what}` });
  const printableAddress = printable(address.trim(), 80);
  if (field === undefined) return wrong("there is no | between address and password.");
  if (name === null) return wrong(`"${printableAddress}" cannot be an account.`);
  const read = readSecret(field);
  if ("wrong" in read) return wrong(`the password of ${name} ${read.wrong}.`);
  const extra = further.flatMap((text) => text.trim().split(/\s+/)).filter((one) => one !== "");
  const quotas = extra.map(quotaOf);
  const quotaBytes = quotas.find((quota) => quota !== null) ?? null;
  if (quotaBytes === "unreadable")
    return wrong(`the quota of ${name} must be written as in userdb_quota_rule=*:storage=1G.`);
  const unused = extra.flatMap((one, i) => (quotas[i] === null ? printable(one.split("=")[0] ?? "", 80) : []));
  return { line, name, secret: read, quotaBytes, unused };
}

/** Extra fields are separated by `|` or blanks, as in Dovecot's passwd-file. Null if the field does not limit the whole mailbox. */
function quotaOf(field: string): ReturnType<typeof parseQuotaRule> {
  const [, rule] = /^userdb_quota_rule\d*=(.*)$/.exec(field) ?? [];
  return rule === undefined ? null : parseQuotaRule(rule);
}

type SecretRead = Secret | Readonly<{ wrong: string }>;

function readSecret(field: string): SecretRead {
  const parts = /^\s*\{([A-Za-z0-9-]+)(?:\.([A-Za-z0-9]+))?\}(.*)$/.exec(field);
  if (parts === null) return readHash(schemeOfCryptHash(field.trim()), null, field.trim());
  const [, scheme = "", encoding, value = ""] = parts;
  const upper = scheme.toUpperCase();
  if (encoding !== undefined && !ENCODINGS.includes(encoding.toUpperCase()))
    return { wrong: `has the encoding .${printable(encoding, 20)}, which Dovecot does not know` };
  // PLAIN-TRUNC is clear text, unless a number before a dash limits how much of it counts.
  if (CLEAR_TEXT.includes(upper) || (upper === "PLAIN-TRUNC" && !/^\d+-/.test(value)))
    return readPlain(value, encoding?.toUpperCase() ?? null);
  if (!SCHEMES.includes(upper))
    return { wrong: `has the scheme {${printable(scheme, 20)}}, which is not one that Dovecot verifies` };
  return readHash(upper, encoding ?? null, value.trim());
}

function readPlain(value: string, encoding: string | null): SecretRead {
  const bytes =
    encoding === null ? Buffer.from(value) : Buffer.from(value.trim(), encoding === "HEX" ? "hex" : "base64");
  const password = bytes.toString();
  if (password === "") return { wrong: "is empty" };
  if (password.includes("\ufffd")) return { wrong: "is not UTF-8, as mail programs send it" };
  // oxlint-disable-next-line no-control-regex -- this looks for control characters
  if (bytes.length > MAX_PASSWORD_BYTES || /[\x00-\x1f\x7f]/.test(password))
    return { wrong: "is too long or has control characters" };
  return { type: "plain", password };
}

function readHash(scheme: string, encoding: string | null, value: string): SecretRead {
  const allowedCharacters = WITH_BLANKS.includes(scheme) ? /^[\x20-\x7e]{1,400}$/ : /^[\x21-\x7e]{1,400}$/;
  if (!allowedCharacters.test(value)) return { wrong: value === "" ? "is empty" : "is not a hash" };
  const shape = encoding === null ? SHAPES[scheme] : undefined;
  if (shape !== undefined && !shape.test(value)) return { wrong: `is not a complete hash of the scheme ${scheme}` };
  return { type: "hash", hash: `{${scheme}${encoding === null ? "" : `.${encoding}`}}${value}` };
}

/** A bare hash is one of crypt(5), whose prefix names the scheme; such files usually hold SHA512-CRYPT. */
function schemeOfCryptHash(value: string): string {
  return PREFIXES.find(([prefix]) => prefix.test(value))?.[1] ?? "SHA512-CRYPT";
}

const PREFIXES: readonly (readonly [RegExp, string])[] = [
  [/^\$2[abxy]\$/, "BLF-CRYPT"],
  [/^\$5\$/, "SHA256-CRYPT"],
  [/^\$1\$/, "MD5-CRYPT"],
  [/^\$argon2id\$/, "ARGON2ID"],
  [/^\$argon2i\$/, "ARGON2I"],
];
const ENCODINGS: readonly string[] = ["HEX", "B64", "BASE64"];
const WITH_BLANKS: readonly string[] = ["OTP", "PLAIN-TRUNC"];
const CLEAR_TEXT: readonly string[] = ["PLAIN", "CLEAR", "CLEARTEXT"];
/** The schemes of `doveadm pw -l` of Dovecot 2.3, and the names that password-scheme.c also accepts. */
const SCHEMES: readonly string[] =
  `SHA1 SSHA512 SCRAM-SHA-256 SCRAM-SHA-1 BLF-CRYPT HMAC-MD5 OTP SHA512 SHA DES-CRYPT CRYPT SSHA MD5-CRYPT PLAIN-MD4
  PLAIN-MD5 SHA512-CRYPT ARGON2I ARGON2ID SSHA256 MD5 PBKDF2 SHA256 CRAM-MD5 PLAIN-TRUNC SHA256-CRYPT SMD5 DIGEST-MD5
  LDAP-MD5`.split(/\s+/);
/** Schemes for which a truncated hash can be distinguished from a whole one (crypt(5), RFC 9106). */
const SHAPES: Readonly<Record<string, RegExp>> = {
  "SHA512-CRYPT": /^\$6\$(?:rounds=\d{1,9}\$)?[^$]{0,16}\$[./0-9A-Za-z]{86}$/,
  "SHA256-CRYPT": /^\$5\$(?:rounds=\d{1,9}\$)?[^$]{0,16}\$[./0-9A-Za-z]{43}$/,
  "MD5-CRYPT": /^\$1\$[^$]{0,8}\$[./0-9A-Za-z]{22}$/,
  "BLF-CRYPT": /^\$2[abxy]\$\d\d\$[./0-9A-Za-z]{53}$/,
  ARGON2ID: /^\$argon2id\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}$/,
  ARGON2I: /^\$argon2i\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}$/,
};

/** Powers of 1024. A `storage` limit without a letter is in kilobytes. */
const UNITS = "bkmgt";

/**
 * The size of a whole mailbox in a rule of Dovecot's quota plugin: `*:storage=1G`, `*:bytes=1048576`; 0 is no limit. Null for rules that
 * set no size: those of a single folder, or of the number of mails. `unreadable`: not a rule.
 */
export function parseQuotaRule(rule: string): number | null | "unreadable" {
  const [folder, ...limits] = rule.trim().split(":");
  if (folder !== "*") return null;
  const limit = limits.find((each) => !/^(messages=\d+|ignore)$/.test(each));
  if (limit === undefined) return null;
  const found = /^(storage|bytes)=(\d{1,15})([bkmgt]?)$/.exec(limit.toLowerCase());
  const [, resource, digits, unit] = found ?? [];
  const bytes = Number(digits) * 1024 ** UNITS.indexOf(unit || (resource === "bytes" ? "b" : "k"));
  return found !== null && Number.isSafeInteger(bytes) ? bytes : "unreadable";
}
