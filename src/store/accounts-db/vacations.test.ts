// Invariant: A vacation reply is only text, and its number is bounded.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { accountName } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ann, bob, columnOf, twoAccounts } from "../../../test/kit/test-database.ts";
import { instant, isoTime } from "../../core/time.ts";
import { VACATIONS } from "./vacations.ts";

const AWAY = { subject: "Away", text: "Back on Monday.", until: null };

function fresh(t: TestContext) {
  const { db, accounts } = twoAccounts(t);
  const sql = "SELECT script FROM account_script WHERE user = ? AND name = ? AND id = name";
  const script = (of: string, name = "proven"): string => columnOf(db, sql, of, name).join();
  return { db, accounts, vacations: VACATIONS.store(db), script };
}

test("a reply is in effect until it ends or expires, and not while its account is suspended", (t) => {
  const { accounts, vacations, script } = fresh(t);
  assert.deepEqual([vacations.vacationOf(ann), script(ann)], [null, ""]);
  assert.deepEqual(vacations.setVacation(ann, AWAY), { ok: true });
  assert.deepEqual(vacations.vacationOf("Ann@Example.ORG"), AWAY);
  assert.match(script("Ann@Example.ORG"), /vacation :days 7 :handle "ghostinbox" :subject "Away" "Back on Monday\.";/);
  assert.equal(script(bob), "");
  accounts.setSuspended(ann, true);
  assert.equal(script(ann), "");
  accounts.setSuspended(ann, false);
  assert.notEqual(script(ann), "");
  vacations.setVacation(ann, { ...AWAY, until: instant(Date.now() + 60_000) });
  assert.notEqual(script(ann), "");
  const over = { ...AWAY, until: instant(Date.now() - 1_000) };
  vacations.setVacation(ann, over);
  assert.deepEqual([vacations.vacationOf(ann), script(ann)], [{ ...over, until: isoTime(over.until) }, ""]);
  vacations.setVacation(ann, null);
  assert.equal(vacations.vacationOf(ann), null);
  assert.equal(vacations.setVacation(accountName("nobody@example.org"), AWAY).ok, false);
});

test("only verified senders and those at our domains get a reply, unless senders are not verified", (t) => {
  const { db, vacations, script } = fresh(t);
  vacations.setVacation(ann, AWAY);
  assert.match(script(ann), /elsif not anyof \(header :is "X-GhostInbox-Verified" "spf"\) \{/);
  db.exec("INSERT INTO served (domain) VALUES ('example.org'), ('example.net')");
  const ours = /"X-GhostInbox-Verified" "spf", envelope :domain "from" \["example\.net", "example\.org"\]\) \{/;
  assert.match(script(ann), ours);
  assert.doesNotMatch(script(ann, "any"), /Verified/);
});

test("neither one sender with many authors nor one author with many senders uses up the replies", (t) => {
  const { vacations, script } = fresh(t);
  vacations.setVacation(ann, AWAY);
  const once = (handle: string, header: string) => `duplicate :handle "${handle}" :header "${header}" :seconds 3600`;
  const both = `${once("ghostinbox-sender", "Return-Path")},\n  ${once("ghostinbox-author", "From")}`;
  assert.ok(script(ann).includes(` elsif anyof (${both}) {\n} elsif not allof (`));
});

/** Input that could break out of a quoted string, a text, a script or a variable. */
const HOSTILE = [
  '"; redirect "thief@example.net"; #',
  '\\"; redirect "thief@example.net"; #',
  "\\",
  "a\n.\n..\nb",
  "${unicode:22}; ${hex:22}",
  'text:\n.\nredirect "thief@example.net";',
  "*/ stop; /*",
  "Grüße 🙂 — “x”",
  "%u %{user} %%",
  "'; DROP TABLE account; --",
];

test("no text escapes its quotes: the compiled script has only the one action", installed("sievec"), (t) => {
  const { db, vacations, script } = fresh(t);
  const directory = temporaryDirectory();
  db.exec("INSERT INTO served (domain) VALUES ('example.org')");
  for (const hostile of HOSTILE) {
    vacations.setVacation(ann, { subject: hostile.replaceAll("\n", " "), text: hostile, until: null });
    const file = join(directory, "vacation.sieve");
    writeFileSync(file, script(ann));
    writeFileSync(join(directory, "dovecot.conf"), "log_path = /dev/stderr\nssl = no\n");
    const argv = ["-c", join(directory, "dovecot.conf"), "-d", file, "-"];
    const dump = execFileSync("sievec", argv, { encoding: "utf8" });
    const done = [...dump.matchAll(/^[0-9a-f]{8}: +\d+: ([A-Z]+)/gm)].map(([, name = ""]) => name);
    const actions = done.filter((name) => !TESTS.includes(name));
    assert.deepEqual(actions, ["VACATION"], hostile);
    const bytes = Buffer.byteLength(hostile.replaceAll("\n", "\r\n"));
    assert.match(dump, new RegExp(`reason: STR\\[${bytes}\\] `), hostile);
  }
});

/** Sieve bytecode operations that test something or send mail elsewhere. */
const TESTS: readonly string[] = ["EXISTS", "HEADER", "ENVELOPE", "DUPLICATE", "JMP", "JMPTRUE", "JMPFALSE"];
