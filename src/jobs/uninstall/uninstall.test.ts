import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { changeBackupRecord } from "../backup/records.ts";
import { dataSentence, whyKept } from "./uninstall.ts";

test("a disk that is mounted within the data directory is not deleted with it", ROOT, () => {
  const { data, settings } = temporaryLayout();
  writeFileSync(settings, "");
  const disk = join(data, "nas", "backups");
  mkdirSync(disk, { recursive: true });
  assert.equal(whyKept(data), null);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", disk]);
  try {
    assert.match(whyKept(data) ?? "", /nas\/backups is a separate mount, which is not deleted: unmount it first/);
  } finally {
    execFileSync("umount", [disk]);
  }
});

test("names the backups and their key with the deleted data, more prominently while the owner has not seen the key", () => {
  const layout = temporaryLayout();
  const { data, backup, backupKey, backupRepository } = layout;
  const says = (purgeData = true): string => dataSentence(layout, { purgeData });
  assert.equal(says(), `Delete ${data} with all mail, accounts and settings.`);
  const left = `Leave ${data} with all mail, accounts and settings, owned by root (--purge-data deletes it).`;
  assert.equal(says(false), left);

  mkdirSync(backup);
  writeFileSync(backupKey, "key");
  assert.match(
    says(),
    / with all mail, accounts, settings and the key of its backups\. THIS KEY HAS NEVER BEEN SHOWN: .* backup key$/,
  );
  mkdirSync(backupRepository);
  assert.match(says(), / with all mail, accounts, settings, the backups in it and their key\. THIS KEY /);
  changeBackupRecord(layout, { isKeySeen: true });
  assert.match(says(), / with all mail, accounts, settings, the backups in it and their key\.$/);
  assert.match(says(false), /^Leave .* the backups in it and their key, owned by root/);
});
