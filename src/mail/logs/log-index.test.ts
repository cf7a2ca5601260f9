// Invariant: A log's index never changes an answer: an index that does not match its file is not used.
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { modeOf } from "../../../test/kit/files.ts";
import { ip, net } from "../../../test/kit/samples.ts";
import { ALL, searchedLogs } from "../../../test/kit/searched-logs.ts";
import { contains, isV4, parsePrefix } from "../../core/net/ip.ts";
import { DAY_MS } from "../../core/time.ts";
import { compressFile } from "../../host/root-files/copies.ts";
import { latestLines } from "./latest-lines.ts";
import { findLogs, snapshotOf } from "./log-files.ts";
import { addressKeysIn, hasKeyIn, indexName, keyRange } from "./log-index.ts";
import { packLog } from "./packed-log.ts";

const FIRST_MS = new Date(2026, 10, 20, 8).getTime();
const LINE = (n: number, address: string): string =>
  `Nov 20 08:00:${String(n % 60).padStart(2, "0")} mail postfix/smtpd[1]: connect from x[${address}] ${"x".repeat(60)}\n`;
const MANY = Array.from({ length: 2_000 }, (_, n) => LINE(0, `10.0.${n >> 8}.${n & 255}`)).join("");
const SEVEN = { network: net("198.51.100.7") };

test("an index that does not match the log is not used, and is created again", async () => {
  for (const change of ["replaced", "edited", "cut", "torn index", "changed index", "no index"] as const) {
    const logs = searchedLogs();
    const aside = logs.put("mail/mail.log.20261119-010000", MANY, FIRST_MS);
    const index = indexName(aside);
    await logs.look();
    assert.deepEqual(await logs.find(SEVEN), [], change);
    const text =
      MANY.slice(0, 100_000) + LINE(0, "198.51.100.7") + MANY.slice(100_000 + LINE(0, "198.51.100.7").length);
    if (change === "replaced") renameSync(logs.put("mail/other", LINE(0, "198.51.100.7") + MANY, FIRST_MS), aside);
    if (change === "edited") writeFileSync(aside, text);
    else if (change !== "replaced")
      logs.put("mail/mail.log.20261119-010000", text.slice(0, change === "cut" ? 101_000 : undefined), FIRST_MS);
    if (change === "torn index") writeFileSync(index, readFileSync(index).subarray(0, 8 * 20));
    if (change === "changed index") {
      const bytes = readFileSync(index);
      bytes.fill(0, 80, 8_000);
      writeFileSync(index, bytes);
    }
    if (change === "no index") rmSync(index);
    assert.equal((await logs.find(SEVEN)).length, 1, change);
  }
});

test("an index grows with its log, is created again if it is missing, and is deleted with its log", async () => {
  const logs = searchedLogs();
  writeFileSync(logs.mail, MANY);
  await logs.look();
  const index = indexName(logs.mail);
  const before = readFileSync(index);
  assert.ok(before.length < MANY.length / 8);
  assert.equal(modeOf(index), 0o600);
  appendFileSync(logs.mail, MANY + LINE(1, "198.51.100.7") + MANY);
  await logs.look();
  const after = readFileSync(index);
  assert.ok(after.length > 2 * before.length);
  assert.deepEqual(after.subarray(0, before.length), before);
  assert.equal((await logs.find(SEVEN)).length, 1);
  rmSync(index);
  await logs.look();
  assert.deepEqual(readFileSync(index), after);
  rmSync(logs.mail);
  await logs.look();
  assert.ok(!existsSync(index));
});

test("an address in a few blocks is found without reading the others", async () => {
  const logs = searchedLogs();
  writeFileSync(logs.mail, MANY + LINE(1, "198.51.100.7") + MANY);
  await logs.look();
  // These blocks change after indexing: a search that reads them finds more lines.
  const bytes = readFileSync(logs.mail);
  bytes.fill(LINE(2, "198.51.100.7"), 60_000, 120_000);
  writeFileSync(logs.mail, bytes);
  assert.equal((await logs.find(SEVEN)).length, 1);
});

