import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { accountName } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { parseUncounted, removesIndexes, removesStaleLocks, removesUnfinished, storingProcesses } from "./maildirs.ts";

const ANNA = accountName("anna@example.org");

/** Makes empty files in the Maildir of a user of example.org. */
function filled(mail: string, user: string, ...names: readonly string[]): readonly string[] {
  const files = names.map((name) => join(mail, "example.org", user, "Maildir", name));
  for (const file of files) put(file);
  return files;
}

/** Runs find(1) as this user instead of the one that owns all mail. */
function find(argv: readonly string[]): string {
  return execFileSync("find", argv.slice(argv.indexOf("find") + 1), { encoding: "utf8" });
}

test("old locks of all folders, or only empty ones, are removed, even behind a link; mail is not touched", () => {
  const [mail, link] = [temporaryDirectory(), join(temporaryDirectory(), "mail")];
  symlinkSync(mail, link);
  const lock = (path: string, text: string, ageMs = 60_000): string => {
    const [file = ""] = filled(mail, "anna", join(path, "dovecot-uidlist.lock"));
    put(file, text);
    const at = (Date.now() - ageMs) / 1_000;
    utimesSync(file, at, at);
    return file;
  };
  const [empty, old] = [lock(".", ""), lock(".Archive", "17:an-older-container")];
  const [fresh, isMail] = [lock(".Sent", "", 1_000), lock("cur", "")];
  const run = (which: "empty" | "all"): string => {
    const argv = removesStaleLocks({ mail: link }, which);
    assert.equal(argv[0], "setpriv");
    return find(argv);
  };
  assert.equal(run("empty"), `${empty.replace(mail, link)}\n`);
  assert.deepEqual([empty, old, fresh, isMail].map(existsSync), [false, true, true, true]);
  assert.equal(run("all"), `${old.replace(mail, link)}\n`);
  assert.deepEqual([old, fresh, isMail].map(existsSync), [false, true, true]);
});

test("indexes of one account are removed from all its folders, but neither lists, keywords nor mails", () => {
  const mail = temporaryDirectory();
  const indexes = filled(mail, "anna", "dovecot.index", "dovecot.index.cache", ".A b/dovecot.index.log.2");
  const kept = ["dovecot-uidlist", "dovecot-keywords", "subscriptions", "cur/dovecot.index", ".A b/cur/1"];
  const others = [...filled(mail, "anna", ...kept), ...filled(mail, "bert", "dovecot.index")];
  find(removesIndexes({ mail }, ANNA));
  assert.deepEqual(indexes.filter(existsSync), []);
  assert.deepEqual(others.filter(existsSync), others);
});

test("unfinished mails of a process that has ended are removed, and no other's", async () => {
  const mail = temporaryDirectory();
  const name = "1795673453.M341300P17701.host";
  const left = filled(mail, "anna", `tmp/${name}`, `.A b/tmp/${name}`);
  const others = filled(mail, "anna", `new/${name}`, `.A b/cur/${name}`, "tmp/1.M3P701.host", "tmp/1.Q17701.host");
  const names = Readable.from([`${name}\0${name}\0`, "1.Q17701.host\0", "1.M3P7", "01.host\0"]);
  assert.deepEqual([...(await storingProcesses(names))], [17701, 701]);
  find(removesUnfinished({ mail }, ANNA, 17701));
  assert.deepEqual([...left, ...others].filter(existsSync), others);
});

test("folders and unfinished mails are counted by account, whatever their names", async () => {
  const line = (type: string, blocks: number, path: string) => `${type}\t${blocks}\t${path}\0`;
  const printed =
    line("d", 8, "example.org/anna/Maildir/.A\n.B") +
    line("d", 8, "example.org/anna/Maildir/.Sent") +
    line("f", 9, "example.org/anna/Maildir/.Sent/tmp/1") +
    line("f", 2, "example.org/anna/Maildir/tmp/2") +
    line("f", 2, "example.org/bert/Maildir/tmp/3") +
    line("f", 3, "example.org/bert/Maildir/dovecot.index.cache") +
    line("f", 4, "example.org/bert/Maildir/.A/dovecot.index.log.2") +
    line("f", 5, "example.org/bert/Maildir/dovecot-uidlist") +
    line("d", 2, "lost+found/x/y/.z");
  const counted = await parseUncounted(Readable.from(printed.match(/.{1,7}/gs) ?? []));
  assert.deepEqual(Object.fromEntries(counted), {
    "anna@example.org": { folders: 2, storingBytes: 11 * 512, indexBytes: 0, listBytes: 0 },
    "bert@example.org": { folders: 0, storingBytes: 2 * 512, indexBytes: 7 * 512, listBytes: 5 * 512 },
  });
});
