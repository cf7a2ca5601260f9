import assert from "node:assert/strict";
import { test } from "node:test";
import { decision } from "../../core/decide/decision.ts";
import { MOST_OF_A_MAIL } from "../../core/decide/mail.ts";
import type { EndOfMessage, Excess } from "../../core/events/mail.ts";
import { type MilterQuestion, MilterReader, printMilterReply, printNegotiation, REPLY } from "./milter.ts";

const { header_lines: LINES, mime_parts: PARTS } = MOST_OF_A_MAIL;

function packet(text: string | Buffer): Buffer {
  const data = typeof text === "string" ? Buffer.from(text) : text;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}

/** What Postfix sends, one packet a text. */
function asked(packets: readonly (string | Buffer)[], pieceBytes = 1_000_000): readonly MilterQuestion[] {
  const questions: MilterQuestion[] = [];
  const reader = new MilterReader((question) => questions.push(question));
  const bytes = Buffer.concat(packets.map(packet));
  for (let at = 0; at < bytes.length; at += pieceBytes) assert.ok(reader.push(bytes.subarray(at, at + pieceBytes)));
  return questions;
}

const CONNECTED = [
  `O${"\0".repeat(12)}`,
  "DC{client_addr}\x00198.51.100.9\0{client_port}\x0012345\0{client_name}\0unknown\0{daemon_addr}\x00192.0.2.1\0{daemon_port}\x00587\0{ghostinbox_context}\0submission\0",
  "DH{tls_version}\0\0",
  "Hclient.test\0",
];
const MAIL = ["DM{mail_addr}\0a@sender.test\0{auth_authen}\0anna@example.test\0", "DR{rcpt_addr}\0b@example.test\0"];
const header = (name = "X-A", value = "1"): readonly string[] => ["DLi\x004ABCDE\0", `L${name}\0${value}\0`];
const headers = (count: number): readonly string[] => Array.from({ length: count }, () => header()).flat();
const END_OF_HEADER = ["DNi\x004ABCDE\0", "N"];
const NOTHING = { type: "end", found: null } as const;

/** What is reported at the end of a mail with these packets, or null. */
function reported(...packets: readonly (string | Buffer)[]): EndOfMessage | null {
  const last = asked([...CONNECTED, ...MAIL, ...packets]).at(-1);
  assert.ok(last?.type === "end");
  return last.found;
}

const weightOf = (found: EndOfMessage | null): number => found?.weightBytes ?? 0;

test("a mail with the maximum number of header lines passes, in pieces of any size", () => {
  const mail = [...MAIL, ...headers(LINES - 1), ...header("Content-Type", "text/plain"), ...END_OF_HEADER];
  const session = [...CONNECTED, ...mail, "A", ...mail, "Q"];
  for (const bytes of [1, 2, 3, 5, 100, 1_000_000])
    assert.deepEqual(asked(session, bytes), [{ type: "negotiate" }, NOTHING, NOTHING, { type: "quit" }]);
});

test("a mail of a suspect is reported, whatever its parts", () => {
  const questions: MilterQuestion[] = [];
  const take = (question: MilterQuestion) => questions.push(question);
  const reader = new MilterReader(take, ({ account }) => account !== null);
  const mails = [...MAIL, ...END_OF_HEADER, "E", "DM{mail_addr}\0a@sender.test\0", ...END_OF_HEADER];
  assert.ok(reader.push(Buffer.concat([...CONNECTED, ...mails].map(packet))));
  const found = questions.flatMap((each) => (each.type === "end" ? [each.found?.isSuspect] : []));
  assert.deepEqual(found, [true, undefined]);
});

test("a mail with one line more is reported with its sender, recipient and service", () => {
  const lines = [...headers(LINES), ...header("Content-Type", "multipart/mixed; boundary=b")];
  const { sizeBytes, ...found } = reported(...lines, ...END_OF_HEADER) ?? assert.fail();
  assert.ok(sizeBytes > 0);
  assert.deepEqual(found, {
    type: "END_OF_MESSAGE",
    ip: "198.51.100.9",
    service: "submission",
    session: "198.51.100.9 12345 587 192.0.2.1",
    clientName: null,
    helo: "client.test",
    sender: "a@sender.test",
    recipient: "b@example.test",
    recipientCount: 1,
    account: "anna@example.test",
    queueId: "4ABCDE",
    transaction: "",
    excess: { of: "header_lines", count: 1_001 },
  });
});

