import assert from "node:assert/strict";
import { test } from "node:test";
import { patience } from "../../../test/kit/patience.ts";
import { costOf } from "../../../test/kit/processor-time.ts";
import { signedEnvelope } from "../../../test/kit/signed-envelope.ts";
import { MimeParts } from "./mime-parts.ts";

const SIZES = [64, 1_000, 16_384, 10_000_000];
const FIELDS = "Content-Transfer-Encoding: ";
/** The end of a header, after which base64 follows. */
const ENCODED = `${FIELDS}base64\r\n\r\n`;

/** `head`: a Content-Type, and perhaps another field. */
function read(head: string, body: string, chunkBytes = body.length): MimeParts {
  const parts = new MimeParts();
  const [type = "", encoding] = head.split(`\r\n${FIELDS}`);
  parts.field("content-type", type);
  if (encoding !== undefined) parts.field("content-transfer-encoding", encoding);
  for (let at = 0; at < body.length; at += chunkBytes) parts.push(Buffer.from(body.slice(at, at + chunkBytes)));
  return parts;
}

const counted = (...mail: Parameters<typeof read>): number => read(...mail).count;

const MIXED = 'multipart/mixed; charset=x;\r\n boundary="a b"';
const MESSAGE = "Content-Type: message/rfc822\r\n";
const ENVELOPE = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n";
const part = (boundary: string, header = "Content-Type: text/plain"): string =>
  `--${boundary}\r\n${header}\r\n\r\n--no delimiter\r\ntext\r\n`;
const message = (parts: number, text = "text"): string =>
  `Subject: x\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n${`--in\r\n\r\n${text}\r\n`.repeat(parts)}--in--\r\n`;
const inBase64 = (text: string | Buffer): string =>
  `${Buffer.from(text).toString("base64").replace(/.{76}/g, "$&\r\n")}\r\n`;
const encoded = (text: string, encoding = "base64"): string =>
  `${MESSAGE}${FIELDS}${encoding}\r\n\r\n${encoding === "base64" ? inBase64(text) : text}`;
const inPart = (part: string): string => `--a b\r\n${part}\r\n--a b--\r\n`;

test("each part counts, in pieces of any size, including those of a multipart within another", () => {
  const inner =
    part("a b", "Content-Type: multipart/alternative;\r\n boundary=in") + part("in").repeat(5) + "--in--\r\n";
  const body = `preamble\r\n${part("a b").repeat(20)}${inner}${part("a b", "X: y")}--a b--\r\n--a b tail\r\n`;
  for (const size of [1, 2, 3, 7, 64, 10_000])
    assert.equal(counted(MIXED, body, size), 29, `with both ends, in pieces of ${size}`);
});

test("a body that starts with a delimiter, ends in one, or has parts without headers", () => {
  assert.equal(counted(MIXED, "--a b\n\nx\n--a b  \n\n--a b\r\n"), 3);
});

const M = "Content-Type:message/a\r\n\r\n";
const MANY = 6_000;
const FOLDED = `Content-Type: multipart/mixed;\r\n boundary=in\r\n${" x\r\n".repeat(300)}`;
for (const [that, type, body] of [
  ["in a message in a part", MIXED, `--a b\r\n${MESSAGE}\r\n${message(MANY)}`],
  ["in a message in a message", MIXED, `--a b\r\n${MESSAGE}\r\n${MESSAGE}\r\n${message(MANY)}`],
  ["of a mail that is a message", "message/rfc822", message(MANY)],
  ["without headers", "message/rfc822", message(MANY).replaceAll("--in\r\n\r\n", "--in\r\n")],
  ["with a folded declaration", "multipart/mixed; boundary=\r\n in", message(MANY)],
  ["with a boundary in another case", "multipart/mixed; boundary=IN", message(MANY)],
  ["that each end the multipart", "multipart/mixed; boundary=in", "--in--\r\n text\r\n".repeat(MANY)],
  ["with a Content-Type of many lines", MIXED, `--a b\r\n${FOLDED}\r\n${message(MANY)}`],
] as const)
  test(`parts ${that} are too many`, () => {
    for (const size of SIZES) {
      const parts = read(type, body, size);
      assert.ok(parts.mayNest, "its body is looked at");
      assert.ok(parts.count >= MANY, `${parts.count}`);
    }
  });

