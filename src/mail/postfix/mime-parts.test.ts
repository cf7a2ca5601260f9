import assert from "node:assert/strict";
import { test } from "node:test";
import { signedEnvelope } from "../../../test/kit/signed-envelope.ts";
import { MimeParts } from "./mime-parts.ts";

function counted(contentType: string, body: string, chunkBytes = body.length): number {
  const parts = new MimeParts();
  parts.field("content-type", contentType);
  for (let at = 0; at < body.length; at += chunkBytes) parts.push(Buffer.from(body.slice(at, at + chunkBytes)));
  return parts.count;
}

const MIXED = 'multipart/mixed; charset=x;\r\n boundary="a b"';
const part = (boundary: string, header = "Content-Type: text/plain"): string =>
  `--${boundary}\r\n${header}\r\n\r\n--no delimiter\r\ntext\r\n`;

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

test("the parts of a mail that is one encoded message count, whatever its boundary", () => {
  const lines = Buffer.from(
    `Content-Type: multipart/mixed; boundary=x\r\n\r\n${"--x\r\n\r\nt\r\n".repeat(3_000)}--x--\r\n`,
  )
    .toString("base64")
    .match(/.{1,76}/g);
  const body = [...(lines ?? []).slice(0, 4), "--null--", ...(lines ?? []).slice(4), ""].join("\r\n");
  for (const boundary of ["", "; boundary=zzzz", "; boundary=null"]) {
    const parts = new MimeParts();
    parts.field("content-type", `message/rfc822${boundary}`);
    parts.field("content-transfer-encoding", "base64");
    parts.push(Buffer.from(body));
    assert.ok(parts.count >= 3_000, `${boundary}: ${parts.count}`);
  }
});

test("lines with hyphens do not count as parts", () => {
  const lines = "--\r\n-- \r\n-----\r\n--a b c\r\n--- a b\r\n".repeat(5_000);
  assert.equal(counted(MIXED, `--a b\r\n\r\n${lines}--a b--\r\n`, 100), 2);
});

const MANY = 6_000;
const nested = (header: string, boundary = "in", inner = "--in\r\nX: y\r\n\r\nt\r\n"): string =>
  `--a b\r\n${header}\r\n\r\n${boundary}${inner.repeat(MANY)}`;
for (const [that, contentType, body] of [
  [
    "in a message in a part",
    MIXED,
    nested("Content-Type: message/rfc822", "Content-Type: multipart/mixed; boundary=in\r\n\r\n"),
  ],
  [
    "of a mail that is a message",
    "message/rfc822",
    `Content-Type: multipart/mixed; boundary=in\r\n\r\n${"--in\r\n\r\nt\r\n".repeat(MANY)}`,
  ],
  ["with a folded declaration", MIXED, nested("Content-Type: multipart/mixed; boundary=\r\n in", "")],
  ...['*0="i"; boundary*1="n"', "*=utf-8''i%6e", '="i\\n"', '=(c)"in"', "(c)=in", "=in(c)"].map(
    (boundary) =>
      [`with boundary${boundary}`, `multipart/mixed; boundary${boundary}`, "--in\r\n text\r\n".repeat(MANY)] as const,
  ),
  ["with a boundary in another case", "multipart/mixed; boundary=IN", "--in\r\n text\r\n".repeat(MANY)],
  [
    "with a boundary behind 3,000 characters",
    `multipart/mixed; x=${"x".repeat(3_000)}; boundary=in`,
    "--in\r\n text\r\n".repeat(MANY),
  ],
  [
    "with a boundary of 300 characters",
    `multipart/mixed; boundary=in${"n".repeat(300)}`,
    "--in\r\n text\r\n".repeat(MANY),
  ],
  [
    "of a mail that is a message, each followed by text",
    "message/rfc822",
    `Content-Type: multipart/mixed; boundary=in\r\n\r\n${"--in\r\nt\r\n".repeat(MANY)}`,
  ],
  ["in a part without a boundary", MIXED, nested("Content-Type: multipart/mixed", "", "--in\r\nt\r\n")],
  ...[
    '; boundary="in',
    "",
    '; boundary=""',
    '; boundary=x"in',
    '; boundary=x; boundary="in',
    '; boundary="x"in',
  ].flatMap((boundary) =>
    ["--in\r\nt\r\n", "--in\r\n"].map(
      (part) =>
        [`with “${boundary}”, as ${JSON.stringify(part)}`, `multipart/mixed${boundary}`, part.repeat(MANY)] as const,
    ),
  ),
  ["that each end the multipart", "multipart/mixed; boundary=in", "--in--\r\n text\r\n".repeat(MANY)],
] as const)
  test(`parts ${that} are too many`, () => {
    const parts = new MimeParts();
    parts.field("content-type", contentType);
    assert.ok(parts.mayHaveParts, "its body is looked at");
    parts.push(Buffer.from(body));
    assert.ok(parts.count > 1_000, String(parts.count));
  });

