import assert from "node:assert/strict";
import { chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { changeBackupRecord } from "../backup/records.ts";
import { dataSentence, planUninstall, takeAll, whyKept } from "./uninstall.ts";

test("a disk that is mounted within the data directory is not deleted with it", ROOT, () => {
  const { data, settings } = temporaryLayout();
  put(settings, "");
  assert.equal(whyKept(data), null);
  using disk = tmpfs(join(data, "nas", "backups"));
  const says = `${disk.path} is a separate mount, which is not deleted: unmount it first`;
  assert.ok(whyKept(data)?.includes(says), whyKept(data) ?? "not kept");
});

test("data from before a restore stays and belongs to root, because a later user could get the ids", ROOT, async () => {
  const layout = layoutOf(join(temporaryDirectory(), "data"));
  const aside = `${layout.data}.before-20261120T080000Z`;
  const mail = join(aside, "mail", "1:2,S");
  put(mail);
  chownSync(mail, 54_321, 54_322);
  mkdirSync(`${layout.data}.before-other`);
  chownSync(`${layout.data}.before-other`, 54_321, 0);
  takeAll(layout.data, new Set([54_321]), new Set([54_322]));
  assert.deepEqual([statSync(mail).uid, statSync(mail).gid], [0, 0]);
  const plan = await planUninstall(layout, { purgeData: true, packages: false });
  assert.equal(plan.at(-1), `Leave the data from before a restore, with its mail, owned by root: ${aside}`);
});

test("names the backups and their key with the deleted data, more prominently while the owner has not seen the key", () => {
  const layout = temporaryLayout();
  const { data, backupKey, backupRepository } = layout;
  const says = (purgeData = true): string => dataSentence(layout, { purgeData });
  assert.equal(says(), `Delete ${data} with all mail, accounts and settings.`);
  const left = `Leave ${data} with all mail, accounts and settings, owned by root (--purge-data deletes it).`;
  assert.equal(says(false), left);

  put(backupKey, "key");
  const unseen =
    / with all mail, accounts, settings and the key of its backups\. THIS KEY HAS NEVER BEEN SHOWN: .* backup key$/;
  assert.match(says(), unseen);
  mkdirSync(backupRepository);
  assert.match(says(), / with all mail, accounts, settings, the backups in it and their key\. THIS KEY /);
  changeBackupRecord(layout, { isKeySeen: true });
  assert.match(says(), / with all mail, accounts, settings, the backups in it and their key\.$/);
  assert.match(says(false), /^Leave .* the backups in it and their key, owned by root/);
});
