import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { changeBackupRecord } from "../backup/records.ts";
import { dataSentence } from "./uninstall.ts";

test("names the backups and their key with the deleted data, more prominently while the owner has not seen the key", () => {
  const layout = layoutOf(temporaryDirectory());
  const { data, backup, backupKey, backupRepository } = layout;
  const says = (purgeData = true): string => dataSentence(layout, { purgeData });
  assert.equal(says(), `Delete ${data} with all mail, accounts and settings.`);
  assert.equal(
    says(false),
    `Leave ${data} with all mail, accounts and settings, owned by root (--purge-data deletes it).`,
  );

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