test("a part's Content-Type of many lines is read once it is whole", () => {
  const header = `Content-Type: multipart/mixed;\r\n boundary=in\r\n${" x\r\n".repeat(1_000)}`;
  assert.equal(counted(MIXED, `--a b\r\n${header}\r\n--in\r\n\r\n`), 2);
});

test("a mail with many lines that rspamd takes for delimiters, after an end or without one, may hide parts", () => {
  for (const body of ["", "--a b--\r\n"]) {
    const parts = new MimeParts();
    parts.field("content-type", MIXED);
    parts.push(Buffer.from(`--a b\r\n\r\ntext\r\n${body}${"--x\r\nt\r\n".repeat(2_000)}`));
    assert.ok(parts.mayHideParts && parts.count < 10);
  }
});

test("a text of many rules, with a signature, does not count as parts", () => {
  const text = "----------\r\n\r\nA chapter\r\n".repeat(5_000) + "-- \r\nTel: 1\r\n";
  for (const name of ["a b", "=_boundary_1"])
    assert.equal(counted(`multipart/mixed;\r\n boundary="${name}"`, `--${name}\r\n\r\n${text}--${name}--\r\n`), 2);
  const plain = new MimeParts();
  plain.field("content-type", "text/plain; charset=utf-8");
  assert.ok(!plain.mayHaveParts);
});

const ENCODED = "--a b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: ";
const message = (parts: number, text = "text"): string =>
  `Subject: x\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n${`--in\r\n\r\n${text}\r\n`.repeat(parts)}--in--\r\n`;
const inBase64 = (text: string | Buffer): string => Buffer.from(text).toString("base64").replace(/.{76}/g, "$&\r\n");
const quoted = (text: string): string =>
  text.replace(/.{1,20}/g, (some) => `${some.replace(/[=-]/g, (one) => `=${one.charCodeAt(0).toString(16)}`)}=\r\n`);
for (const [encoding, encode] of [
  ["base64", inBase64],
  ["Quoted-Printable", quoted],
] as const)
  test(`the parts of a message in ${encoding} count, and what comes after it`, () => {
    const body = `${ENCODED}${encoding}\r\n\r\n${encode(message(5))}\r\n${part("a b")}--a b--\r\n`;
    for (const size of [1, 7, 64, 10_000]) assert.equal(counted(MIXED, body, size), 9, `in pieces of ${size}`);
    const whole = new MimeParts();
    whole.field("content-transfer-encoding", encoding);
    whole.field("content-type", "message/rfc822");
    whole.push(Buffer.from(`${encode(message(2_000))}\r\n`));
    assert.equal(whole.count, 2_001);
  });