test("a client over IPv6 is reported by its address", () => {
  const overV6 = CONNECTED.map((text) => text.replace("198.51.100.9", "IPv6:2001:db8::7"));
  const last = asked([...overV6, ...MAIL, ...headers(LINES + 1), ...END_OF_HEADER]).at(-1);
  assert.ok(last?.type === "end");
  assert.equal(last.found?.ip, "2001:db8::7");
});

test("512 KB of recipients count as too many lines, in headers of any length, but 512 KB of other headers do not", () => {
  const excess = (bytes: number, name = "To"): Excess | undefined => {
    const to = header(name, "@,".repeat(bytes / 2));
    return reported(...to, ...to, ...to, ...to, ...to, ...to, ...END_OF_HEADER)?.excess;
  };
  assert.deepEqual([excess(80_000), excess(90_000, "X-Results")], [undefined, undefined]);
  assert.deepEqual(excess(90_000), { of: "header_lines", count: 1_054 });
});

test("the body is requested if there may be parts, and they are counted to its end", () => {
  const part = (count: number): string => "--b\r\n\r\nx\r\n".repeat(count);
  const head = [...MAIL, ...header("content-type ", "multipart/mixed;\n boundary=b"), ...END_OF_HEADER];
  const mail = (parts: number): readonly string[] => [...head, `B${part(1)}`, `B${part(parts - 1)}`, "E"];
  const [, more, most, again, many] = asked([...CONNECTED, ...mail(PARTS), ...mail(PARTS + 1)], 7);
  assert.deepEqual([more, most, again], [{ type: "more" }, NOTHING, { type: "more" }]);
  assert.ok(many?.type === "end");
  assert.deepEqual(many.found?.excess, { of: "mime_parts", count: PARTS + 1 });
});

test("a mail that filters may decode and find parts in is reported, so that they read only one at a time", () => {
  const encoded = header("Content-Transfer-Encoding", "base64");
  const large = `B${"eDogeQ0KDQo=\r\n".repeat(20_000)}`;
  const found = (type: string, body: string): EndOfMessage | null =>
    reported(...header("Content-Type", type), ...encoded, ...END_OF_HEADER, body, "E");
  assert.equal(found("message/rfc822", large)?.mayHideParts, true);
  assert.equal(found("message/rfc822", "BeDogeQ0KDQo=\r\n"), null);
  assert.equal(found("application/pdf", large), null);
});

test("a mail that costs Rspamd more than its size is reported with its weight", () => {
  const type = header("Content-Type", "message/rfc822");
  const messages = (times: number): string => "Content-Type: message/a\r\n\r\n".repeat(times);
  const found = (...body: readonly string[]): EndOfMessage | null =>
    reported(...type, ...END_OF_HEADER, ...body.map((one) => `B${one}`), "E");
  const text = "a line of text\r\n".repeat(6_000);
  const heavy = found(`${messages(5)}${text}`) ?? assert.fail();
  assert.ok(weightOf(heavy) > 2 * heavy.sizeBytes && heavy.mayHideParts === undefined);
  assert.equal(found(messages(5), "t\r\n"), null, "a light one");
  assert.equal(found(messages(1), text), null, "a forwarded mail");
  assert.ok(weightOf(found("X: a\r\n".repeat(8_000))) > 500_000);
});

test("signatures weigh the more, the more header lines there are", () => {
  const found = (lines: number): EndOfMessage | null => {
    const signature = header("DKIM-Signature", `h=from:${"x:".repeat(48_000)}`);
    const x = Array.from({ length: lines }, () => header("x", "1")).flat();
    return reported(...signature, ...x, ...END_OF_HEADER);
  };
  assert.ok(weightOf(found(840)) > 16_000_000);
  assert.equal(found(870)?.mayHideParts, true, "16 MB more than its size");
  assert.ok(weightOf(found(1)) < 1_000_000);
});