for (const [that, type, body] of [
  ["thousands of messages in messages", "message/rfc822", M.repeat(12_000)],
  ["megabytes in messages", "message/rfc822", M.repeat(120) + "text\r\n".repeat(1_600_000)],
  ["lines in messages", "message/rfc822", M.repeat(60) + "--\r\n".repeat(10_000)],
  ["fields in messages", "message/rfc822", M.repeat(100) + "a:\r\n".repeat(60_000)],
  ["fields of a part", MIXED, `--a b\r\n${"a:\r\n".repeat(2_000_000)}`],
  ["bytes in messages behind delimiters", "message/rfc822", nested(10, 60) + "text\r\n".repeat(20_000)],
] as const)
  test(`too many ${that}, which would cost a filter seconds or gigabytes, are refused`, () => {
    for (const size of SIZES.slice(1)) assert.ok(counted(type, body, size) > 1_000, `in pieces of ${size}`);
  });

/** Nested multiparts, each with another boundary, which ends in its number. */
function chained(count: number, boundary: string): string {
  const start = (n: number): string =>
    `--${boundary}${n}\r\nContent-Type: multipart/x; boundary=${boundary}${n + 1}\r\n\r\n`;
  return Array.from({ length: count }, (_, n) => start(n)).join("");
}

/** Nested multiparts with known delimiters, at which the messages around them stay open to rspamd. */
function nested(count: number, messages: number): string {
  const start = (n: number): string => `Content-Type: multipart/a; boundary=q${n}\r\n\r\n--q${n}\r\n`;
  return Array.from({ length: count }, (_, n) => start(n) + M.repeat(messages)).join("");
}

const LINES = "--in\r\n text\r\n".repeat(MANY);
const FEW = 2_000;
/** Many parts in a message: only its body, and all of it. */
const HIDDEN = inBase64(message(FEW));
const HIDING = encoded(message(FEW));
const SIGNED = inBase64(signedEnvelope(message(FEW), 100_000));
const MIXED_IN = "Content-Type: multipart/mixed; boundary=in\r\n";
const sibling = `--a b\r\n${MIXED_IN}\r\n--in\r\n\r\ntext\r\n--in--\r\n`;
const LONG = "x".repeat(2_046);
for (const [that, type, body] of [
  ["in a multipart that is not closed", MIXED, `--a b\r\n\r\ntext\r\n${"--x\r\nt\r\n".repeat(FEW)}`],
  ["found once for each message around them", MIXED, `--a b\r\n${MESSAGE}\r\n`.repeat(40) + LINES.slice(0, 9_000)],
  ["in lines that SpamAssassin breaks", MIXED, inPart(`${MESSAGE.trim()}; x=${" ".repeat(2_100)}${ENCODED}${HIDDEN}`)],
  ["in 21 messages", "message/rfc822", M.repeat(21)],
  ["behind 100 messages", "message/rfc822", `${M.repeat(100)}${encoded(message(100))}`],
  ["of a digest, each a message", "multipart/digest; boundary=in", LINES.slice(0, 5_000)],
  ["in an encoded mail", `message/rfc822\r\n${FIELDS}base64`, HIDDEN],
  ["in an encoded message", MIXED, inPart(HIDING)],
  ["in quoted-printable", MIXED, inPart(encoded("=2D=2Din=0A=0A".repeat(FEW), "Quoted-Printable"))],
  ...["base64 (c)", "x-base64", '"base64"', "7bit base64", "base64;", "x-uuencode", "=?x?B?base64?=", ""].map(
    (encoding) =>
      [`in a message in ${encoding}`, MIXED, inPart(`${MESSAGE}${FIELDS}${encoding}\r\n\r\n${HIDDEN}`)] as const,
  ),
  ["behind 5,000 spaces", MIXED, inPart(`${MESSAGE}${FIELDS}${" ".repeat(5_000)}base64\r\n\r\n${HIDDEN}`)],
  ["in the encoding of a multipart", MIXED, `--a b\r\n${MIXED_IN}${ENCODED}--in\r\n${MESSAGE}\r\n${HIDDEN}`],
  ["behind a line that is not a field", "multipart/mixed; boundary=missing", `--other\r\nJunk\r\n${HIDING}`],
  ["after an end, behind a line that is not a field", MIXED, `${sibling}--a b--\r\nJunk\r\n${HIDING}`],
  ["behind a delimiter within a header", MIXED, `${sibling}--a b\r\n${MESSAGE}--in\r\n${ENCODED}${HIDDEN}`],
  ["in the default type of what may be a digest", "multipart/di,gest; boundary=in", `--in\r\n${ENCODED}${HIDDEN}`],
  ["without an empty line", MIXED, `--a b\r\n${HIDING.replace("\r\n\r\n", "\r\n")}`],
  ["in the default type of a digest", "multipart/digest; boundary=in", `--in\r\n${ENCODED}${HIDDEN}`],
  ...["mes,sage/rfc822", `(${"x".repeat(2_100)})message/rfc822`, ""].map(
    (type) =>
      [`in a message of type “${type.slice(0, 30)}”`, MIXED, inPart(HIDING.replace("message/rfc822", type))] as const,
  ),
  ["in a name of a field that is cut", MIXED, inPart(HIDING.replace("Content-Type", `X: ${LONG}Content-Type`))],
  ["in a signed message", MIXED, inPart(`${ENVELOPE}${ENCODED}${SIGNED}`)],
  ["in a signed message whose encoding is to be guessed", MIXED, inPart(`${ENVELOPE}\r\n${SIGNED}`)],
  ["behind a first line of base64", MIXED, inPart(encoded(`${"A".repeat(48)}\r\n${message(FEW)}`, "base64 (c)"))],
  ["in the place of header fields", "message/rfc822", `${"a:\r\n".repeat(100_000)}\r\ntext`],
  ["in the place of fields with a foreign blank", "message/rfc822", `${"a\xa0:\r\n".repeat(100_000)}\r\ntext`],
  ["in messages between multiparts", "message/rfc822", nested(12, 19)],
  ["in messages between earlier delimiters", MIXED, `${sibling}--a b\r\n${`${M.repeat(19)}--in\r\n`.repeat(11)}`],
  ["in an encoded message of 2 KB", MIXED, inPart(encoded(M.repeat(100) + "--x\r\nt\r\n".repeat(580)).slice(0, 2_500))],
  ["of 900 long boundaries", `multipart/x; boundary=${"x".repeat(181)}0`, chained(900, "x".repeat(181))],
] as const)
  test(`a mail may hide parts ${that}`, () => {
    for (const size of SIZES) {
      const parts = read(type, body, size);
      assert.ok(parts.mayNest && parts.mayHideParts, `in pieces of ${size}: ${parts.count}`);
    }
  });

