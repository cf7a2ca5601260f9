import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, globSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { dataToBackUp } from "../../../test/kit/data-to-back-up.ts";
import { contentOf, put } from "../../../test/kit/files.ts";
import { mounted, tmpfs } from "../../../test/kit/mounts.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { done, reasonOf } from "../../../test/kit/reason-of.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { prepareDirectory } from "./repository.ts";
import { createStage } from "./stage.ts";

/** A user id that no user of the machine has: its programs write mail here. */
const MAILS_USER = 54_321;

/** A data directory with one mail, and separate mounts for `mail` and `log`. Removed after `work`. */
async function onMounts(
  mount: (at: string) => Disposable,
  work: (data: ReturnType<typeof dataToBackUp>) => Promise<void>,
): Promise<void> {
  const data = dataToBackUp();
  const { layout, maildir } = data;
  makeCheapRepository(layout);
  using mounts = new DisposableStack();
  for (const path of [layout.mail, layout.log]) mounts.use(mount(path));
  put(join(maildir("anna"), "cur", "1:2,S"), "a mail");
  put(join(layout.log, "mail", "mail.log"), "a line\n");
  symlinkSync("mail.log", join(layout.log, "mail", "link"));
  chownSync(layout.mail, MAILS_USER, MAILS_USER);
  await work(data);
}

const disk = (at: string) => tmpfs(at, "mode=700");

describe("mail on a separate mount", { skip: lacking({ root: true, installed: ["restic", "setpriv"] }) }, () => {
  for (const [what, mount] of [
    ["a disk", disk],
    ["a directory of the same disk", (at: string) => mounted(at, "--bind", temporaryDirectory())],
  ] as const)
    test(`is backed up and restored as one tree, and leaves no files on it: ${what}`, () =>
      onMounts(mount, async ({ top, layout, backUp, restoreTo }) => {
        put(join(layout.backupMailStage, "tree", "left"), "by a backup that was killed");
        assert.equal(done(await backUp()).backup.mails, 1);
        assert.deepEqual(readdirSync(layout.mail), ["example.test"]);
        const elsewhere = layoutOf(join(top, "elsewhere"));
        done(await restoreTo(elsewhere));
        assert.equal(contentOf(join(elsewhere.mail, "example.test/anna/Maildir/cur/1:2,S")), "a mail");
        assert.equal(contentOf(join(elsewhere.log, "mail", "mail.log")), "a line\n");
        assert.equal(readlinkSync(join(elsewhere.log, "mail", "link")), "mail.log");
        assert.deepEqual(globSync("**/{.backup-stage,left,.probe}", { cwd: elsewhere.data }), []);
      }));

  test("mails get hard links there, which their user can neither read nor exchange", () =>
    onMounts(disk, async ({ layout, maildir }) => {
      prepareDirectory(layout);
      const stage = createStage(layout, []);
      const { mails } = await stage.build({ at: 1, host: "h" });
      const mail = join(maildir("anna"), "cur", "1:2,S");
      const second = join(layout.backupMailStage, "tree", "mail", "example.test/anna/Maildir/cur/1:2,S");
      assert.deepEqual([mails, statSync(second).ino], [1, statSync(mail).ino]);
      const { uid, mode } = statSync(layout.backupMailStage);
      assert.deepEqual([uid, mode & 0o777], [0, 0o700]);
      const asUser = (...argv: readonly string[]) =>
        spawnSync("setpriv", [`--reuid=${MAILS_USER}`, `--regid=${MAILS_USER}`, "--clear-groups", ...argv], {
          cwd: layout.mail,
        }).status;
      assert.notEqual(asUser("ls", ".backup-stage"), 0);
      assert.notEqual(asUser("rm", "-rf", ".backup-stage"), 0);
      // It may remove the name: root's copy stays the same.
      assert.equal(asUser("mv", ".backup-stage", "moved"), 0);
      assert.equal(asUser("mkdir", ".backup-stage"), 0);
      assert.ok(readdirSync(stage.path()).includes("backup.json"));
      assert.throws(() => stage.remove(), /\.backup-stage belongs to uid 54321, and not to a backup/);
      rmSync(layout.backupMailStage, { recursive: true });
      renameSync(join(layout.mail, "moved"), layout.backupMailStage);
      stage.remove();
      assert.deepEqual(readdirSync(layout.mail), ["example.test"]);
    }));

  test("a mount within it is reported in one sentence, and no files are left", () =>
    onMounts(disk, async ({ layout, maildir, backUp }) => {
      using bert = disk(maildir("bert"));
      put(join(bert.path, "cur", "2:2,"), "another");
      assert.match(reasonOf(await backUp()), /bert\/Maildir\/cur is on another mount than .*: keep both on one\.$/);
      assert.deepEqual(readdirSync(layout.mail), ["example.test"]);
    }));
});