/** What is reported of nested messages, the innermost of which has these fields. */
function inMessages(count: number, fields: string): EndOfMessage | null {
  const body = `--x\r\n${"Content-Type: message/a\r\n\r\n".repeat(count)}${fields}\r\n\r\nt\r\n`;
  return reported(...header("Content-Type", "multipart/mixed; boundary=x"), ...END_OF_HEADER, `B${body}`, "E");
}

test("encoded words weigh more than their bytes, in the header and even more in messages", () => {
  const words = "=?cp037?Q?a?= =?cp273?Q?a?=\r\n ";
  const inHeader = (times: number): EndOfMessage | null =>
    reported(...header("Subject", words.repeat(times)), ...END_OF_HEADER);
  assert.ok(weightOf(inHeader(1_000)) > 500_000);
  assert.equal(inHeader(100), null);
  const field = `X: ${words.repeat(5_000)}`;
  assert.ok(weightOf(inMessages(1, field)) > 2_000_000);
  assert.equal(inMessages(8, field)?.mayHideParts, true);
});

test("parameters in messages weigh more than their bytes, and many may hide parts", () => {
  const parameters = "a=b;".repeat(1_000);
  assert.ok(weightOf(inMessages(8, `Content-Disposition: a; ${parameters}`)) > 800_000);
  assert.equal(inMessages(8, `Content-Type: a/b; ${parameters.repeat(90)}`)?.mayHideParts, true);
  assert.equal(inMessages(8, `To: ${parameters}`), null);
});

test("possible parts are reported as an estimate", () => {
  const type = header("Content-Type", "message/rfc822");
  const body = `B${"Content-Type: message/a\r\n\r\n".repeat(PARTS)}`;
  const excess = reported(...type, ...END_OF_HEADER, body, "E")?.excess;
  assert.ok(excess?.of === "mime_parts");
  assert.equal(excess.isEstimate, true);
});

test("parts with a boundary outside ASCII are counted", () => {
  for (const boundary of [Buffer.from("é"), Buffer.from([0xe9])]) {
    const bytes = (text: string): Buffer => Buffer.from(text.replaceAll("@", boundary.toString("latin1")), "latin1");
    const mail = ["LContent-Type\0multipart/mixed; boundary=@\0", "N", `B${"--@\r\n text\r\n".repeat(PARTS + 1)}`, "E"];
    assert.deepEqual(reported(...mail.map(bytes))?.excess, { of: "mime_parts", count: PARTS + 1 });
  }
});

test("a million header lines are counted, and none is kept", () => {
  const line = Buffer.concat([packet("DLi\x004ABCDE\0"), packet("LC\0\0")]);
  const many = Buffer.concat(Array.from({ length: 10_000 }, () => line));
  const found: (Excess | undefined)[] = [];
  const reader = new MilterReader((question) => {
    if (question.type === "end") found.push(question.found?.excess);
  });
  for (const text of CONNECTED) reader.push(packet(text));
  for (let i = 0; i < 100; i++) reader.push(many);
  reader.push(packet("N"));
  assert.deepEqual(found, [{ of: "header_lines", count: 1_000_000 }]);
});

test("a packet that Postfix would not send ends the connection", () => {
  const reader = (): MilterReader => new MilterReader(() => assert.fail());
  assert.equal(reader().push(Buffer.from("EHLO client.test\r\n")), false);
  assert.equal(reader().push(Buffer.from([0, 0, 0, 0, 0])), false);
});

test("replies", () => {
  assert.deepEqual(REPLY.accept, Buffer.from([0, 0, 0, 1, 0x61]));
  assert.deepEqual(printMilterReply(decision("pass", "below_limit")), REPLY.accept);
  const refused = printMilterReply(decision("refuse", "header_lines")).toString();
  assert.equal(refused, "\0\0\0\x21y550 5.7.1 Too many header lines\0");
  assert.equal(printNegotiation().readUInt32BE(0), printNegotiation().length - 4);
});
