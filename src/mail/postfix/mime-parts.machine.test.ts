import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { lacking } from "../../../test/kit/needs.ts";
import { signedEnvelope } from "../../../test/kit/signed-envelope.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { MOST_OF_A_MAIL } from "../../core/decide/mail.ts";
import { MimeParts } from "./mime-parts.ts";

/** rspamd finds up to two parts at a delimiter, and more behind messages: a mail with that many costs it 15 ms. */
const MOST = 3_500;
const MANY = MOST + 200;
const MAILS = 800;
const CHAINS = 150;
const SEED = 20_261_124;
/** A body arrives in pieces. */
const PIECE_BYTES = 997;

/** Pieces of a Content-Type as a hostile sender may put them together. */
const junk = fc.constantFrom(..."\"|;| |\t|\r\n |=|(c)|\\|*0|'|,|; charset=x|; boundary".split("|"));
const boundary = fc.constantFrom(
  "boundary=in",
  'boundary="in"',
  'BOUNDARY = "IN"',
  'boundary="in',
  "boundary=",
  'boundary=""',
  "boundary=i n",
  "boundary=other",
  "boundary*=utf-8''i%6e",
  'boundary*0="i"; boundary*1="n"',
  "boundary(c)=in",
  'boundary="i\\n"',
  'boundary=in"',
  "",
);
const few = fc.array(junk, { maxLength: 2 });
const contentType = fc
  .tuple(fc.constantFrom("multipart/mixed; ", "multipart/mixed;", "message/rfc822; "), few, boundary, few, boundary)
  .map(([start, before, first, after, second]) => [start, ...before, first, ...after, second].join(""));
const delimiter = fc.constantFrom("--in", "--IN", "--i n", "--other", "--", '--"in"', "--in--", "--x");
const PLAIN = "Content-Type: text/plain\r\n\r\nt\r\n";
const after = fc.constantFrom("", "t\r\n", "\r\n", "\r\nt\r\n", "X: y\r\n\r\nt\r\n", PLAIN);
const header = fc.constantFrom(
  "",
  "Content-Type: multipart/mixed; boundary=in\r\n\r\n",
  "--in\r\n",
  "--in\r\nContent-Type: message/rfc822\r\n\r\n",
  "--in\r\nContent-Type: multipart/digest; boundary=other\r\n\r\n",
  "--in\r\nJunk\r\nContent-Type: message/rfc822\r\n\r\n",
);
/** How a message is encoded, and said to be. */
const encoding = fc.constantFrom<readonly string[]>(
  [],
  ["base64"],
  ["BASE64"],
  ["base64 (c)"],
  ["base64;"],
  ['"base64"'],
  ["x-base64"],
  ["quoted-printable"],
  ["Quoted-Printable"],
  ["quoted-printable; x=y"],
  ["8bit", "quoted-printable"],
  ["base64", "7bit"],
  ["nothing", "base64"],
  ["7bit base64"],
  ["=?us-ascii?Q?base64?="],
  ["x-uuencode"],
);
const IN_BASE64 = ["base64", "base64 in pieces", "base64 padded", "base64 after odd ends"];
const coding = fc.constantFrom("none", ...IN_BASE64, "quoted", "quoted ends", "twice");
const PARTS = ["part", "part in an odd type", "part behind a comment", "part behind junk", "part after the end"];
const encoded = fc.constantFrom("none", "none", "mail", ...PARTS, "signed", "signed in pieces");
const mail = fc.record({ type: contentType, header, delimiter, after, encoding, coding, encoded });
/** Unless they are message/rfc822. */
const TYPES: Readonly<Record<string, string>> = {
  "part in an odd type": "message(c)/rfc822; x",
  "part behind a comment": "(;) message/rfc822",
};
const BEFORE: Readonly<Record<string, string>> = {
  "part behind junk": "Junk\r\n",
  "part after the end": "\r\nt\r\n--z--\r\nJunk\r\n",
};
type Sample = typeof mail extends fc.Arbitrary<infer M> ? M : never;
type Mail = Readonly<{ type: string; body: string; encodings: readonly string[] }>;

/** The mail that is sent. */
function written({ type, header: first, delimiter: line, after: then, ...how }: Sample): Mail {
  const body = first + `${line}\r\n${then}`.repeat(MANY);
  if (how.encoded === "none") return { type, body, encodings: [] };
  if (how.encoded === "signed" || how.encoded === "signed in pieces") {
    const envelope = signedEnvelope(`Content-Type: ${type}\r\n\r\n${body}`, how.encoded === "signed" ? Infinity : 5);
    return { type: "application/pkcs7-mime", body: inLines(envelope), encodings: ["base64"] };
  }
  const inner = code(`Content-Type: ${type}\r\n\r\n${body}`, how.coding);
  if (how.encoded === "mail") return { type: "message/rfc822", body: inner, encodings: how.encoding };
  const start = headed(TYPES[how.encoded] ?? "message/rfc822", how.encoding);
  const part = `${BEFORE[how.encoded] ?? ""}${start}${inner}`;
  return { type: "multipart/mixed; boundary=z", body: `--z\r\n${part}\r\n--z--\r\n`, encodings: [] };
}

