import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { makeMailQueue, queuedMails, SENDMAIL } from "../../../../../test/kit/mail-queue.ts";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import { ghostinboxProcess } from "../../../../../test/kit/test-guard.ts";
import { NOW, typed } from "../../../../../test/kit/typed-command.ts";
import type { Command, Reply } from "../../../../admin/declare/control.ts";
import type { QueueItem } from "../../../../admin/queue.ts";

const NONE = { ids: [], account: null, sender: null, recipient: null };
const REASON = "connect to mx.example.net[203.0.113.9]:25: Connection timed out";

function mail(reported: Partial<QueueItem> = {}): QueueItem {
  return {
    queueId: "72CED1EABE5",
    queue: "deferred",
    heldFor: null,
    at: new Date(NOW - 125 * 60_000).toISOString(),
    sizeBytes: 12_345,
    sender: "anna@example.org",
    recipientCount: 1,
    recipients: [{ address: "bob@example.net", reason: REASON }],
    nextTryAt: new Date(NOW + 12 * 60_000).toISOString(),
    ...reported,
  };
}

function lists(...mails: readonly QueueItem[]): () => Reply {
  return () => ({ ok: true, result: { items: mails, next: null, total: mails.length } });
}

test("each mail is listed with why and until when it waits, within 80 columns", async () => {
  const long =
    "host mx.example.net[203.0.113.9] said: 451 4.7.1 Greylisting in action, please come back in ten minutes";
  const recipients = [
    { address: "eve@example.net", reason: long },
    { address: "kim@example.net", reason: null },
  ];
  const tried = { recipients, recipientCount: 7, nextTryAt: new Date(NOW - 1).toISOString() };
  const bounce = mail({ ...tried, queueId: "82CED1EABE6", sender: "" });
  const reported = await typed("queue list", lists(mail(), bounce));
  assert.equal(
    reported.out,
    `2 mails in the queue, oldest first:

72CED1EABE5  deferred, next try in 12 min
  12 KB, 2 h 5 min old, from anna@example.org
  to bob@example.net
    connect to mx.example.net[203.0.113.9]:25: Connection timed out

82CED1EABE6  deferred, next try soon
  12 KB, 2 h 5 min old, from <> (a bounce or an automatic reply)
  to eve@example.net
    host mx.example.net[203.0.113.9] said: 451 4.7.1 Greylisting in action,
    please come back in ten minutes
  to kim@example.net
  and 5 more
`,
  );
  assert.match(reported.err, /^Next: \.\/ghostinbox queue flush /);
});

test("the holder of a mail is shown, and strangers' text is harmless", async () => {
  const hold = { queue: "hold", nextTryAt: null };
  const mails = [
    mail({ ...hold, heldFor: "anna@example.org", recipients: [{ address: "a\x1b[2J@example.net", reason: null }] }),
    mail({ ...hold, heldFor: "root" }),
    mail(hold),
    mail({ queue: "active", nextTryAt: null }),
    mail({ queue: "maildrop", nextTryAt: null }),
  ];
  const reported = await typed("queue list", lists(...mails));
  const states = [...reported.out.matchAll(/^72CED1EABE5 {2}(.*)$/gm)].map(([, state]) => state);
  assert.deepEqual(states, [
    "on hold by the guard, as mail of anna@example.org",
    "on hold by hand",
    "on hold",
    "being delivered",
    "arriving",
  ]);
  assert.ok(!reported.out.includes("\x1b"));
  assert.equal(reported.err, "Next: ./ghostinbox account held anna@example.org\n");
  assert.match((await typed("queue list", lists())).out, /^No such mail is in the queue\.$/m);
});

test("the words choose mails: ids, an account, a sender, a recipient, bounces, or all", async () => {
  const changed = (): Reply => ({ ok: true, result: { changed: 1, kept: [], next: null } });
  for (const [line, chosen] of [
    ["hold 72CED1EABE5 82CED1EABE6", { ids: ["72CED1EABE5", "82CED1EABE6"], isAll: false }],
    ["release --account anna@example.org", { account: "anna@example.org", isAll: false }],
    ["hold --sender <>", { sender: "", isAll: false }],
    ["flush --recipient bob@example.net", { recipient: "bob@example.net", isAll: false }],
    ["flush", { isAll: true }],
    ["delete --all --yes", { isAll: true }],
    ["delete --sender <> --bounce --yes", { sender: "", isAll: false }],
  ] as const) {
    const { asked, code } = await typed(`queue ${line}`, (command) =>
      command.verb === "queue_list" ? lists(mail())() : changed(),
    );
    const verb = line.includes("--bounce") ? "queue_return" : `queue_${line.split(" ")[0]}`;
    const changes = asked.filter((command) => command.verb !== "queue_list");
    assert.deepEqual([code, changes], [0, [{ verb, ...NONE, cursor: null, ...chosen }]], line);
  }
});

