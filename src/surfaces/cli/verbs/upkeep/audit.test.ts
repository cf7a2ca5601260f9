import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import * as z from "zod/mini";
import { lacking } from "../../../../../test/kit/needs.ts";
import { connected, script } from "../../../../../test/kit/script-world.ts";
import { temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import { record, START } from "../../../../../test/kit/test-database.ts";
import { guardOfSuite, TIMED } from "../../../../../test/kit/test-guard.ts";
import { auditRecord } from "../../../../core/events/command.ts";
import { DAY_MS, later } from "../../../../core/time.ts";
import { readAnchors } from "../../../../jobs/audit/audit-anchors.ts";
import { SqliteStore } from "../../../../store/engine-db/store.ts";
import { openAccounts, openEngine } from "../../../../store/open.ts";
import { openReader } from "../../open-reader.ts";

/** A server on which root made three tokens, and its command line. */
function server(t: TestContext) {
  const layout = temporaryLayout("engineDb", "accountsDb", "auditAnchors");
  writeFileSync(layout.settings, 'domains = ["example.org"]\n');
  const db = openEngine(layout.engineDb);
  openAccounts(layout.accountsDb);
  t.after(() => db.close());
  const store = new SqliteStore(db);
  const add = (...names: readonly string[]) =>
    record(store, ...names.map((subject) => auditRecord({ type: "TOKEN_CREATED", subject, by: "root" }, START)));
  add("one", "two", "three");
  const connect = () => {
    const opened = openReader(layout);
    assert.ok(opened.ok);
    return connected({ reader: () => Promise.resolve(opened) });
  };
  const typed = (...words: readonly string[]) =>
    script([...words, "--data", layout.data], { now: () => START, connect });
  return { layout, db, store, add, typed, ran: (...words: readonly string[]) => typed("audit", ...words) };
}

test("`access review` counts what root did through sudo as done by root", async (t) => {
  const { store, typed } = server(t);
  record(store, auditRecord({ type: "TOKEN_CREATED", subject: "four", by: "root (anna)" }, later(START, DAY_MS)));
  assert.match((await typed("access", "review")).out, /^root, by the command line .* 2026-11-21 06:00:00 UTC/m);
});

test("`access review` shows that postmaster@ leaves for an administrator whose domain and account are gone", async (t) => {
  const { layout, typed } = server(t);
  const review = async () => (await typed("access", "review")).out;
  assert.match(await review(), /^Where mail is forwarded to other servers:\nnowhere$/m);
  using accounts = openAccounts(layout.accountsDb);
  accounts.exec("INSERT INTO served VALUES ('example.org'); INSERT INTO administrator VALUES ('admin@old.example')");
  assert.match(await review(), /^postmaster@, abuse@ +-> admin@old\.example +\(accounts\.administrator\)$/m);
});

describe("a signed access review", TIMED, () => {
  const { does } = guardOfSuite({ accounts: ["anna@example.org"] });

  test("is in the audit, and the next review names its time", async () => {
    assert.match(await does("access review"), /^This review has never been signed\.$/m);
    const signed = await does("access review --sign");
    const [, summary = ""] = /^Signed: (1 account, .*; SHA-256 [0-9a-f]{64})\.$/m.exec(signed) ?? assert.fail(signed);
    assert.match(await does("audit list --limit 1"), new RegExp(` ACCESS_REVIEWED +${summary}`));
    assert.match(await does("access review"), /^This review was last signed at /m);
  });
});

test("audit list shows the latest last, in pages", async (t) => {
  const { ran } = server(t);
  const { out } = await ran("list", "--limit", "2");
  assert.match(out, /^ENTRY +TIME .*\n2 .*root +TOKEN_CREATED +two\n3 .*three\n… and 1 more: .*--cursor 2 /);
  assert.match((await ran("list", "--cursor", "2")).out, /^ENTRY.*\n1 .*one\n$/);
  assert.match((await ran("list", "--cursor", "1")).out, /^No further entries\.$/m);
  const list = z.object({ items: z.array(z.object({ subject: z.string(), detail: z.looseObject({}) })) });
  const { items } = list.parse(JSON.parse((await ran("list", "--json")).out));
  assert.deepEqual([items[0]?.subject, items[0]?.detail], ["three", { verdict: "pass" }]);
});

test("audit verify names consistent and anchored entries, and exits with 1 if one is inconsistent", async (t) => {
  const { ran, db } = server(t);
  assert.match((await ran("verify")).out, /^Entries 1 to 3 are consistent\.\nNo anchor confirms them yet/);
  assert.match((await ran("anchor")).out, /^Entry 3 is anchored: [0-9a-f]{64}\n$/);
  assert.match((await ran("verify")).out, /Root anchored entry 3 at 2026-11-20 06:00:00 UTC/);
  db.exec("UPDATE audit_entry SET subject = 'four' WHERE id = 2");
  const found = await ran("verify");
  assert.deepEqual([found.code, found.out], [1, ""]);
  assert.match(found.err, /^The audit is not consistent: entry 2 was changed.* docs\/audit\.md/);
  assert.partialDeepStrictEqual(JSON.parse((await ran("verify", "--json")).out), { fault: { id: 2 } });
  assert.match((await ran("anchor")).err, /^The audit is not consistent/);
});

test("an anchor that cannot be written is reported in one sentence", async (t) => {
  const { ran, layout } = server(t);
  symlinkSync("none", layout.auditAnchors);
  assert.match((await ran("anchor")).err, /^The anchor could not be written: ELOOP.*\.\n$/);
});

test("audit verify compares with other anchors, and reports invalid lines", async (t) => {
  const { ran, layout } = server(t);
  const other = join(layout.data, "other");
  appendFileSync(other, `nonsense\n{"at":"2026-11-20T07:00:00.000Z","id":9,"hash":"${"a".repeat(64)}"}\n`);
  assert.match((await ran("verify", "--anchors", other)).err, /The audit is not consistent: 6 entries from 4 on/);
  assert.match((await ran("verify", "--anchors", `${other}.none`)).err, /^The file /);
  appendFileSync(layout.auditAnchors, "nonsense\n");
  assert.match((await ran("verify")).out, /1 line of the anchors cannot be read\.\n$/);
});

test("audit accept continues from a broken audit once root says so, and keeps the reason", async (t) => {
  const { ran, db, add, layout } = server(t);
  assert.match((await ran("accept", "why")).out, /nothing to accept/);
  await ran("anchor");
  db.exec("DELETE FROM audit_entry WHERE id = 3");
  assert.match((await ran("accept", "why")).err, /^Nothing was accepted: 1 entry from 3 on is missing/);
  add("four");
  assert.match((await ran("accept", "--yes", "a", "recovery")).out, /continues from entry 4/);
  assert.equal(readAnchors(layout.auditAnchors).anchors.at(-1)?.accepted?.reason, "a recovery");
  add("five");
  assert.match((await ran("verify")).out, /^Entries 1 to 5 are consistent/);
  db.exec("UPDATE audit_entry SET actor = 'x' WHERE id = 1");
  assert.match((await ran("verify")).err, /after root accepted them/);
});

test("a missing table is reported as such", async (t) => {
  const { ran, db } = server(t);
  db.exec("ALTER TABLE audit_entry RENAME TO other");
  assert.match((await ran("verify")).err, /^The audit cannot be read: no such table/);
});

test("audit export prints a line for each entry, without control characters", async (t) => {
  const { ran, add } = server(t);
  add("a\u202eb");
  const lines = (await ran("export")).out.trimEnd().split("\n");
  assert.equal(lines.length, 4);
  const keys = Object.keys(z.looseObject({}).parse(JSON.parse(lines[0] ?? "")));
  assert.deepEqual(keys, ["id", "at", "actor", "type", "subject", "detail", "previous", "hash"]);
  assert.ok(lines.every((line) => /^[\x20-\x7e]*$/.test(line)));
});

test("docs/audit.md: its script checks an export with jq and sha256sum alone", {
  skip: lacking({ installed: ["jq"] }),
}, async (t) => {
  const { ran, add, layout } = server(t);
  add("größe ✓", 'a\u007f\tb"\\');
  const [, script = ""] = /```\n(previous=[^]*?)```/.exec(readFileSync("docs/audit.md", "utf8")) ?? [];
  const check = (text: string): string => {
    writeFileSync(join(layout.data, "audit.jsonl"), text);
    return execFileSync("sh", ["-c", script], { cwd: layout.data, encoding: "utf8" });
  };
  const { out } = await ran("export");
  assert.equal(check(out), "5 entries are consistent\n");
  assert.match(check(out.replace('"two"', '"six"')), /^entry 2 is inconsistent\n/);
  assert.match(check(out.split("\n").toSpliced(2, 1).join("\n")), /^entry 4 is inconsistent\n/);
});
