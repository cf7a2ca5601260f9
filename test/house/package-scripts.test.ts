import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { runProgram } from "../../src/host/machine/run-program.ts";
import { USERS } from "../../src/settings/layout.ts";
import { lacking } from "../kit/needs.ts";
import { OVER_ETC, OWN_ETC, OwnEtc } from "../kit/own-etc.ts";

const OF_DEBIAN = ["systemctl", "userdel", "groupdel", "/usr/share/debconf/confmodule"];
const OF_PACKAGES = ["postfix", "dovecot", "spamass-milter", "debian-spamd"];
const SKIP = { skip: OWN_ETC.skip || lacking({ installed: OF_DEBIAN }) };
/** A machine whose PID 1 is not systemd. `before` prepares it, and `after` inspects it. It sees no other test's processes. */
const MOUNTED = `
  ${OVER_ETC}
  for directory in /var/lib /var/cache /var/log /run; do mount -t tmpfs none "$directory"; done
  eval "$2"
  sh "$3" $4
  echo
  eval "$5"`;
/** What debconf-devel(7) answers to INPUT, GO, GET and PURGE. */
const YES = "0\n0\n0 true\n0\n";

type Step = Readonly<{ etc: OwnEtc; script: string; argument: string; before: string; after: string }>;

/** Returns the output of `after`, and that of the script. */
async function run({ etc, script, argument, before, after }: Step): Promise<readonly [string, string]> {
  const file = resolve("scripts/debian", script);
  const shell = ["sh", "-ec", MOUNTED, "sh", etc.path, before, file, argument, after];
  const argv = ["--mount", "--pid", "--fork", "--mount-proc", ...shell];
  const { code, stdout, stderr } = await runProgram("unshare", argv, { env: { DEBIAN_HAS_FRONTEND: "1" }, input: YES });
  assert.equal(code, 0, stderr);
  return [stdout.slice(stdout.lastIndexOf("\n\n") + 2), stderr];
}

describe("what dpkg runs as root", SKIP, () => {
  const purge = async (before: string) => {
    const etc = new OwnEtc();
    const groups = Object.values(USERS);
    etc.remove("ghostinbox");
    for (const [at, name] of OF_PACKAGES.entries()) etc.add(name, 61_000 + at);
    assert.equal(await etc.call(["src/mail/configuration/directories.ts", "addUsers"]), null);
    const after = "find /var/lib ! -type d -printf '%u %p\\n'";
    const data = "mkdir -p /var/lib/ghostinbox/mail /var/lib/ghostinbox/log; touch /var/lib/ghostinbox/settings";
    const [left, says] = await run({ etc, script: "postrm", argument: "purge", before: `${data}; ${before}`, after });
    return { left, says, groups: groups.filter((name) => etc.fields("group", name).length > 0) };
  };

  test("a purge deletes the data, then users and groups", async () => {
    const { left, groups } = await purge("touch /var/lib/ghostinbox/mail/1");
    assert.deepEqual([left, groups], ["", []]);
  });

  test("data elsewhere, behind a link, is deleted too; former data is given to root", async () => {
    const moved = "mv /var/lib/ghostinbox /var/lib/disk; ln -s disk /var/lib/ghostinbox; touch /var/lib/disk/mail/1";
    const former = "/var/lib/ghostinbox.before-20261120T070501Z";
    const { left, says, groups } = await purge(
      `${moved}; mkdir ${former}; touch ${former}/1; chown -R ghostinbox: ${former}`,
    );
    assert.deepEqual([left, groups], [`root ${former}/1\n`, []]);
    assert.match(says, new RegExp(`is still in ${former}\\.\n`));
  });

  test("a separate disk for mail is left alone and named, and the owners of its files stay", async () => {
    const mount = "mount -t tmpfs none /var/lib/ghostinbox/mail; mount -t tmpfs none /var/lib/ghostinbox/log";
    const { left, says, groups } = await purge(`${mount}; touch /var/lib/ghostinbox/mail/1`);
    assert.equal(left, "root /var/lib/ghostinbox/mail/1\n");
    assert.match(says, /users and groups stay\. Files are left in: \/var\/lib\/ghostinbox\/mail\n/);
    assert.deepEqual(groups, Object.values(USERS));
  });

  test("an empty disk does not keep any user", async () => {
    const { left, says, groups } = await purge("mount -t tmpfs none /var/lib/ghostinbox/mail");
    assert.deepEqual([left, groups], ["", []]);
    assert.doesNotMatch(says, /Files are left/);
  });

  test("without systemd, the servers that came with the package are still switched off", async () => {
    const units = "/etc/systemd/system";
    const enable = (name: string): string =>
      `printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' >${units}/${name}.service
       mkdir -p ${units}/multi-user.target.wants
       ln -sf ${units}/${name}.service ${units}/multi-user.target.wants/${name}.service`;
    const before = `${enable("postfix")}; ${enable("fail2ban")}; echo fail2ban >/run/ghostinbox-found-here`;
    const after = `cd ${units}/multi-user.target.wants; for name in postfix fail2ban; do
      if [ -L $name.service ]; then echo $name; fi; done; ls /run`;
    const [left] = await run({ etc: new OwnEtc(), script: "postinst", argument: "configure", before, after });
    assert.equal(left, "fail2ban\n", "the administrator's own stays");
  });

  test("an upgrade restarts a running server only if the new version would start", async () => {
    const upgraded = async (code: number) => {
      const program = (name: string, text: string): string =>
        `printf '#!/bin/sh\n${text}\n' >/run/bin/${name}; chmod 755 /run/bin/${name}`;
      const programs = [
        program("systemctl", 'echo "$@" >>/run/asked'),
        program("ghostinbox", `echo "says $*"; exit ${code}`),
      ];
      const before = `mkdir -p /run/systemd/system /run/bin; PATH=/run/bin:$PATH; ${programs.join("; ")}`;
      const after = "cat /run/asked";
      return run({ etc: new OwnEtc(), script: "postinst", argument: "configure 0.1.0-1", before, after });
    };
    const restart = /^restart ghostinbox\.service$/m;
    const [asked, quiet] = await upgraded(0);
    assert.match(asked, restart);
    assert.equal(quiet, "");
    const [refused, says] = await upgraded(1);
    assert.match(refused, /^is-active --quiet ghostinbox\.service$/m);
    assert.doesNotMatch(refused, restart);
    assert.match(
      says,
      /^says upgrade --check --data \/var\/lib\/ghostinbox\nGhostInbox was not restarted: the old version still runs\..* systemctl restart ghostinbox$/m,
    );
  });
});
