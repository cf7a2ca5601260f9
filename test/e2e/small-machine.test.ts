import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { DAY_MS } from "../../src/core/time.ts";
import { changeBackupRecord, readBackupRecord } from "../../src/jobs/backup/records.ts";
import { memoryOfComponents, totalOf } from "../lab/component-memory.ts";
import { RECORDS, spamdAnswers } from "../lab/content.ts";
import { arriveAtOnce, FAMILY, LETS_IN, openDevices, spamArrives } from "../lab/family-mail.ts";
import { AS_SHIPPED } from "../lab/for-tests.ts";
import { openImapAs } from "../lab/mail.ts";
import { limitMemory, whyNoMemoryLimit } from "../lab/memory-limit.ts";
import { whyNoLab } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const MB = 1024 ** 2;
const MAILS = 20;
const LIMIT_MB = 512;
/** Deadline for a backup. The keeper checks once a minute whether one is due. */
const BACKUP_MS = 120_000;

test("files that a container has in memory count as free", { skip: whyNoMemoryLimit() ?? false }, (t) => {
  const limit = limitMemory(256, "files");
  t.after(() => limit.remove());
  // On a disk, unlike /tmp on many systems (file-hierarchy(7)).
  const file = join("/var/tmp", `ghostinbox-files-${process.pid}`);
  t.after(() => rmSync(file, { force: true }));
  const program = `
    for (let i = 0; i < 200; i++) require("node:fs").appendFileSync("${file}", Buffer.alloc(${MB}));
    import("${join(import.meta.dirname, "../../src/host/running/read-processes.ts")}")
      .then((it) => console.log(it.memoryHere(), it.freeMemoryHere()));`;
  const [first = "", ...within] = limit.within;
  const printed = execFileSync(first, [...within, process.execPath, "-e", program], { encoding: "utf8" });
  const [all = 0, free = 0] = printed.split(" ").map(Number);
  assert.equal(all, 256 * MB);
  assert.ok(free > all / 2, `${free}`);
});

describe("the small profile", { skip: whyNoLab() ?? whyNoMemoryLimit() ?? false }, () => {
  const limit = limitMemory(LIMIT_MB, "small");
  const settings = { ...AS_SHIPPED, ...LETS_IN, GHOSTINBOX_PROFILE: "small" };
  const { lab, product } = withProduct(settings, FAMILY, {
    isByNpm: true,
    records: () => RECORDS,
    within: limit.within,
    release: () => limit.remove(),
  });
  before(() => until("spamd answers", () => spamdAnswers(product)));

  test("the start and status say what it gives up", async () => {
    assert.match(product.output, /^Profile small \(docs\/small-machine\.md\)\. .*Fail2ban is off/m);
    const status = await product.cli(["status"]);
    assert.match(status.stdout, /^Profile small \(docs\/small-machine\.md\):\n( {2}.*\n)* {2}Fail2ban is off/m);
    assert.deepEqual(product.pidsOf(/fail2ban-server/), []);
  });

  test("spam is refused, and twenty mails at once arrive in 512 MB while eight mail programs wait", async () => {
    const devices = await openDevices(lab);
    const most = await mostNeededMb(async () => {
      assert.equal(await spamArrives(lab), 550);
      assert.deepEqual(new Set(await arriveAtOnce(lab, MAILS)), new Set([250]));
      for (const name of FAMILY)
        await until(`${name} reads the mail`, async () => (await read(name)) === MAILS / FAMILY.length);
    });
    const pss = totalOf(memoryOfComponents(product)).mb.toFixed(0);
    console.log(`the small profile needed ${most} of ${LIMIT_MB} MB at most; Pss after it ${pss} MB`);
    for (const device of devices) device.close();
    assert.equal(limit.kills(), 0, "no process was killed for lack of memory");
  });

  test("the night's backup is made right after them", async () => {
    const { layout } = product;
    const most = await mostNeededMb(async () => {
      // Backups are overdue since yesterday, so the nightly one starts at once.
      changeBackupRecord(layout, { since: Date.now() - DAY_MS });
      const made = () => [readBackupRecord(layout)].find(({ last, failure }) => last !== null || failure !== null);
      const { last, failure } = await until("the backup has ended", made, BACKUP_MS);
      assert.equal(failure, null);
      assert.ok((last?.mails ?? 0) >= MAILS);
    });
    console.log(`a backup after it needed ${most} of ${LIMIT_MB} MB at most`);
    assert.equal(limit.kills(), 0, "no process was killed for lack of memory");
  });

  async function mostNeededMb(work: () => Promise<void>): Promise<number> {
    let most = 0;
    const looking = setInterval(() => (most = Math.max(most, limit.neededMb())), 50);
    try {
      await work();
    } finally {
      clearInterval(looking);
    }
    return most;
  }

  /** How many of the mails that arrived are in a mailbox, read over IMAP. */
  async function read(name: string): Promise<number> {
    using imap = await openImapAs(lab.sender, "198.51.100.65", name);
    await imap.imap("SELECT INBOX");
    const fetched = await imap.imap("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
    return fetched.filter((line) => line.startsWith("Subject: Number ")).length;
  }
});
