import assert from "node:assert/strict";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { put } from "../../../../../test/kit/files.ts";
import { beforeEachOf } from "../../../../../test/kit/hooks.ts";
import { commandLineOf, ghostinbox, json, oneLineOfError, start, TIMED } from "../../../../../test/kit/test-guard.ts";

/** The time this many minutes ago, as postlogd(8) writes it. */
function stamp(minutesAgo: number): string {
  const at = new Date(Date.now() - minutesAgo * 60_000);
  const [, month = "", day = "", , time = ""] = at.toString().split(" ");
  return `${month} ${String(Number(day)).padStart(2)} ${time}`;
}

const { layout, run, does, fails } = commandLineOf(import.meta.filename);
beforeEachOf(import.meta.filename, () => {
  const lines = [
    `${stamp(200)} mail postfix/smtpd[1]: 72CED1EABE5: client=unknown[198.51.100.7]`,
    `${stamp(30)} mail postfix/smtpd[1]: connect from unknown[198.51.100.70]`,
    `${stamp(20)} imap-login: Info: Login: user=<anna@example.org>, method=PLAIN, rip=2001:db8::7, lip=x, \x1b[31mred`,
  ];
  put(`${layout.mailLog}.20261119-000000.gz`, gzipSync(`${lines[0]}\n`));
  writeFileSync(layout.mailLog, `${lines[1]}\n${lines[2]}\n`);
  const at = new Date(Date.now() - 10 * 60_000).toISOString().replace("T", "_").replace("Z", "00");
  put(join(layout.log, "guard", "current"), `${at} {"message":"The guard is ready."}\n`);
});

describe("logs", TIMED, () => {
  test("are searched by text, time, address, queue id, account and component, whether or not the server runs", async () => {
    for (const [words, found] of [
      ["", ["72CED1EABE5", "198.51.100.70", "anna", "is ready"]],
      ["--grep READY", ["is ready"]],
      ["--since 2h", ["198.51.100.70", "anna", "is ready"]],
      ["--ip 198.51.100.7", ["72CED1EABE5"]],
      ["--ip 2001:db8::/32", ["anna"]],
      ["--queue-id 72CED1EABE5", ["72CED1EABE5"]],
      ["--account anna@example.org --since 1h", ["anna"]],
      ["--component guard", ["is ready"]],
      ["--limit 1", ["is ready"]],
    ] as const) {
      const out = await does(`logs ${words}`.trim());
      const lines = out.trimEnd().split("\n");
      assert.equal(lines.length, found.length, `${words}: ${out}`);
      for (const [i, text] of found.entries()) assert.match(lines[i] ?? "", new RegExp(text), words);
      assert.ok(!out.includes("\x1b"), "text of strangers is made harmless");
    }
    const answer = json(await run("logs --grep red --json"));
    assert.match(JSON.stringify(answer), /^\{"items":\[\{"at":"[^"]+Z","component":"mail","line":"/);
    assert.match(await does("logs --grep nowhere"), /^No line matches\.$/m);
  });

  test("an invalid search is refused in one sentence", async () => {
    for (const [words, problem] of [
      [["--since", "2027-02-30"], '"2027-02-30" is not a time. Write 30m, 2h, 7d or 2026-11-20T08:00:00Z.\n'],
      [
        ["--since", "2026-11-20 08:00:00"],
        '"2026-11-20 08:00:00" is not a time. Write 30m, 2h, 7d or 2026-11-20T08:00:00Z.\n',
      ],
      [["--ip", "anna"], '"anna" is not an IP address or network. Write it like 203.0.113.7 or 2001:db8::/64.\n'],
      [["--queue-id", "a b"], '"a b" is not a queue id. It looks like 72CED1EABE5.\n'],
      [["--component", "x"], 'No component is called "x". There are guard, mail.\n'],
      [["--limit", "0"], '"0" is not a number of lines. Give 1 to 10000.\n'],
    ] as const) {
      assert.equal(oneLineOfError(await ghostinbox(layout, ["logs", ...words]), 2), problem);
    }
    assert.equal((await ghostinbox(layout, ["logs", "--since", "2026-11-20 08:00:00 UTC"])).code, 0);
    await fails(`logs --data ${join(layout.data, "none")}`, /^No logs exist below /);
  });

  test("are followed through a rotation, until Ctrl-C, each line once", async () => {
    const { child, ended, printed } = start(layout, "./ghostinbox", ["logs", "--follow", "--grep", "postfix"]);
    await printed("198.51.100.70");
    appendFileSync(layout.mailLog, `${stamp(0)} mail postfix/smtpd[1]: before\n`);
    renameSync(layout.mailLog, `${layout.mailLog}.20261120-000000`);
    writeFileSync(layout.mailLog, `${stamp(0)} mail postfix/smtpd[1]: after\n`);
    await printed("after");
    child.kill("SIGINT");
    const { code, out } = await ended;
    assert.equal(code, 0);
    for (const word of ["198.51.100.70", "before", "after"]) assert.equal(out.split(word).length, 2, word);
  });
});