const CURL = `curl https://api.example.org/v1/items -H "Content-Type: application/json" -d '{}'\r\n`;

test("honest mails have few parts and hide none", () => {
  const forwarded = inPart(`${MESSAGE}Content-Disposition: attachment\r\n\r\n${message(3)}`);
  const attached = `--a b\r\n${FIELDS}base64\r\nContent-Type: application/pdf; name=An invoice.pdf\r\n\r\n${inBase64(Buffer.alloc(1_000_000, "data"))}`;
  const meta = '<meta http-equiv="Content-Type" content="text/html">';
  const quoted = `Content-Type: text/html\r\n${FIELDS}quoted-printable\r\n\r\n<meta http-equiv=3D"Content-Type">\r\n`;
  const rows = "12:30;a;b\r\n".repeat(40_000);
  const text = "----------\r\n\r\nA chapter\r\n".repeat(400) + "-- \r\nTel: 1\r\n";
  for (const [type, body] of [
    [MIXED, `--a b\r\nContent-Type: text/html\r\n\r\n${meta}\r\n${attached}`],
    [MIXED, attached.repeat(5)],
    [MIXED, forwarded.replace("--a b--", attached).repeat(2)],
    [MIXED, inPart(encoded(message(3)))],
    [MIXED, inPart(`Content-Type: text/csv; name=Message log.csv\r\n\r\n-- 2026\r\n${rows}`)],
    [MIXED, inPart(`Content-Type: text/plain; name*=utf-8''messages%20%C3%BC.mbox\r\n\r\n${message(3).repeat(200)}`)],
    [MIXED, inPart(`Content-Type: application/pdf name="Multi part.pdf"\r\n\r\nx`)],
    [MIXED, inPart(quoted + rows.slice(0, 200_000))],
    [MIXED, text],
    [MIXED, inPart(`Content-Type: text/plain\r\n\r\n${CURL.repeat(1_100)}`).replace("--a b--", attached)],
    ['multipart/report; report-type=delivery-status; boundary="a b"', `--a b\r\n\r\nIt failed.\r\n${forwarded}`],
    [
      'multipart/signed; protocol="application/pkcs7-signature"; boundary="a b"',
      `${part("a b")}--a b\r\nContent-Type: application/pkcs7-signature\r\n${FIELDS}base64\r\n\r\n${inBase64(Buffer.alloc(9_000))}--a b--\r\n`,
    ],
    [MIXED, inPart(`${MESSAGE}\r\n${message(3)}`).repeat(30)],
  ] as const)
    for (const size of SIZES) {
      const parts = read(type, body, size);
      assert.ok(parts.count < 200 && !parts.mayHideParts, `${body.slice(0, 200)}: ${parts.count}`);
    }
  const plain = new MimeParts();
  plain.field("content-type", "text/plain; charset=utf-8");
  assert.ok(!plain.mayNest);
});

