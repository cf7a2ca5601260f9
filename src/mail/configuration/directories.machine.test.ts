import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import * as z from "zod/mini";
import { OWN_ETC, OwnEtc } from "../../../test/kit/own-etc.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { takeLock } from "../../host/running/data-directory.ts";
import { SERVICES } from "../../host/running/runit.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";

const OURS = ["ghostinbox", "ghostinbox-web", "ghostinbox-export", "ghostinbox-mail", "ghostinbox-fail2ban"];
const GROUPS = ["ghostinbox-accounts", "ghostinbox-data", "ghostinbox-logs"];
const OF_PACKAGES = ["postfix", "spamass-milter", "debian-spamd", "_rspamd", "postgrey", "postdrop"];
const STRANGER = 65_534;

/** A machine where the ids of our users start at `first`. */
function machine(first: number): OwnEtc {
  const etc = bare();
  for (const [i, name] of [...OURS, ...GROUPS].entries()) etc.add(name, first + i);
  return etc;
}

function fresh(): Layout {
  const data = temporaryDirectory();
  chmodSync(data, 0o755);
  return layoutOf(data);
}

/** With the real chown(2) and mkdir(2); the users' ids come from a copy of /etc. */
describe("the data directory", OWN_ETC, () => {
  const make = (etc: OwnEtc, layout: Layout): Promise<unknown> =>
    etc.call(["src/mail/configuration/directories.ts", "makeDirectories", layout]);
  /** A machine and the data directory that was made on it. */
  const made = async () => {
    const [etc, layout] = [machine(61_000), fresh()];
    await make(etc, layout);
    return { etc, layout };
  };

  test("the chroot of Postfix and the logs of the services are prepared", async () => {
    const { layout } = await made();
    assert.equal(readlinkSync(join(layout.postfixQueue, "etc")), "chroot-etc");
    assert.deepEqual(readFileSync(join(layout.postfixEtc, "localtime")), readFileSync("/etc/localtime"));
    assert.ok(lstatSync(join(layout.log, "mail", "fail2ban.log")).isSymbolicLink());
    for (const service of SERVICES)
      assert.equal(readFileSync(join(layout.log, service, "config"), "utf8"), "s1000000\nn5\ne*\n");
  });

  test("owners and modes are restored; the contents stay unchanged", async () => {
    const { etc, layout } = await made();
    chmodSync(layout.tls, 0o755);
    chmodSync(layout.mailLog, 0o644);
    chownSync(layout.secrets, STRANGER, STRANGER);
    writeFileSync(layout.mailLog, "a line\n");
    assert.deepEqual(await make(etc, layout), []);
    assert.equal(statSync(layout.tls).mode & 0o777, 0o700);
    assert.equal(statSync(layout.mailLog).mode & 0o777, 0o640);
    const groups = { secrets: "ghostinbox", "lib/dkim": "_rspamd", "lib/proof": "_rspamd" };
    for (const [path, group] of Object.entries(groups)) {
      const { mode, uid, gid } = statSync(join(layout.data, path));
      assert.deepEqual([mode & 0o7777, uid, gid], [0o750, 0, etc.numberOf("group", group)], path);
    }
    assert.equal(readFileSync(layout.mailLog, "utf8"), "a line\n");
  });

  test("on a machine where users have different ids, their files get the new ids, and a stranger's files do not", async () => {
    const { etc: here, layout } = await made();
    const there = machine(61_500);
    const box = join(layout.mail, "example.org", "anna");
    mkdirSync(box, { recursive: true });
    const owner = here.numberOf("passwd", "ghostinbox-mail");
    for (const path of [join(layout.mail, "example.org"), box]) chownSync(path, owner, owner);
    const owners = { mail: owner, odd: STRANGER };
    for (const [name, uid] of Object.entries(owners)) {
      writeFileSync(join(box, name), "");
      chownSync(join(box, name), uid, uid);
    }
    assert.deepEqual(await make(there, layout), [
      `1 file below ${layout.mail} still belongs to another user, such as ${join(box, "odd")}: see \`ls -li\`.`,
    ]);
    assert.equal(statSync(join(box, "mail")).uid, there.numberOf("passwd", "ghostinbox-mail"));
    assert.equal(statSync(join(box, "odd")).uid, STRANGER);
  });

  test("the exporter's position becomes its user's if it belonged to the web's", async () => {
    const { etc, layout } = await made();
    const { foreign: record } = layout.exportRecord;
    const web = etc.numberOf("passwd", "ghostinbox-web");
    writeFileSync(record, "{}");
    for (const path of [layout.exportData, record]) chownSync(path, web, statSync(layout.exportData).gid);
    assert.deepEqual(await make(etc, layout), []);
    const own = etc.numberOf("passwd", "ghostinbox-export");
    assert.deepEqual([statSync(layout.exportData).uid, statSync(record).uid], [own, own]);
  });

  test("mail in the queue becomes Postfix's if its user had another id", async () => {
    const { etc, layout } = await made();
    const queue = join(layout.postfixQueue, "deferred");
    mkdirSync(join(queue, "A"));
    writeFileSync(join(queue, "A", "A123"), "");
    mkdirSync(join(queue, ...Array.from({ length: 105 }, () => "B")), { recursive: true });
    execFileSync("chown", ["-R", "62100:62100", queue]);
    const paths = [queue, join(queue, "A"), join(queue, "A", "A123")];
    const [deep = "", ...others] = z.parse(z.array(z.string()), await make(etc, layout));
    assert.match(deep, /^1 file below \S+\/deferred still belongs to another user, such as \S+(\/B){101}: /);
    assert.deepEqual(others, []);
    for (const path of paths) assert.equal(statSync(path).uid, etc.numberOf("passwd", "postfix"), path);
  });

  describe("of a backup that was killed", () => {
    /** A mail with a hard link in both stages, and root's secret in the stage of the mails. */
    const leave = (layout: Layout, owner: number): string => {
      const mail = join(layout.mail, "mail");
      writeFileSync(mail, "");
      chownSync(mail, owner, owner);
      for (const stage of [layout.backupStage, layout.backupMailStage]) {
        mkdirSync(stage, { recursive: true, mode: 0o700 });
        linkSync(mail, join(stage, "mail"));
      }
      writeFileSync(join(layout.backupMailStage, "secret"), "");
      return mail;
    };

    test("no files are left, so the mails' user becomes the owner of the mails, but not of root's secrets", async () => {
      const { etc: here, layout } = await made();
      const there = machine(61_500);
      const mail = leave(layout, here.numberOf("passwd", "ghostinbox-mail"));
      assert.deepEqual(await make(there, layout), []);
      assert.equal(statSync(mail).uid, there.numberOf("passwd", "ghostinbox-mail"));
      for (const stage of [layout.backupStage, layout.backupMailStage]) assert.ok(!existsSync(stage), stage);
      // As in a copy made by root.
      leave(layout, 0);
      chownSync(layout.mail, 0, 0);
      assert.deepEqual(await make(there, layout), []);
      assert.ok(!existsSync(layout.backupMailStage));
    });

    test("while a second backup runs, its files stay", async () => {
      const { etc, layout } = await made();
      leave(layout, etc.numberOf("passwd", "ghostinbox-mail"));
      takeLock(layout.backupLock);
      assert.deepEqual(await make(etc, layout), []);
      for (const stage of [layout.backupStage, layout.backupMailStage]) assert.ok(existsSync(stage), stage);
    });

    test("files of the mails' user stay, and the start continues", async () => {
      const { etc, layout } = await made();
      const owner = etc.numberOf("passwd", "ghostinbox-mail");
      const kept = join(temporaryDirectory(), "kept");
      writeFileSync(kept, "");
      symlinkSync(dirname(kept), layout.backupMailStage);
      assert.deepEqual(await make(etc, layout), []);
      assert.ok(existsSync(kept));
      rmSync(layout.backupMailStage);
      mkdirSync(join(layout.backupMailStage, "own"), { recursive: true });
      chownSync(layout.backupMailStage, owner, owner);
      assert.deepEqual(await make(etc, layout), []);
      assert.ok(existsSync(join(layout.backupMailStage, "own")));
    });
  });
});