test("if a block differs from its index, everything before it is searched without the index", async () => {
  const logs = searchedLogs();
  writeFileSync(logs.mail, MANY + LINE(1, "198.51.100.7") + MANY);
  await logs.look();
  const bytes = readFileSync(logs.mail);
  const line = Buffer.from(LINE(2, "198.51.100.7"));
  bytes.set(line, bytes.indexOf("\n", 60_000) + 1);
  bytes.set(line, bytes.indexOf("\n", MANY.length + 2_000) + 1);
  writeFileSync(logs.mail, bytes);
  assert.equal((await logs.find(SEVEN)).length, 3);
});

test("a log can be searched while it is rotated and compressed", async () => {
  const logs = searchedLogs();
  logs.put("mail/mail.log.20261119-010000", LINE(1, "198.51.100.7"), FIRST_MS);
  logs.put("mail/mail.log", LINE(2, "198.51.100.7"), FIRST_MS);
  const opened = findLogs(logs.directory).map(snapshotOf);
  renameSync(logs.mail, `${logs.mail}.20261120-010000`);
  logs.put("mail/mail.log", LINE(3, "198.51.100.7"), FIRST_MS);
  const pack = packLog(() => {});
  await compressFile(`${logs.mail}.20261119-010000`, pack);
  const found = await latestLines(opened, { query: { ...ALL, ...SEVEN }, limit: 9, damaged: assert.fail });
  const seconds = found.map(({ at }) => new Date(at).getSeconds());
  assert.deepEqual(seconds, [1, 2]);
});

test("a log with a line that is too long for a block is indexed up to that line, and searched completely after it", async () => {
  const logs = searchedLogs();
  const text = `${MANY}${"x".repeat(3_000_000)}\n${LINE(1, "198.51.100.7")}${MANY}`;
  const aside = logs.put("mail/mail.log.20261119-010000", text, Date.now() - DAY_MS);
  await logs.look();
  assert.equal((await logs.find(SEVEN)).length, 1);
  const pack = packLog((blocks) => assert.equal(blocks, null));
  await compressFile(aside, pack);
  assert.equal(gunzipSync(readFileSync(`${aside}.gz`)).toString(), text);
  assert.equal((await logs.find(SEVEN)).length, 1);
  await logs.look();
  const names = readdirSync(join(logs.directory, "mail"));
  assert.ok(!names.includes(indexName(basename(aside))), "no index is left for the deleted file");
});

const V4 = ["0.0.0.0", "198.51.100.7", "198.51.100.8", "255.255.255.255"];
const SHORT_V6 = ["::", "::1", "1:2:3::", "2001:db8::7", "2001:db8:0:1::", "2001:db8:1::"];
const LONG_V6 = ["2a01:db8:ffff:ffff::1", `${"ffff:".repeat(7)}ffff`, "0:1:2:3:4:5:6:7"];
const ADDRESSES = [...V4, ...SHORT_V6, ...LONG_V6];

test("a network has the keys of all its addresses, and of no others except those of its IPv6 /48", () => {
  for (const text of ADDRESSES) {
    const address = ip(text);
    const keys = addressKeysIn(`x[${text}]`, 10);
    assert.ok(keys !== null && keys.length === 1, text);
    for (let length = 0; length <= (isV4(address) ? 32 : 128); length += 1)
      for (const other of ADDRESSES) {
        const network = parsePrefix(`${other}/${length}`);
        const wider = parsePrefix(`${other}/${other.includes(":") ? Math.min(48, length) : length}`);
        if (network === null || wider === null) continue;
        const found = hasKeyIn(keys, keyRange(network));
        assert.equal(found, contains(wider, address), `${text} in ${other}/${length}`);
      }
  }
});

test("keys are in ascending order, each once, and not more than wanted", () => {
  const text = "9.9.9.9 2001:db8::1 1.1.1.1 9.9.9.9 2001:db8::2";
  const keys = addressKeysIn(text, 3);
  assert.ok(keys !== null);
  assert.deepEqual(keys, keys.toSorted());
  assert.equal(keys.length, 3);
  assert.equal(addressKeysIn(text, 2), null);
  const range = (network: string) => keyRange(net(network));
  assert.ok(hasKeyIn(keys, range("9.0.0.0/8")));
  assert.ok(!hasKeyIn(keys, range("8.0.0.0/8")));
  assert.ok(!hasKeyIn(keys, range("2001:db9::/32")));
  assert.ok(!hasKeyIn(new Float64Array(), range("0.0.0.0/0")));
});