test("honest mails that may hide parts are not refused", () => {
  const rules = "-- a comment\r\nSELECT 1;\r\n".repeat(1_100);
  for (const body of [
    inPart(`Content-Type: application/sql\r\n\r\n${rules}`),
    inPart(`${MESSAGE}\r\n${message(2, rules)}`),
    inPart(encoded(message(2, rules))).repeat(20),
    inPart(encoded(encoded(encoded(message(5))))),
    inPart(encoded(message(1)).slice(0, 200)).repeat(31),
    inPart(`Content-Type: text/csv; name=Message log.csv\r\n\r\n${encoded(message(3)).repeat(300)}`),
    inPart(`${ENVELOPE}\r\n${inBase64(Buffer.alloc(900_000))}`),
  ])
    for (const size of SIZES) assert.ok(counted(MIXED, body, size) <= 1_000, body.slice(0, 200));
});

test("megabytes of recipients in the headers of messages are too many parts, also in a digest and in one line", () => {
  const DIGEST = MIXED.replace("mixed", "digest");
  const mails = (count: number, bytes: number, header = ""): string =>
    `--a b\r\n${header}\r\nTo: ${"@,".repeat(bytes / 2)}\r\n\r\n${"text\r\n".repeat(1_000)}`.repeat(count) +
    "--a b--\r\n";
  for (const [count, bytes] of [
    [1, 2_000_000],
    [20, 100_000],
  ] as const)
    for (const size of [65_535, 10_000_000]) {
      assert.ok(counted(MIXED, mails(count, bytes, MESSAGE), size) > 1_000);
      assert.ok(counted(DIGEST, mails(count, bytes), size) > 1_000);
      const own = mails(count, bytes).slice("--a b\r\n\r\n".length);
      assert.ok(counted("message/rfc822", own, size) > 1_000 || count > 1);
    }
  assert.equal(counted(DIGEST, mails(150, 6_000), 65_535), 600, "an honest digest");
});

test("of the fields in the headers of messages, only the length of those that Dovecot parses counts", () => {
  const mails = (field: string): string =>
    `--a b\r\n${MESSAGE}\r\n${field}\r\n\r\ntext\r\n`.repeat(300) + "--a b--\r\n";
  const received = "Received: by x;\r\n\tMon, 1 Jan\r\n".repeat(20);
  const ofFilters = `${received}X-Filter: ${"x".repeat(10_000)}\r\nDKIM-Signature: ${"x\r\n  To:".repeat(1_000)}`;
  const honest = mails(`${ofFilters}\r\nTo: Anna <anna@example.org>,\r\n Bert <bert@example.org>`);
  assert.ok(counted(MIXED, honest, 65_535) <= 1_000, "300 mails forwarded in one");
  for (const field of ["To", "reply-to", "BCC \t", `From${" ".repeat(5_000)}`, "Content-Language"])
    for (const value of ["@,".repeat(5_000), "@,\r\n \r\n\t@,".repeat(1_000)])
      assert.ok(counted(MIXED, mails(`${field}:${value}`), 65_535) > 1_000, field);
});

