import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseSilences } from "./tcp-sockets.ts";

/** As ss of iproute2 6.1 prints it, shortened where nothing is read. */
const MUTE =
  "0      0      203.0.113.10:25 198.51.100.7:41234 cubic wscale:7,7 rto:204 bytes_sent:31 bytes_acked:31 lastsnd:5012 lastrcv:5020 lastack:5012 minrtt:0.03 ";
const TALKING =
  "0      0      [::ffff:203.0.113.10]:587 [::ffff:198.51.100.8]:41235 cubic bytes_sent:90 bytes_received:24 lastsnd:40 lastrcv:45 lastack:40 ";
const WAITING =
  "4      0      [2001:db8::10]:25 [2001:db8::7]:41236 cubic bytes_sent:90 bytes_received:24 lastsnd:9000 lastrcv:8000 lastack:8000 ";

test("a client is silent since it last sent, or since it came; one that waits for us is not", () => {
  assert.deepEqual(
    [...parseSilences([MUTE, TALKING, WAITING, ""].join("\n"))],
    [
      ["25 41234 198.51.100.7", 5_020],
      ["587 41235 198.51.100.8", 45],
      ["25 41236 2001:db8::7", 0],
    ],
  );
});

test("lines that are not from ss are ignored", () => {
  assert.deepEqual([...parseSilences("Error: an inet prefix is expected\n0 0 *:25 *:*\n")], []);
  fc.assert(fc.property(fc.string(), (text) => void parseSilences(text)));
});
