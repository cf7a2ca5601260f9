import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { OWN_ETC, OwnEtc } from "../../../test/kit/own-etc.ts";

const OURS = ["ghostinbox", "ghostinbox-web", "ghostinbox-export", "ghostinbox-mail", "ghostinbox-fail2ban"];
const OF_PACKAGES = ["postfix", "dovecot", "spamass-milter", "debian-spamd"];

/** A machine with the installed components where GhostInbox never ran. */
function bare(): OwnEtc {
  const etc = new OwnEtc();
  etc.remove("ghostinbox");
  for (const [i, name] of OF_PACKAGES.entries()) etc.add(name, 61_000 + i);
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
    const files = ["passwd", "group"].map((file) => `${etc.path}/${file}`);
    const before = files.map((file) => readFileSync(file, "utf8"));
    assert.equal(await add(etc), null);
    assert.deepEqual(
      files.map((file) => readFileSync(file, "utf8")),
      before,
    );
  });

  test("a failing program stops the start with its output", async () => {
    const etc = bare();
    // As after a killed useradd whose process id is in use.
    etc.write("passwd.lock", [String(process.pid)]);
    assert.match(JSON.stringify(await add(etc)), /SetUpFailure: useradd .* ghostinbox failed: .*cannot lock/);
  });
});