const MESSAGE = "Content-Type: message/rfc822\r\n";
const ENCODING = "Content-Transfer-Encoding: ";
const ENVELOPE = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n";
const inPart = (part: string): string => `--a b\r\n${part}\r\n--a b--\r\n`;
for (const [how, body] of [
  [
    "the encoding of the message around it",
    inPart(`${MESSAGE}${ENCODING}base64\r\n\r\n${inBase64(`${MESSAGE}\r\n${inBase64(message(2_000))}`)}`),
  ],
  [
    "the encoding of the multipart around it",
    inPart(
      `Content-Type: multipart/mixed; boundary=c\r\n${ENCODING}base64\r\n\r\n--c\r\n${MESSAGE}\r\n${inBase64(message(2_000))}`,
    ),
  ],
  [
    "a line within that another part declares as its delimiter",
    `--a b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n--c--\r\n${inPart(`${MESSAGE}${ENCODING}quoted-printable\r\n\r\nContent-Type: multipart/mixed; boundary=3Din\r\n\r\n--c\r\n\r\n${"=2D=2Din\r\n\r\ntext\r\n".repeat(2_000)}`)}`,
  ],
  ["empty lines before its header", inPart(`${MESSAGE}\r\n\r\n\r\n${message(2_000)}`)],
  [
    "an encoding behind 5,000 spaces",
    inPart(`${MESSAGE}Content-Transfer-Encoding:${" ".repeat(5_000)}base64\r\n\r\n${inBase64(message(2_000))}`),
  ],
  [
    "a type behind 5,000 spaces",
    inPart(`Content-Type:${" ".repeat(5_000)}multipart/mixed; boundary=in\r\n\r\n${message(2_000)}`),
  ],
  [
    "a comment before its type",
    inPart(`Content-Type: (;)message/rfc822\r\n${ENCODING}base64\r\n\r\n${inBase64(message(2_000))}`),
  ],
  [
    "2,100 characters of comment before its type",
    inPart(
      `Content-Type: (${"x".repeat(2_100)})message/rfc822\r\n${ENCODING}base64\r\n\r\n${inBase64(message(2_000))}`,
    ),
  ],
  [
    "ends of lines that only some filters take for an empty line",
    inPart(`${MESSAGE}${ENCODING}base64\r\n\r\n${inBase64(`X: y\r\n\r${message(2_000)}`)}`),
  ],
  ["an encoding in another spelling", inPart(`${MESSAGE}${ENCODING}base-64\r\n\r\n${inBase64(message(2_000))}`)],
  [
    "foreign characters and padding within",
    inPart(
      `${MESSAGE}${ENCODING}base64\r\n\r\n${inBase64("X: y")}${inBase64(message(2_000)).replace(/.{8}/g, "$&-=")}`,
    ),
  ],
  ...[100_000, 3].map((pieceBytes) => [
    `a signed envelope that carries it in pieces of ${pieceBytes} bytes`,
    inPart(`${ENVELOPE}${ENCODING}base64\r\n\r\n${inBase64(signedEnvelope(message(2_000), pieceBytes))}`),
  ]),
  [
    "a signed envelope in a type that sounds like a signature",
    inPart(
      `Content-Type: application/pkcs7-mime-signature\r\n${ENCODING}base64\r\n\r\n${inBase64(signedEnvelope(message(2_000), 100_000))}`,
    ),
  ],
  [
    "a signed envelope that has empty lines before it",
    inPart(
      `${ENVELOPE}${ENCODING}base64\r\n\r\n${inBase64(signedEnvelope(`Content-Type: text/plain\n\n${message(2_000)}`, 100_000))}`,
    ),
  ],
] as const)
  test(`the parts of a message with ${how} are too many`, () => {
    for (const size of [64, 1_000_000]) assert.ok(counted(MIXED, body, size) > 1_000, `in pieces of ${size}`);
  });

