// Invariant: A component counts as running only while it does its work: the keeper probes each, reports it after two failures, and restarts it while it hangs.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { PROBE_ADDRESS } from "../../src/core/net/ip.ts";
import { signal } from "../lab/commands.ts";
import { scoreByOneRule } from "../lab/content.ts";
import { lockDatabase } from "../lab/locker.ts";
import { ANNA, assertAccepted, sendMail, tryLogIn } from "../lab/mail.ts";
import { findMail } from "../lab/mailbox.ts";
import { thousandTests } from "../lab/thousand-tests.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const SENDER = "198.51.100.10";
const WAITS = "It waits in the queue";
/** Deadline for a notice to appear, and to end. */
const NOTICED_MS = 30_000;
/** Half a minute of failures, and the restart. */
const RESTARTED_MS = 75_000;

type Part = ReturnType<typeof part>;
const part = (process: RegExp, notice: string, says: RegExp) => ({ process, notice, says });

/** The test lets these continue after a while. */
const FOR_A_WHILE: readonly Part[] = [
  part(/^\d+ unbound /, "resolver_silent", /^The resolver gave no answer within 3 s, since /),
  part(/^\d+ \S*dovecot -F/, "dovecot_silent", /Dovecot's master process gave no answer/),
  part(/^\d+ spamass-milter /, "spam_filter_down", /spamass-milter gave no answer/),
  part(/^\d+ rspamd: /, "verifier_silent", /^Rspamd gave no answer/),
  part(/\/web\.js$/, "web_silent", /^The dashboard gave no answer/),
];
/** Nothing probes log writers. If they stay stopped for a while, the keeper lets them continue. */
const LOG_WRITERS: readonly Part[] = [
  part(/^\d+ svlogd /, "process_stopped", /svlogd \(pid \d+\).*Try: kill -CONT \d/),
  part(/^\d+ postlogd /, "process_stopped", /Try: kill -CONT \d/),
];
/** The queue manager picks up accepted mail. */
const QMGR = part(/^\d+ qmgr /, "postfix_silent", /Postfix's qmgr gave no answer/);
/** These hang until they are restarted. */
const FOR_GOOD: readonly Part[] = [
  QMGR,
  part(/^\d+ pickup /, "postfix_silent", /Postfix's pickup gave no answer/),
  part(/^\d+ tlsmgr /, "postfix_silent", /Postfix's tlsmgr gave no answer/),
  part(/^\d+ anvil /, "postfix_silent", /Postfix's anvil gave no answer/),
  part(/^\d+ \S*\/sbin\/master /, "postfix_silent", /Postfix's master process gave no answer/),
  part(/^\d+ cleanup /, "postfix_silent", /Postfix's cleanup gave no answer .* Try: sv restart .*\/postfix/),
  part(/fail2ban-server/, "fail2ban_silent", /^Fail2ban gave no answer/),
  part(/spam-head\.py/, "spam_filter_down", /spam-head gave no answer .* Try: sv restart .*\/spam-head/),
  part(/^\d+ dovecot\S*\/auth$/, "dovecot_silent", /Dovecot's auth process gave no answer/),
];

/** Waits for a notice to appear or to end, among others. */
const soon: typeof until = (what, isSo) => until(what, isSo, NOTICED_MS);

describe("parts that are frozen or killed", needsLab(), () => {
  const { lab, product } = withProduct(
    { GHOSTINBOX_SPAM__ENABLED: "true", GHOSTINBOX_FAIL2BAN__ENABLED: "true" },
    [ANNA],
    { prepare: scoreByOneRule },
  );
  const frozen = new Map<Part, readonly number[]>();

  async function freeze(part: Part): Promise<void> {
    const pids = await soon(`${part.process} runs`, () => {
      const found = product.pidsOf(part.process);
      return found.length > 0 && found;
    });
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    frozen.set(part, pids);
  }

  const openNotices = async (): Promise<ReadonlyMap<string, string>> =>
    new Map((await product.stats()).health.notices.map(({ code, detail }) => [code, detail]));
  const isOver = async ({ notice }: Part): Promise<boolean> => !(await openNotices()).has(notice);
  const isReplaced = ({ process }: Part, before: readonly number[]): boolean => {
    const now = product.pidsOf(process);
    return now.length > 0 && now.every((pid) => !before.includes(pid));
  };

  test("while all is well nothing is reported", async () => {
    await soon("every service has started", async () => {
      const { status, notices } = (await product.stats()).health;
      return status === "ok" && notices.length === 0;
    });
  });

  test("a program that keeps the database's write-ahead log from shrinking is named until it ends", async () => {
    const { engineDb } = product.layout;
    const reader = await lockDatabase(lab.server, engineDb, "BEGIN");
    try {
      // Writes as much as many days would. While the reader reads, nothing leaves the log.
      const grow =
        "CREATE TABLE lab_grown (what BLOB); INSERT INTO lab_grown VALUES (zeroblob(70000000)); DROP TABLE lab_grown;";
      await lab.server.mustExec(["sqlite3", "-cmd", ".timeout 10000", engineDb, grow]);
      const detail = await soon("it is named", async () => (await openNotices()).get("database_reader"));
      assert.match(detail, /^pid \d+: sqlite3 .*engine\.db$/);
      assert.equal((await sendMail({ host: lab.sender, from: SENDER })).code, 250);
    } finally {
      await reader.release();
    }
    await soon("it is over", async () => (await openNotices()).size === 0);
  });

  test("each frozen part is reported, with the next step, until it continues", async () => {
    await freeze(QMGR);
    assertAccepted(await sendMail({ host: lab.sender, from: SENDER, subject: WAITS }));
    const all = [...FOR_A_WHILE, ...LOG_WRITERS, ...FOR_GOOD];
    for (const part of all) if (part !== QMGR) await freeze(part);
    try {
      // A part that was reported early may be restarted before the last is reported.
      const seen = new Set<Part>();
      await soon("each has a notice", async () => {
        const now = await openNotices();
        for (const part of all) if (part.says.test(now.get(part.notice) ?? "")) seen.add(part);
        return seen.size === all.length;
      });
    } finally {
      for (const part of FOR_A_WHILE) for (const pid of frozen.get(part) ?? []) signal(pid, "SIGCONT");
    }
    // Notices shared with parts that still hang, such as Dovecot's auth process and spam-head, are not over yet.
    for (const part of FOR_A_WHILE.filter(({ notice }) => FOR_GOOD.every((other) => other.notice !== notice)))
      await soon(`${part.notice} is over`, () => isOver(part));
  });

  test("stopped log writers are made to continue", async () => {
    await soon("none of them stands", () => LOG_WRITERS.every((part) => (frozen.get(part) ?? []).every(isGoing)));
  });

  test("a part that keeps hanging is restarted, its leftovers are ended, and it works again", async () => {
    for (const part of FOR_GOOD) {
      const before = frozen.get(part) ?? [];
      await until(`${part.notice}: it is restarted`, () => isReplaced(part, before), RESTARTED_MS);
      await soon(`${part.notice} is over`, () => isOver(part));
    }
    assertAccepted(await sendMail({ host: lab.sender, from: SENDER }));
    assert.match(await tryLogIn(lab.sender, SENDER, ANNA), /^OK/);
    await soon("the mail accepted in between arrives", () => findMail(product.layout, WAITS) !== null);
    await soon("no notice is left", async () => (await openNotices()).size === 0);
  });

  test("the probes make no events; the logs of Postfix and Dovecot name them", async () => {
    const marks = [`connect from probe.localhost[${PROBE_ADDRESS}]`, `rip=${PROBE_ADDRESS}`];
    const log = (): string => readFileSync(product.layout.mailLog, "utf8");
    await until("both ports are asked", () => marks.every((mark) => log().includes(mark)), 45_000);
    assert.deepEqual(await product.events(PROBE_ADDRESS), []);
    assert.deepEqual(await product.events("127.0.0.1"), []);
  });

  describe("a thousand numbered mails while components are killed", () => {
    // Fail2ban would only read the logs of all these mails.
    before(() => product.sv("down", "fail2ban"));
    thousandTests({ lab, product });
  });
});

/** Whether the process runs or is gone, but is not stopped. */
function isGoing(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) T /.test(readFileSync(stat, "utf8"));
}
