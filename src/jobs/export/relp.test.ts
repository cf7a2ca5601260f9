import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isTaken, nextRelpNumber, type RelpFrame, RelpReader, relpFrame } from "./syslog.ts";

test("a frame counts the bytes of its data", () => {
  assert.equal(relpFrame({ number: 7, command: "syslog", data: "é" }), "7 syslog 2 é\n");
  assert.equal(relpFrame({ number: 8, command: "close", data: "" }), "8 close 0\n");
  assert.equal(nextRelpNumber(1), 2);
  assert.equal(nextRelpNumber(999_999_999), 1);
});

test("frames are read wherever the stream was split", () => {
  const frame = fc.record(
    {
      number: fc.integer({ min: 0, max: 999_999_999 }),
      command: fc.constantFrom("rsp", "serverclose"),
      data: fc.string({ unit: "grapheme", maxLength: 40 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 60 }), (frames, size) => {
      const bytes = Buffer.from(frames.map(relpFrame).join(""));
      const reader = new RelpReader();
      const read: RelpFrame[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        const some = reader.push(bytes.subarray(at, at + size));
        assert.ok(some !== null);
        read.push(...some);
      }
      assert.deepEqual(read, frames);
    }),
  );
});

test("a space before the end of an empty frame is allowed, as some senders write it", () => {
  const frame = { number: 0, command: "serverclose", data: "" };
  assert.deepEqual(new RelpReader().push(Buffer.from("0 serverclose 0 \n")), [frame]);
});

test("anything else is not RELP, and is not buffered", () => {
  for (const text of [
    `HTTP/1.1 400 Bad Request\r\n\r\n${" ".repeat(60)}`,
    "1 rsp 99999 x",
    "1 rsp 3 okay!",
    "1 rsp 3\n",
  ])
    assert.equal(new RelpReader().push(Buffer.from(text)), null, text);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void new RelpReader().push(Buffer.from(bytes))));
});

test("only the code 200 confirms a message", () => {
  const answer = (data: string): RelpFrame => ({ number: 1, command: "rsp", data });
  assert.ok(isTaken(answer("200 OK")));
  for (const data of ["500 no", "2000", ""]) assert.ok(!isTaken(answer(data)), data);
});