test("the parts of an encoded message count, whatever a filter takes for its end or its start", () => {
  const encoded = `${MESSAGE}${ENCODING}base64\r\n\r\n`;
  const many = `${inBase64(message(3_000))}\r\n`;
  const half = many.length / 2 - ((many.length / 2) % 78);
  const inserted = (line: string): string => `${many.slice(0, half)}${line}\r\n${many.slice(half)}`;
  const another = `--zzzz\r\n${encoded}`;
  // So that it has a multiple of four letters of base64.
  const shift = "A".repeat((4 - ((another.match(/[a-z0-9+/]/gi)?.length ?? 0) % 4)) % 4);
  const sibling = "--a b\r\nContent-Type: multipart/mixed; boundary=zzzz\r\n\r\n--zzzz\r\n\r\n--zzzz--\r\n";
  const whole = `message/rfc822; boundary=zzzz\r\n${ENCODING}base64`;
  for (const [that, contentType, body] of [
    ["another message, at its end", whole, `${many}${another}${inBase64("x")}\r\n`],
    ["another message, within it", whole, inserted(another + shift)],
    [
      "another message, within it, after a sibling's delimiter",
      MIXED,
      `${sibling}--a b\r\n${encoded}${inserted(another + shift)}`,
    ],
    [
      "the outer delimiter",
      MIXED,
      `${sibling.replace("\r\n\r\n--zzzz--", `\r\n${encoded}${many}`)}--a b\r\n${encoded}\r\n`,
    ],
    ["its delimiter in another case", "multipart/mixed; boundary=AAAA", `--AAAA\r\n${encoded}${inserted("--aaaa--")}`],
    ["its delimiter with a space", "multipart/mixed; boundary=AAAA", `--AAAA\r\n${encoded}${inserted("--AAAA-- ")}`],
    ["a delimiter within its header", MIXED, `${sibling}--a b\r\n${MESSAGE}--zzzz\r\n${ENCODING}base64\r\n\r\n${many}`],
    ["a delimiter within its header, and again", MIXED, `${sibling}--a b\r\n--zzzz\r\n${encoded}${inserted("--zzzz")}`],
    ["no declared boundary", "multipart/mixed; boundary=missing", `--other\r\n${encoded}${many}`],
    ["a boundary in pieces", 'multipart/mixed; boundary*0="i"; boundary*1="n"', `--in\r\n${encoded}${many}`],
    ["the end of the multipart", MIXED, `--a b--\r\n${encoded}${many}`],
    [
      "a boundary that it names itself",
      "multipart/mixed; boundary=bbbb",
      `--bbbb\r\n${ENCODING}base64\r\nContent-Type: message/rfc822; boundary=bbbb\r\n\r\n${inserted("--bbbb")}`,
    ],
    ["a line that is not a field", MIXED, `--a b\r\n${MESSAGE}${ENCODING}base64\r\n${many}`],
    ["the default type of a digest", 'multipart/digest; boundary="a b"', `--a b\r\n\r\n${message(3_000)}`],
    ["a type with a comma", MIXED, `--a b\r\nContent-Type: mes,sage/rfc822\r\n${ENCODING}base64\r\n\r\n${many}`],
    ["an encoding in an encoded word", MIXED, `--a b\r\n${MESSAGE}${ENCODING}=?x?B?base64?=\r\n\r\n${many}`],
    [
      "an envelope in base64 that names no encoding",
      MIXED,
      `--a b\r\n${ENVELOPE}\r\n${inBase64(signedEnvelope(message(3_000), 100_000))}\r\n`,
    ],
    [
      "a field with 5,000 spaces",
      MIXED,
      `--a b\r\n${encoded}${inBase64(message(3_000).replace("Type:", `Type${" ".repeat(5_000)}:`))}\r\n`,
    ],
  ] as const)
    for (const size of [64, 10_000, 65_535]) {
      const parts = new MimeParts();
      const [type = "", encoding] = contentType.split(`\r\n${ENCODING}`);
      parts.field("content-type", type);
      if (encoding !== undefined) parts.field("content-transfer-encoding", encoding);
      for (let at = 0; at < body.length; at += size) parts.push(Buffer.from(body.slice(at, at + size)));
      assert.ok(parts.count >= 3_000, `${that}, in pieces of ${size}: ${parts.count}`);
    }
});

