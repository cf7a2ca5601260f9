// Invariant: A component counts as running only while it does its work: the keeper probes each, reports it after two failures, and restarts it while it hangs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { PROBE_ADDRESS } from "../../src/core/net/ip.ts";
import { signal } from "../lab/commands.ts";
import { scoreByOneRule } from "../lab/content.ts";
import { ANNA, assertAccepted, sendMail, tryLogIn } from "../lab/mail.ts";
import { findMail } from "../lab/mailbox.ts";
import { whyNoLab } from "../lab/network.ts";
import { thousandTests } from "../lab/thousand-tests.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const SENDER = "198.51.100.10";
const WAITS = "It waits in the queue";
/** Deadline for a notice to appear, and to end. */
const NOTICED_MS = 30_000;
/** Half a minute of failures, and the restart. */
const RESTARTED_MS = 75_000;

type Part = Readonly<{ process: RegExp; notice: string; says: RegExp }>;

/** These continue after a while. */
const FOR_A_WHILE: readonly Part[] = [
  { process: /^\d+ unbound /, notice: "resolver_silent", says: /^The resolver gave no answer within 3 s, since / },
  { process: /^\d+ \S*dovecot -F/, notice: "dovecot_silent", says: /Dovecot's master process gave no answer/ },
  { process: /^\d+ spamass-milter /, notice: "spam_filter_down", says: /spamass-milter gave no answer/ },
  { process: /^\d+ rspamd: /, notice: "verifier_silent", says: /^Rspamd gave no answer/ },
  { process: /\/web\.js$/, notice: "web_silent", says: /^The dashboard gave no answer/ },
];
/** Nothing probes log writers: once they have been stopped for a while, the keeper continues them. */
const LOG_WRITERS: readonly Part[] = [
  { process: /^\d+ svlogd /, notice: "process_stopped", says: /svlogd \(pid \d+\).*Try: kill -CONT \d/ },
  { process: /^\d+ postlogd /, notice: "process_stopped", says: /Try: kill -CONT \d/ },
];
/** It picks up accepted mail. */
const QMGR: Part = { process: /^\d+ qmgr /, notice: "postfix_silent", says: /Postfix's qmgr gave no answer/ };
/** These hang until they are restarted. */
const FOR_GOOD: readonly Part[] = [
  QMGR,
  { process: /^\d+ pickup /, notice: "postfix_silent", says: /Postfix's pickup gave no answer/ },
  { process: /^\d+ tlsmgr /, notice: "postfix_silent", says: /Postfix's tlsmgr gave no answer/ },
  { process: /^\d+ anvil /, notice: "postfix_silent", says: /Postfix's anvil gave no answer/ },
  {
    process: /^\d+ \S*\/sbin\/master /,
    notice: "postfix_silent",
    says: /Postfix's master process gave no answer/,
  },
  {
    process: /^\d+ cleanup /,
    notice: "postfix_silent",
    says: /Postfix's cleanup gave no answer .* Try: sv restart .*\/postfix/,
  },
  { process: /fail2ban-server/, notice: "fail2ban_silent", says: /^Fail2ban gave no answer/ },
  {
    process: /spam-head\.py/,
    notice: "spam_filter_down",
    says: /spam-head gave no answer .* Try: sv restart .*\/spam-head/,
  },
  {
    process: /^\d+ dovecot\S*\/auth$/,
    notice: "dovecot_silent",
    says: /Dovecot's auth process gave no answer/,
  },
];

describe("parts that are frozen or killed", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct(
    { GHOSTINBOX_SPAM__ENABLED: "true", GHOSTINBOX_FAIL2BAN__ENABLED: "true" },
    [ANNA],
    { prepare: scoreByOneRule },
  );
  const frozen = new Map<Part, readonly number[]>();

  async function freeze(part: Part): Promise<void> {
    const pids = await until(
      `${part.process} runs`,
      () => {
        const found = product.pidsOf(part.process);
        return found.length === 0 ? false : found;
      },
      NOTICED_MS,
    );
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    frozen.set(part, pids);
  }

  async function openNotices(): Promise<ReadonlyMap<string, string>> {
    const { notices } = (await product.stats()).health;
    return new Map(notices.map(({ code, detail }) => [code, detail]));
  }
  const isOver = async ({ notice }: Part): Promise<boolean> => !(await openNotices()).has(notice);
  const isReplaced = ({ process }: Part, before: readonly number[]): boolean => {
    const now = product.pidsOf(process);
    return now.length > 0 && now.every((pid) => !before.includes(pid));
  };

  test("while all is well nothing is reported", async () => {
    await until(
      "every service has started",
      async () => {
        const { status, notices } = (await product.stats()).health;
        return status === "ok" && notices.length === 0;
      },
      NOTICED_MS,
    );
  });

  test("a program that holds the database's write-ahead log is named, until it ends", async () => {
    const { engineDb } = product.layout;
    const [program = "", ...argv] = lab.server.inside(["sqlite3", engineDb]);
    const reader = spawn(program, argv, { stdio: ["pipe", "pipe", "inherit"] });
    try {
      reader.stdin.write("BEGIN;\nSELECT count(*) FROM event;\n");
      await once(reader.stdout, "data");
      // As much as in many days: while the reader reads, nothing leaves the log.
      const grow =
        "CREATE TABLE lab_grown (what BLOB); INSERT INTO lab_grown VALUES (zeroblob(70000000)); DROP TABLE lab_grown;";
      await lab.server.mustExec(["sqlite3", "-cmd", ".timeout 10000", engineDb, grow]);
      const detail = await until("it is named", async () => (await openNotices()).get("database_reader"), NOTICED_MS);
      assert.match(detail, /^pid \d+: sqlite3 .*engine\.db$/);
      assert.equal((await sendMail({ host: lab.sender, from: SENDER })).code, 250);
    } finally {
      reader.stdin.end("COMMIT;\n.quit\n");
      await once(reader, "close");
    }
    await until("it is over", async () => (await openNotices()).size === 0, NOTICED_MS);
  });

  test("each is reported, with the next step, until it continues", async () => {
    await freeze(QMGR);
    assertAccepted(await sendMail({ host: lab.sender, from: SENDER, subject: WAITS }));
    const all = [...FOR_A_WHILE, ...LOG_WRITERS, ...FOR_GOOD];
    for (const part of all) if (part !== QMGR) await freeze(part);
    try {
      // A reported one may be restarted before the last one is.
      const seen = new Set<Part>();
      await until(
        "each has a notice",
        async () => {
          const now = await openNotices();
          for (const part of all) if (part.says.test(now.get(part.notice) ?? "")) seen.add(part);
          return seen.size === all.length;
        },
        NOTICED_MS,
      );
    } finally {
      for (const part of FOR_A_WHILE) for (const pid of frozen.get(part) ?? []) signal(pid, "SIGCONT");
    }
    // Some are not over: Dovecot's auth process and spam-head still hang.
    for (const part of FOR_A_WHILE.filter(({ notice }) => FOR_GOOD.every((other) => other.notice !== notice)))
      await until(`${part.notice} is over`, () => isOver(part), NOTICED_MS);
  });

  test("those that write logs are continued", async () => {
    await until(
      "none of them stands",
      () => LOG_WRITERS.every((part) => (frozen.get(part) ?? []).every(isGoing)),
      NOTICED_MS,
    );
  });

  test("one that keeps hanging is restarted, its leftovers are ended, and it works again", async () => {
    for (const part of FOR_GOOD) {
      const before = frozen.get(part) ?? [];
      await until(`${part.notice}: it is restarted`, () => isReplaced(part, before), RESTARTED_MS);
      await until(`${part.notice} is over`, () => isOver(part), NOTICED_MS);
    }
    assertAccepted(await sendMail({ host: lab.sender, from: SENDER }));
    assert.match(await tryLogIn(lab.sender, SENDER, ANNA), /^OK/);
    await until("the mail accepted in between arrives", () => findMail(product.layout, WAITS) !== null, NOTICED_MS);
    await until("no notice is left", async () => (await openNotices()).size === 0, NOTICED_MS);
  });

  test("the probes make no events; the logs of Postfix and Dovecot name them", async () => {
    const log = (): string => readFileSync(product.layout.mailLog, "utf8");
    await until(
      "both ports are asked",
      () => log().includes(`connect from probe.localhost[${PROBE_ADDRESS}]`) && log().includes(`rip=${PROBE_ADDRESS}`),
      45_000,
    );
    assert.deepEqual(await product.events(PROBE_ADDRESS), []);
    assert.deepEqual(await product.events("127.0.0.1"), []);
  });

  describe("a thousand numbered mails while components are killed", () => {
    // It would only read the logs of all these.
    before(() => product.sv("down", "fail2ban"));
    thousandTests({ lab, product });
  });
});

/** Running, or gone. */
function isGoing(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) T /.test(readFileSync(stat, "utf8"));
}