/** A machine with the installed components where GhostInbox never ran. */
function bare(): OwnEtc {
  const etc = new OwnEtc();
  etc.remove("ghostinbox");
  for (const [i, name] of ["dovecot", ...OF_PACKAGES].entries()) etc.add(name, 61_900 + i);
  return etc;
}

/** With the real useradd, groupadd, usermod and gpasswd, in a copy of /etc. */
describe("system users", OWN_ETC, () => {
  const add = (etc: OwnEtc): Promise<unknown> => etc.call(["src/mail/configuration/directories.ts", "addUsers"]);

  test("each of our users is added with its own group, and cannot sign in", async () => {
    const etc = bare();
    const before = readFileSync("/etc/passwd", "utf8");
    assert.equal(await add(etc), null);
    for (const name of OURS) {
      const [, , uid, gid, , home, shell] = etc.fields("passwd", name);
      assert.ok(Number(uid) < 1_000, "a system user");
      assert.deepEqual([home, shell], ["/nonexistent", "/usr/sbin/nologin"]);
      assert.equal(Number(gid), etc.numberOf("group", name));
      assert.deepEqual(etc.members(name), []);
    }
    assert.equal(readFileSync("/etc/passwd", "utf8"), before, "this machine's own");
  });

  test("the groups hold only the users that may read their files", async () => {
    const etc = bare();
    await add(etc);
    assert.deepEqual(etc.members("ghostinbox-accounts"), ["postfix", "dovecot"]);
    assert.deepEqual(etc.members("ghostinbox-data"), ["ghostinbox", "ghostinbox-web", "ghostinbox-export"]);
    assert.deepEqual(etc.members("ghostinbox-logs"), ["ghostinbox"]);
    assert.ok(!etc.members("spamass-milter").includes("ghostinbox"));
    assert.ok(!etc.members("debian-spamd").includes("ghostinbox"));
  });

  test("a second start changes nothing", async () => {
    const etc = bare();
    await add(etc);
    const files = () => ["passwd", "group"].map((file) => readFileSync(`${etc.path}/${file}`, "utf8"));
    const before = files();
    assert.equal(await add(etc), null);
    assert.deepEqual(files(), before);
  });

  test("a failing program stops the start with its output", async () => {
    const etc = bare();
    // As after a killed useradd whose process id is in use.
    etc.write("passwd.lock", [String(process.pid)]);
    assert.match(JSON.stringify(await add(etc)), /SetUpFailure: useradd .* ghostinbox failed: .*cannot lock/);
  });
});
