import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { instant } from "../../core/time.ts";
import { createLog } from "./log.ts";

const clock = { now: () => instant(Date.UTC(2026, 0, 2, 3, 4, 5, 678)) };

test("a message is one line with its time, level and fields", () => {
  const lines: string[] = [];
  const log = createLog(clock, (line) => lines.push(line));
  log.info("The guard is ready.", { sockets: 2, cold: true, reason: null });
  log.warn("Slow.", { path: "/srv/mail", said: 'no "thanks"', empty: "" });
  log.error("Broken.");
  assert.deepEqual(lines, [
    "2026-01-02T03:04:05.678Z info The guard is ready. sockets=2 cold=true reason=null\n",
    '2026-01-02T03:04:05.678Z warn Slow. path=/srv/mail said="no \\"thanks\\"" empty=""\n',
    "2026-01-02T03:04:05.678Z error Broken.\n",
  ]);
});

test("text from strangers can neither forge a line, hide in one, nor flood the log", () => {
  let line = "";
  const log = createLog(clock, (text) => void (line = text));
  log.warn("A client spoke.", { helo: "x\r\n2026 error fake\u001b[2J\u202e\u2028" });
  assert.equal(line.indexOf("\n"), line.length - 1);
  assert.ok(line.includes('helo="x\\u{d}\\u{a}2026 error fake\\u{1b}[2J\\u{202e}\\u{2028}"'), line);
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER, maxLength: 2_000 }), (helo) => {
      log.warn("A client spoke.", { helo });
      assert.match(line, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u);
      assert.ok(line.length < 12_000);
    }),
    { seed: 7 },
  );
});

test("lines that the disk does not accept are dropped, and do not fill the memory", async () => {
  const program = `
    const { createLog } = await import(${JSON.stringify(new URL("log.ts", import.meta.url).href)});
    const log = createLog({ now: () => 0 });
    for (let i = 0; i < 10_000; i++) log.warn("It is tried again.", { why: "x".repeat(900) });
    process.stdout.write(String(process.stderr.writableLength), () => process.exit());`;
  // Nothing reads its standard error, as svlogd(8) does not while the disk is full.
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  const waiting = Number(await text(child.stdout));
  assert.ok(waiting > 100_000 && waiting < 300_000, `${waiting} bytes wait`);
});