/** A header, and the line after it. */
function headed(type: string, encodings: readonly string[]): string {
  return `Content-Type: ${type}\r\n${encodings.map((one) => `Content-Transfer-Encoding: ${one}\r\n`).join("")}\r\n`;
}

/** Nested messages between known delimiters, at which they stay open to rspamd: those of nested multiparts, or of one that has ended. */
const chain = fc.record({
  form: fc.constantFrom("nest", "sib"),
  delimiters: fc.integer({ min: 1, max: 20 }),
  messages: fc.integer({ min: 1, max: 20 }),
});

function chained({ form, delimiters, messages }: typeof chain extends fc.Arbitrary<infer C> ? C : never): Mail {
  const inner = "Content-Type: message/a\r\n\r\n".repeat(messages);
  const many = (one: (n: number) => string): string => Array.from({ length: delimiters }, (_, n) => one(n)).join("");
  if (form === "sib") {
    const ended = "--z\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nt\r\n--q--\r\n--z\r\n";
    const body = `${ended}${many(() => `${inner}--q\r\n`)}t\r\n`;
    return { type: "multipart/mixed; boundary=z", body, encodings: [] };
  }
  const body = many((n) => `Content-Type: multipart/a; boundary=q${n}\r\n\r\n--q${n}\r\n${inner}`);
  return { type: "message/rfc822", body: `${body}t\r\n`, encodings: [] };
}

function code(text: string, coding: string): string {
  const bytes = Buffer.from(text, "latin1");
  const base64 = bytes.toString("base64");
  switch (coding) {
    case "base64":
      return inLines(bytes);
    case "base64 in pieces":
      return base64.replace(/.{3}/g, "$&\r\n ");
    case "base64 after odd ends":
      return inLines(Buffer.from(`X: y\n\r\r${text}`, "latin1"));
    case "base64 padded":
      return `${Buffer.from("X: y").toString("base64")}\r\n${Buffer.from("z\r\n").toString("base64")}${base64}`;
    case "quoted":
      return text
        .replace(/[-=\r\n]/g, (one) => `=${one.charCodeAt(0).toString(16).padStart(2, "0")}`)
        .replace(/.{60}/g, "$&=\r\n");
    case "quoted ends":
      return text.replaceAll("\r\n", "=0D\r\n=\r\n");
    case "twice": {
      const fields = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n";
      return code(fields + code(text, "base64"), "base64");
    }
    default:
      return text;
  }
}

function inLines(bytes: Buffer): string {
  return bytes.toString("base64").replace(/.{76}/g, "$&\r\n");
}

const COUNT = `
local rspamd_task = require "rspamd_task"
for path in io.lines(os.getenv("MAILS")) do
  local file = io.open(path)
  local loaded, task = rspamd_task.load_from_string(file:read("*a"), rspamd_config)
  file:close()
  task:set_flag("skip_process", true)
  if loaded then task:process_message() end
  print("parts=" .. (loaded and #(task:get_parts() or {}) or 0))
end`;

test("a mail in which rspamd finds too many parts is refused, or read when no other such mail is", {
  skip: lacking({ installed: ["rspamadm"] }),
}, () => {
  const mails = [
    ...fc.sample(mail, { numRuns: MAILS, seed: SEED }).map(written),
    ...fc.sample(chain, { numRuns: CHAINS, seed: SEED }).map(chained),
  ];
  const directory = temporaryDirectory();
  const at = (name: string): string => join(directory, name);
  for (const [n, { type, body, encodings }] of mails.entries())
    writeFileSync(at(`${n}`), `From: a@example.test\r\n${headed(type, encodings)}${body}`, "latin1");
  writeFileSync(at("mails"), mails.map((_, n) => `${at(`${n}`)}\n`).join(""));
  writeFileSync(at("count.lua"), COUNT);
  const found = execFileSync("rspamadm", ["lua", at("count.lua")], {
    env: { ...process.env, MAILS: at("mails") },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const byRspamd = [...found.matchAll(/^parts=(\d+)$/gm)].map(([, count]) => Number(count));
  assert.equal(byRspamd.length, mails.length);
  const many = byRspamd.filter((count) => count > MOST);
  assert.ok(many.length > 50, `rspamd finds many parts in ${many.length} of ${mails.length}`);
  const passed = mails.flatMap((one, n) => {
    const parts = new MimeParts();
    parts.field("content-type", one.type);
    for (const encoding of one.encodings) parts.field("content-transfer-encoding", encoding);
    for (let from = 0; from < one.body.length; from += PIECE_BYTES)
      parts.push(Buffer.from(one.body.slice(from, from + PIECE_BYTES), "latin1"));
    const isSeen = parts.mayNest && (parts.mayHideParts || parts.count > MOST_OF_A_MAIL.mime_parts);
    return (byRspamd[n] ?? 0) > MOST && !isSeen
      ? [{ ...one, body: one.body.slice(0, 300), rspamd: byRspamd[n], guard: parts.count }]
      : [];
  });
  assert.deepEqual(passed, []);
});