const kept = [{ account: "anna@example.org", mails: 3 }];
const cursorIn = (command: Command): string | null => ("cursor" in command ? (command.cursor ?? null) : null);

test("a long queue is changed to its end, and mail that the guard keeps is reported", async () => {
  const reported = await typed("queue release --all", (command) => ({
    ok: true,
    result: { changed: cursorIn(command) === null ? 0 : 2, kept, next: cursorIn(command) === null ? "there" : null },
  }));
  assert.deepEqual(reported.asked.map(cursorIn), [null, "there"]);
  assert.equal(
    reported.out,
    `2 mails released; Postfix is delivering.
Held by the guard, so not changed: 6 mails of anna@example.org (\`./ghostinbox account held anna@example.org\`).
`,
  );
});

test("says that nothing was done if the guard keeps all mail, and reports the finished part after a failure", async () => {
  const stays = await typed("queue release --all", () => ({ ok: true, result: { changed: 0, kept, next: null } }));
  assert.equal(stays.code, 1);
  assert.match(stays.err, /^The guard holds this mail of anna@example\.org: nothing was done\./);
  const lost = await typed("queue release --all", (command) =>
    cursorIn(command) === null
      ? { ok: true, result: { changed: 5_000, kept, next: "there" } }
      : { ok: false, kind: "failed", message: "The queue could not be changed.", next: "" },
  );
  assert.equal(lost.code, 1);
  assert.match(lost.err, /^The queue could not be changed\. 5000 mails released; Postfix is delivering\./);
});

test("a deletion names the number, needs a yes or --yes, and leaves mail that arrived after the question", async () => {
  // The clock was set back after it arrived.
  const newestAt = new Date(NOW + 3_600_000).toISOString();
  const replies = (command: Command): Reply =>
    command.verb === "queue_list"
      ? { ok: true, result: { items: [mail()], next: null, total: 41, newestAt } }
      : { ok: true, result: { changed: 41, kept: [], next: null } };
  const no = await typed("queue delete --all", replies, "n");
  const question = "Permanently delete 41 mails from the queue? [y/N] ";
  assert.deepEqual([no.code, no.question, no.asked.map(({ verb }) => verb)], [1, question, ["queue_list"]]);
  const yes = await typed("queue delete --all", replies, "y");
  assert.deepEqual([yes.code, yes.out], [0, "41 mails deleted.\n"]);
  for (const asked of [yes.asked, (await typed("queue delete --all --yes", replies)).asked])
    assert.partialDeepStrictEqual(asked[1], { verb: "queue_delete", until: newestAt });
  const silent = await typed("queue delete --all", replies);
  assert.equal(silent.code, 2);
  assert.match(silent.err, /^There is no terminal to confirm on, so nothing was deleted\. Use --yes/);
  const unset = await typed("queue delete , --account anna@example.org --yes", lists());
  assert.deepEqual([unset.code, unset.asked], [2, []], "it does not delete all of the account");
  const none = await typed("queue delete 72CED1EABE5", lists(), "y");
  const err = "No such mail is in the queue. `./ghostinbox queue list` shows what is.\n";
  assert.partialDeepStrictEqual(none, { code: 1, err });
});

test("without a choice of mails only a flush is done", async () => {
  for (const verb of ["hold", "release", "delete"]) {
    const { code, err, asked } = await typed(`queue ${verb}`, lists(), "y");
    assert.deepEqual([code, asked], [2, []]);
    assert.match(err, new RegExp(`^queue ${verb} needs queue ids, --account, --sender, --recipient, or --all\\.`));
  }
});

test("sendmail puts the mail into our queue, with sendmail's own options and exit codes", SENDMAIL, async () => {
  const layout = temporaryLayout();
  makeMailQueue(layout);
  const argv = ["sendmail", "-i", "-f", "anna@example.org", "--", "bob@example.net"];
  const sent = await ghostinboxProcess(layout, argv, "Subject: x\n\n.\nnot the end\n");
  assert.equal(sent.code, 0, sent.err);
  const [mail = "", ...others] = queuedMails(layout);
  assert.deepEqual(others, []);
  for (const part of ["anna@example.org", "bob@example.net", "not the end"]) assert.ok(mail.includes(part), mail);
  const wrong = await ghostinboxProcess(layout, ["sendmail", "-bx"], "Subject: x\n\n");
  assert.deepEqual([wrong.code, wrong.err], [75, "sendmail: fatal: unsupported: -bx\n"]);
});

test("before the first start sendmail says so, with the exit code of sysexits.h", ROOT, async () => {
  const layout = temporaryLayout();
  const sent = await ghostinboxProcess(layout, ["sendmail", "-t"], "To: bob@example.net\n\n");
  assert.equal(sent.code, 78);
  const says =
    /^\.\/ghostinbox sendmail: there is no mail server in .* yet\. Start it: GHOSTINBOX_DATA=\S+ npm start\n$/;
  assert.match(sent.err, says);
  assert.ok(!existsSync(layout.postfixConf));
});
