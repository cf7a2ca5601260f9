import assert from "node:assert/strict";
import { existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { openAccounts, openEngine } from "../../store/open.ts";
import { createStage } from "./stage.ts";

test(
  "a backup contains the mail key's public half, legal holds, the script's edits, the export's position and files that an edit names, but neither the private key, UIDs nor what a restore set aside; it names variables",
  ROOT,
  async () => {
    const top = temporaryDirectory();
    const layout = layoutOf(join(top, "data"));
    const outside = join(top, "mail.pem");
    const token = join(top, "token.json");
    const exportRecord = layout.exportRecord.foreign;
    const { mailPublicKey, mailPrivateKey, legalHolds, engineDb, accountsDb, mail, log, backupStage } = layout;
    for (const path of [engineDb, accountsDb, backupStage]) mkdirSync(dirname(path), { recursive: true });
    for (const path of [mail, log, layout.postfixQueue]) mkdirSync(path, { recursive: true });
    for (const path of [mailPublicKey, mailPrivateKey, outside, token, legalHolds, exportRecord]) put(path, "{}");
    openEngine(engineDb).close();
    openAccounts(accountsDb).close();
    const toml = `domains = ["example.test"]\nmailboxes.encryption_key = "${outside}"\nalerts.ntfy_token_file = "${token}"\n`;
    put(layout.settings, toml);
    put(layout.adoptedScript, "{}");
    for (const name of ["dovecot-uidlist", "dovecot-uidvalidity", "dovecot-uidvalidity.6b0dc7cd", "dovecot-keywords"])
      put(join(mail, "example.test", "anna", "Maildir", name), "3 V1 N3\n");
    // As a restore sets aside what was on a mounted disk.
    const asides = [mail, log].map((mounted) => join(mounted, ".before-20261120T080000Z", "example.test", "a.json"));
    for (const aside of asides) put(aside, "{}");
    for (const name of ["DATA", "FIRST_DOMAIN", "SPAM__PROCESSES"])
      put(join(layout.environment, `GHOSTINBOX_${name}`), "3");
    const stage = createStage(layout, []);
    const { variables } = await stage.build({ at: 0, host: "mail.example.test" });
    assert.deepEqual(variables, ["GHOSTINBOX_SPAM__PROCESSES"]);
    const files = globSync(["**/*.{pem,json}", "lib/export/*", "mail/**/dovecot*"], { cwd: stage.path() }).toSorted();
    const expected = [
      "adopted-script.json",
      "backup.json",
      relative(layout.data, join(layout.backupOutside, token)),
      "lib/export/delivered",
      "lib/mail-crypt/public.pem",
      "lib/retention/legal-holds.json",
      "mail/example.test/anna/Maildir/dovecot-keywords",
    ];
    assert.deepEqual(files, expected);
    for (const aside of asides) assert.ok(!existsSync(join(stage.path(), relative(layout.data, aside))), aside);
    put(layout.settings, "# lost\n");
    put(layout.settingsInForce, toml);
    await stage.build({ at: 0, host: "mail.example.test" });
    assert.equal(readFileSync(join(stage.path(), "ghostinbox.toml"), "utf8"), toml);
    stage.remove();
    assert.ok(!existsSync(stage.path()));
  },
);