test("messages with only a header, and a message after the end of a multipart, are few parts", () => {
  const headers = `--a b\r\nContent-Type: message/rfc822\r\n\r\n${MESSAGE}${ENCODING}base64\r\n`.repeat(20);
  assert.equal(counted(MIXED, `${headers}--a b--\r\n`), 21);
  const inner = `--a b\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\nt\r\n--in--\r\n`;
  const forwarded = `${ENCODED}base64\r\n\r\n${inBase64(message(3))}\r\n`;
  const text = `--a b\r\n\r\n${"-- \r\nA rule\r\n".repeat(2_000)}`;
  assert.ok(counted(MIXED, `${inner}${forwarded}${text}--a b--\r\n`, 65_535) < 20);
  const rows = "12:30;a;b\r\n".repeat(40_000);
  for (const body of [
    `${inner}${rows}--a b--\r\n`,
    `--a b\r\nContent-Type: text/csv; name=Message log.csv\r\n\r\n-- 2026\r\n${rows}--a b--\r\n`,
  ])
    assert.ok(counted(MIXED, body, 65_535) < 20);
});

test("honest mails with odd headers are few parts", () => {
  const named = 'application/pdf name="=?UTF-8?B?UmVjaG51bmcucGRm?="';
  const forwarded = `${MESSAGE}${ENCODING}base64\r\nContent-Disposition: attachment;\r\nfilename="a.eml"\r\n\r\n${inBase64(message(1))}\r\n`;
  const unclosed = `${MESSAGE}\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n${MESSAGE}${ENCODING}base64\r\n\r\n${inBase64(message(1))}\r\n--a b\r\n`;
  const quoted = `--- mail ---\r\n${MESSAGE}${ENCODING}base64\r\n\r\n${inBase64(message(1))}\r\n`.repeat(5);
  for (const body of [
    `Content-Type: ${named}\r\n\r\nx\r\n`,
    'Content-Type: application/pdf name="Multi part.pdf"\r\n\r\nx\r\n',
    `${MESSAGE}\r\nContent-Type: =?UTF-8?Q?text/plain;_charset=3Dutf-8?=\r\n\r\nx\r\n`,
    forwarded,
    `${MESSAGE}${ENCODING}base64\r\n${inBase64(message(1))}\r\n`,
    unclosed.repeat(2),
    `Content-Type: =?UTF-8?B?${Buffer.from('application/pdf; name="für.pdf"').toString("base64")}?=\r\n\r\nx\r\n`,
    `Content-Type: application/pdf;\r\n${ENCODING}base64\r\n name="=?UTF-8?B?UmVjaG51bmcucGRm?="\r\n\r\nx\r\n`,
    `\r\nx\r\n${`--a b \r\n${MESSAGE}${ENCODING}base64\r\n\r\n${inBase64(message(3))}\r\n`.repeat(10)}`,
    `${MESSAGE.replace("message/rfc822", "multipart/digest; boundary=d")}\r\n${"--d\r\nFrom: a\r\n\r\n--- a/file\r\n".repeat(40)}--d--\r\n`,
    `Content-Type: text/csv; name=Message log.csv\r\n\r\n${quoted}`,
    `Content-Type: text/csv; name=Message log.csv\r\n\r\n-- export\r\n${"1;2\r\n".repeat(510_000)}`,
  ])
    for (const size of [64, 65_535]) {
      const count = counted(MIXED, `--a b\r\n${body}--a b--\r\n`, size);
      assert.ok(count < 100, `${body.slice(0, 100)}: ${count}`);
    }
});

