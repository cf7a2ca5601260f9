import assert from "node:assert/strict";
import { chownSync, existsSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { mustRun } from "../lab/commands.ts";
import { signIn } from "../lab/login-attacks.ts";
import { loopDisk, whyNoLoopDisk } from "../lab/loop-disk.ts";
import { ANNA, sendMail, words } from "../lab/mail.ts";
import { mailText } from "../lab/mailbox.ts";
import { whyNoLab } from "../lab/network.ts";
import { ALERTS_ELSEWHERE, type Owner, ownerOf } from "../lab/owner.ts";
import { queueOf } from "../lab/submitted.ts";
import { duringTraffic, missingOf } from "../lab/traffic.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const BODY = `${"x".repeat(70)}\r\n`.repeat(2_800);
const LANES = 4;
/** More mails than fit. */
const TOO_MANY = 400;

describe("disks that run full or fail", { skip: whyNoLab() ?? whyNoLoopDisk() ?? false }, () => {
  const { lab, product } = withProduct({ ...ALERTS_ELSEWHERE, GHOSTINBOX_LIMITS__MAIL__MAX_SIZE: "256KB" }, [ANNA], {
    toml: "",
    prepare: () => disk.mount(),
  });
  const { layout } = product;
  const disk = loopDisk(layout.data, { sizeMb: 600, inodes: 8_192, mountOptions: "errors=remount-ro" });
  let owner: Owner;
  before(async () => {
    owner = await ownerOf(product, lab);
  });

  const send = async (subject: string, from: string, body?: string): Promise<string> => {
    const text = mailText({ subject, ...(body === undefined ? {} : { body }) });
    return words(await sendMail({ host: lab.sender, from, text }));
  };
  const allArrive = (subjects: readonly string[], mail: string = layout.mail): Promise<true> => {
    const isThere = (): boolean => missingOf({ ...layout, mail }, ANNA, subjects).length === 0;
    return until("all that was accepted is in the mailbox", isThere);
  };

  test("without inodes mail is deferred before its data, users sign in, bans hold, and the server recovers", async () => {
    disk.fillInodes();
    await owner.isAlertedTo({ disk_full: /inodes are left below .*; below 1000 mail is refused/ });
    // The disk is checked every five seconds, perhaps while it fills up. The notice comes below 2000 inodes.
    const isUsedUp = async (): Promise<boolean> => /^\d{1,3} /.test(await owner.detailOf("disk_full"));
    await until("fewer than 1000 inodes are seen", isUsedUp);
    assert.match(await send("No inode", "198.51.100.80"), /^452 4\.3\.1 .*Insufficient system storage/);
    assert.match((await signIn(lab.sender, { from: "198.51.100.81", name: ANNA })).answer, /^OK/);
    await product.json(["ban", "198.51.100.82", "--for", "1h"]);
    assert.match(await product.firewallBans(), /198\.51\.100\.82/);
    assert.equal(await owner.detailOf("database_unwritable"), "");
    // The alert by mail gets no inode either, and no command waits for it.
    await product.json(["queue", "list"]);
    disk.freeInodes();
    await owner.seesAllWell();
    assert.match(await send("An inode", "198.51.100.80"), /^250/);
    await allArrive(["An inode"]);
  });

  test("mail fills the mailboxes' disk until it must wait; once there is room, all accepted mail arrives", async () => {
    const { uid, gid, mode } = statSync(layout.mail);
    const rights = `uid=${uid},gid=${gid},mode=${(mode & 0o7777).toString(8)}`;
    // The server has a separate mount namespace.
    const [pid] = product.pidsOf(/keeper\.js/);
    const inServer = (argv: readonly string[]): Promise<string> =>
      mustRun(["nsenter", "-t", String(pid), "-m", ...argv]);
    await inServer(["mount", "-t", "tmpfs", "-o", `size=12m,${rights}`, "tmpfs", layout.mail]);
    const accepted: string[] = [];
    const lane = async (number: number): Promise<string> => {
      for (let i = 0; i < TOO_MANY / LANES; i++) {
        const subject = `Large ${number} ${i}`;
        const answer = await send(subject, `2001:db8:b5${number}0:${i.toString(16)}::1`, BODY);
        if (!answer.startsWith("250")) return answer;
        accepted.push(subject);
      }
      return "taken without an end";
    };
    const refusals = await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i)));
    for (const answer of refusals) assert.match(answer, /^452 4\.3\.1 .*Insufficient system storage/);
    await owner.isAlertedTo({ disk_full: /MB are left below .*mail; below 2 MB mail is refused/ });
    // The disk is checked every five seconds. Mail that is accepted in between and finds no room waits.
    console.log(`${accepted.length} were accepted, ${(await queueOf({ lab, product })).length} wait in the queue`);
    assert.equal(await owner.detailOf("database_unwritable"), "");
    await inServer(["mount", "-o", "remount,size=200m", layout.mail]);
    await owner.seesAllWell();
    await allArrive(accepted, `/proc/${pid}/root${layout.mail}`);
    assert.deepEqual(await queueOf({ lab, product }), []);
    await inServer(["umount", "-l", layout.mail]);
  });

  test("the kernel finds an error and stops writing to the disk: mail waits, there are notices, and nothing is lost", async () => {
    const traffic = await duringTraffic({ lab, account: ANNA, networks: "6" }, async (under) => {
      await disk.fail();
      await owner.isAlertedTo({
        disk_read_only: /\(\/dev\/loop\d+, ext4\), which is read-only\. Try: mount -o remount,rw /,
      });
      assert.match((await product.cli(["status"])).stdout, /is read-only: no mail is accepted.*mount -o remount,rw/s);
      await until("mail must wait", () => under.failures("mail").length > 0);
    });
    const failures = new Set(traffic.failures("mail"));
    console.log(`${traffic.accepted().length} were accepted; then: ${[...failures].join("; ")}`);
    for (const answer of failures) assert.doesNotMatch(answer, /^5/, "none is refused for good");
    await product.stop();
    await disk.repair();
    const inbox = join(layout.mail, "example.test", "anna", "Maildir");
    const { uid, gid } = statSync(inbox);
    const lock = join(inbox, "dovecot-uidlist.lock");
    // An empty lock file, as a full disk leaves it, for which Dovecot would wait two minutes.
    const leaveLock = (at: Date): void => {
      writeFileSync(lock, "");
      chownSync(lock, uid, gid);
      utimesSync(lock, at, at);
    };
    leaveLock(new Date(0));
    await product.start();
    assert.equal(existsSync(lock), false, "what a failing disk has left");
    leaveLock(new Date());
    await until("the keeper removes it from a running server too", () => !existsSync(lock));
    await owner.seesAllWell();
    await allArrive(traffic.accepted());
  });
});
