import assert from "node:assert/strict";
import { test } from "node:test";
import { MimeParts } from "./mime-parts.ts";

function counted(contentType: string, body: string, chunkBytes = body.length): number {
  const parts = new MimeParts();
  parts.declare(contentType);
  for (let at = 0; at < body.length; at += chunkBytes) parts.push(Buffer.from(body.slice(at, at + chunkBytes)));
  return parts.count;
}

const MIXED = 'multipart/mixed; charset=x;\r\n boundary="a b"';
const part = (boundary: string, header = "Content-Type: text/plain"): string =>
  `--${boundary}\r\n${header}\r\n\r\n--no delimiter\r\ntext\r\n`;

test("each part counts, in whatever pieces it arrives, also of a multipart within another", () => {
  const inner =
    part("a b", "Content-Type: multipart/alternative;\r\n boundary=in") + part("in").repeat(5) + "--in--\r\n";
  const body = `preamble\r\n${part("a b").repeat(20)}${inner}${part("a b", "X: y")}--a b--\r\n--a b tail\r\n`;
  for (const size of [1, 2, 3, 7, 64, 10_000]) assert.equal(counted(MIXED, body, size), 27, `in pieces of ${size}`);
});

test("a body that begins with a delimiter, ends in one, or has parts without headers", () => {
  assert.equal(counted(MIXED, "--a b\n\nx\n--a b  \n\n--a b\r\n"), 3);
});

test("lines with hyphens are no parts", () => {
  assert.equal(counted(MIXED, "--\r\n-- \r\n-----\r\n--a b c\r\n--- a b\r\n".repeat(5_000), 100), 0);
  assert.equal(counted("text/plain", "--x\r\n\r\n".repeat(5_000)), 0);
});

test("a long line is held in part only, and more boundaries than any mail has are too many parts", () => {
  assert.equal(counted(MIXED, `--${"x".repeat(1_000_000)}\r\n--a b\r\n`, 1_000), 1);
  const nested = Array.from(
    { length: 5_000 },
    (_, n) => `--b${n}\r\nContent-Type: multipart/x; boundary=b${n + 1}\r\n\r\n`,
  );
  assert.ok(counted("multipart/x; boundary=b0", nested.join("")) >= 5_000);
  const long = Array.from({ length: 200 }, (_, n) => `${n}${"x".repeat(1_000)}`);
  assert.equal(counted(long.map((boundary) => `boundary=${boundary}`).join("; "), ""), 1_000_000);
});
