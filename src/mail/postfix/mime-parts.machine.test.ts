import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { lacking } from "../../../test/kit/needs.ts";
import { MOST_OF_A_MAIL } from "../../core/decide/mail.ts";
import { MimeParts } from "./mime-parts.ts";

const MOST = MOST_OF_A_MAIL.mime_parts;
const MANY = MOST + 200;
const SEED = 20_261_124;

/** Pieces of a Content-Type as a hostile sender may put them together. */
const junk = fc.constantFrom(
  '"',
  ";",
  " ",
  "\t",
  "\r\n ",
  "=",
  "(c)",
  "\\",
  "*0",
  "'",
  ",",
  "; charset=x",
  "; boundary",
);
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
const after = fc.constantFrom(
  "",
  "t\r\n",
  "\r\n",
  "\r\nt\r\n",
  "X: y\r\n\r\nt\r\n",
  "Content-Type: text/plain\r\n\r\nt\r\n",
);
const header = fc.constantFrom(
  "",
  "Content-Type: multipart/mixed; boundary=in\r\n\r\n",
  "--in\r\n",
  "--in\r\nContent-Type: message/rfc822\r\n\r\n",
);
const mail = fc.record({ type: contentType, header, delimiter, after });

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

test("no mail in which rspamd finds more parts than may be is counted as one with fewer", {
  skip: lacking({ installed: ["rspamadm"] }),
}, (t) => {
  const mails = fc.sample(mail, { numRuns: 400, seed: SEED });
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-parts-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const at = (name: string): string => join(directory, name);
  const bodies = mails.map((one) => one.header + `${one.delimiter}\r\n${one.after}`.repeat(MANY));
  for (const [n, { type }] of mails.entries())
    writeFileSync(at(`${n}`), `From: a@example.test\r\nContent-Type: ${type}\r\n\r\n${bodies[n] ?? ""}`, "latin1");
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
    parts.declare(one.type);
    parts.push(Buffer.from(bodies[n] ?? ""));
    const isCounted = parts.mayHaveParts && parts.count > MOST;
    return (byRspamd[n] ?? 0) > MOST && !isCounted ? [{ ...one, rspamd: byRspamd[n], guard: parts.count }] : [];
  });
  assert.deepEqual(passed, []);
});