test("an honest mail with encoded messages, each ended by its delimiter, may have megabytes after them", () => {
  const forwarded = `${ENCODED}base64\r\n\r\n${inBase64(message(3))}\r\n`.repeat(20);
  const attached = `--a b\r\n${ENCODING}base64\r\n\r\n${inBase64(Buffer.alloc(15_000_000, "data"))}\r\n`;
  assert.equal(counted(MIXED, `${forwarded}${attached}--a b--\r\n`, 65_535), 102);
});

test("an attachment of many lines does not count as a message because of its name", () => {
  const lines = inBase64("1;2;3\r\n".repeat(40_000));
  for (const type of ["text/csv; name*=utf-8''messages%20%C3%BC.csv", "text/csv; name=Message log.csv"])
    assert.equal(counted(MIXED, inPart(`Content-Type: ${type}\r\n${ENCODING}base64\r\n\r\n${lines}`)), 2);
});

test("more encodings than an honest mail has make the parts of a message countless", () => {
  assert.equal(counted(MIXED, `${ENCODED}x-uuencode\r\n\r\nbegin 644 x\r\n--a b--\r\n`), 1_000_000);
  const within = (depth: number): string =>
    depth === 0
      ? message(1)
      : `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n${inBase64(within(depth - 1))}\r\n`;
  assert.ok(counted("message/rfc822", within(2)) < 10);
  assert.equal(counted("message/rfc822", within(4)), 1_000_000);
});

test("a plain message that is declared as encoded is counted as plain", () => {
  for (const encoding of ["base64", "quoted-printable"]) {
    assert.ok(counted(MIXED, `${ENCODED}${encoding}\r\n\r\n${message(5)}\r\n--a b--\r\n`) < 12);
    assert.ok(counted(MIXED, `${ENCODED}${encoding}\r\n\r\n${message(2_000)}\r\n--a b--\r\n`) > 1_000);
  }
});

test("a mail that is forwarded as an attachment, with a text of many rules, does not count as parts", () => {
  const sql = message(2, "-- a comment\r\nSELECT 1;\r\n".repeat(1_020));
  const plain = `--a b\r\nContent-Type: message/rfc822\r\n\r\n${sql}--a b--\r\n`;
  assert.equal(counted(MIXED, plain), 5);
  assert.equal(counted(MIXED, `${ENCODED}base64\r\n\r\n${inBase64(sql)}\r\n--a b--\r\n`), 5);
  const bounce = `--a b\r\n\r\nIt failed.\r\n${plain}`;
  assert.equal(counted('multipart/report; report-type=delivery-status; boundary="a b"', bounce), 6);
});

test("many fields in the headers of parts are too many parts", () => {
  const fields = "X: y\r\n".repeat(40_000);
  assert.ok(counted(MIXED, `--a b\r\n${fields}\r\ntext\r\n--a b--\r\n`) > 1_000);
  assert.ok(counted("message/rfc822", `${fields}\r\ntext\r\n`) > 1_000);
  assert.equal(counted(MIXED, `${part("a b", "X: y\r\n".repeat(9)).repeat(100)}--a b--\r\n`), 101);
});

test("megabytes of recipients in the headers of messages are too many parts, also in a digest and in one line", () => {
  const DIGEST = MIXED.replace("mixed", "digest");
  const mails = (count: number, bytes: number, header = ""): string =>
    `--a b\r\n${header}\r\nTo: ${"@,".repeat(bytes / 2)}\r\n\r\n${"text\r\n".repeat(1_000)}`.repeat(count) +
    "--a b--\r\n";
  const message = "Content-Type: message/rfc822\r\n";
  for (const [count, bytes] of [
    [1, 2_000_000],
    [20, 100_000],
  ] as const)
    for (const size of [65_535, 10_000_000]) {
      assert.ok(counted(MIXED, mails(count, bytes, message), size) > 1_000);
      assert.ok(counted(DIGEST, mails(count, bytes), size) > 1_000);
      assert.ok(
        counted("message/rfc822", mails(count, bytes).slice("--a b\r\n\r\n".length), size) > 1_000 || count > 1,
      );
    }
  assert.equal(counted(DIGEST, mails(150, 6_000), 65_535), 600, "an honest digest");
});