test("megabytes of recipients count wherever Dovecot may read the header of a message", () => {
  const TO = `To: ${"@,".repeat(1_000_000)}\r\n\r\ntext\r\n--a b--\r\n`;
  const MESSAGE = "Content-Type: message/rfc822";
  const other = "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--a b\r\n";
  for (const [that, type, header] of [
    ["whatever its encoding", "mixed", `--a b\r\n${MESSAGE}\r\nContent-Transfer-Encoding: base64`],
    ["which another type follows", "mixed", `--a b\r\n${MESSAGE}\r\nContent-Type: application/pkcs7-mime`],
    ["behind the start of a delimiter", "mixed", `--a bc\r\n${MESSAGE}`],
    ["whose header has an earlier delimiter", "mixed", `--a b\r\n${other}${MESSAGE}\r\n--c`],
    ["with a NUL in a name", "mixed", "--a b\r\nContent-Type\0x: message/rfc822"],
    ["of a digest, with an invalid name", "digest", "--a b\r\nContent-Type\xa0: text/plain"],
    ["behind a boundary in pieces", 'mixed; boundary*0="i"; boundary*1="n"; x', `--in\r\n${MESSAGE}`],
  ] as const)
    for (const size of [1_000, 65_535])
      assert.ok(counted(`multipart/${type}; boundary="a b"`, `${header}\r\n\r\n${TO}`, size) > 1_000, that);
  for (const name of ["To\0x", "to", "Reply-To \t"]) {
    const body = `--a b\r\n${MESSAGE}\r\n\r\n${TO.replace("To", name)}`;
    assert.ok(counted(MIXED, body, 65_535) > 1_000, name);
  }
  for (const field of ["Content-Language", "Content-Disposition"])
    for (const delimiter of ["--a b", "--a bc"]) {
      const body = `${delimiter}\r\n${TO.replace("To", field)}`;
      assert.ok(counted(MIXED, body, 65_535) > 1_000, `${field} of any part`);
    }
});

test("4 MB of anything are counted in a bounded time", () => {
  const cut = `${FIELDS}${"x".repeat(90_000)}\r\n`;
  for (const [head, repeated] of [
    [encoded(""), "LS1pbgo".repeat(10) + "\r\n"],
    [`${MESSAGE}\r\n`, `--b\r\nContent-Type:message/a\r\nx\r\n\r\n`],
    [cut.repeat(5), "--b\r\nContent-Type:message/a\r\nx\r\n\r\n"],
    [ENVELOPE, "content-type"],
    [ENVELOPE, "content-type\r\n "],
    [ENVELOPE, "\r\n"],
    [ENVELOPE, "a\r\n"],
    [ENVELOPE, "--"],
    [ENVELOPE, " "],
    [ENVELOPE, "to \r\n"],
    [ENVELOPE, `Content-Type: multipart/x; ${"boundary=".repeat(200)}\r\n`],
  ] as const) {
    const body = `--a b\r\n${head}${repeated.repeat(4_000_000 / repeated.length)}\r\n`;
    const { costMs } = costOf(() => counted(MIXED, body, 16_384));
    assert.ok(costMs < patience(1_200), `${repeated.slice(0, 50)}: ${costMs} ms`);
  }
});

test("only part of a long line is kept, and many boundaries count", () => {
  assert.equal(counted(MIXED, `--${"x".repeat(1_000_000)}\r\n--a b\r\n`, 1_000), 1);
  assert.ok(counted("multipart/x; boundary=b0", chained(5_000, "b")) >= 5_000);
});

test("a Content-Type that repeats a boundary costs no more than one that is as long", () => {
  const once = (type: string): number => {
    const parts = new MimeParts();
    return costOf(() => Array.from({ length: 200 }, () => parts.field("content-type", type))).costMs;
  };
  // Other threads of Node, such as those of its garbage collection, count too.
  const leastCost = (type: string): number => Math.min(once(type), once(type), once(type));
  leastCost("multipart/mixed");
  const plain = leastCost(`multipart/mixed; x=${"x".repeat(60_000)}`);
  const within = ["boundary=", 'boundary="', "boundary ", "boundary=a\\", " ", "\t", "; ", " ;", "; a=b", 'a="', "a/"];
  for (const repeated of within)
    for (const type of ["multipart/mixed", "multipart/mixed; "]) {
      const cost = leastCost(`${type}${repeated.repeat(1_900 / repeated.length)}!`);
      assert.ok(cost < 50 + 20 * plain, `${type}${repeated}: ${cost} ms, plain ${plain} ms`);
    }
});