test("of the fields in the headers of messages, only the length of those that Dovecot takes apart counts", () => {
  const mails = (field: string): string =>
    `--a b\r\nContent-Type: message/rfc822\r\n\r\n${field}\r\n\r\ntext\r\n`.repeat(300) + "--a b--\r\n";
  const received = "Received: by x;\r\n\tMon, 1 Jan\r\n".repeat(20);
  const ofFilters = `${received}X-Filter: ${"x".repeat(10_000)}\r\nDKIM-Signature: ${"x\r\n  To:".repeat(1_000)}`;
  const honest = mails(`${ofFilters}\r\nTo: Anna <anna@example.org>,\r\n Bert <bert@example.org>`);
  assert.equal(counted(MIXED, honest, 65_535), 301, "300 mails forwarded in one");
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

test("10 MB in any encoding are counted in a bounded time", () => {
  for (const [encoding, line] of [
    ["base64", "LS1pbgo".repeat(10)],
    ["quoted-printable", "=2D=2Dx=0A"],
    ["quoted-printable", "=   ="],
  ] as const) {
    const body = `${ENCODED}${encoding}\r\n\r\n${`${line}\r\n`.repeat(10_000_000 / (line.length + 2))}`;
    const from = process.cpuUsage();
    counted(MIXED, body, 65_536);
    const { user } = process.cpuUsage(from);
    assert.ok(user < 3_000_000, `${encoding}: ${user} µs`);
  }
  for (const repeated of ["content-t", "content-type ", "content-type\t \t"]) {
    const line = repeated.repeat(4_000 / repeated.length);
    const from = process.cpuUsage();
    counted("application/pkcs7-mime; name=smime.p7m", `${line}\r\n`.repeat(2_500), 65_536);
    const { user } = process.cpuUsage(from);
    assert.ok(user < 3_000_000, `${repeated}: ${user} µs`);
  }
});

test("a long line is held in part only, and more boundaries than any mail has are too many parts", () => {
  assert.equal(counted(MIXED, `--${"x".repeat(1_000_000)}\r\n--a b\r\n`, 1_000), 1);
  const nested = Array.from(
    { length: 5_000 },
    (_, n) => `--b${n}\r\nContent-Type: multipart/x; boundary=b${n + 1}\r\n\r\n`,
  );
  assert.ok(counted("multipart/x; boundary=b0", nested.join("")) >= 5_000);
  const long = Array.from({ length: 200 }, (_, n) => `${n}${"x".repeat(1_000)}`);
  const parts = new MimeParts();
  for (const boundary of long) parts.field("content-type", `multipart/x; boundary=${boundary}`);
  assert.equal(parts.count, 1_000_000);
});

test("a Content-Type that repeats a boundary costs no more than one that is as long", () => {
  const once = (type: string): number => {
    const parts = new MimeParts();
    const from = process.cpuUsage();
    for (let i = 0; i < 200; i++) parts.field("content-type", type);
    return process.cpuUsage(from).user;
  };
  // Other threads of Node, such as those of its garbage collection, count too.
  const costOf = (type: string): number => Math.min(once(type), once(type), once(type));
  costOf("multipart/mixed");
  const plain = costOf(`multipart/mixed; x=${"x".repeat(60_000)}`);
  const within = ["boundary=", 'boundary="', "boundary ", "boundary=a\\", " ", "\t", "; ", " ;", "; a=b", 'a="', "a/"];
  for (const repeated of within) {
    for (const type of ["multipart/mixed", "multipart/mixed; "]) {
      const cost = costOf(`${type}${repeated.repeat(1_900 / repeated.length)}!`);
      assert.ok(cost < 50_000 + 20 * plain, `${type}${repeated}: ${cost} µs, plain ${plain} µs`);
    }
  }
});
