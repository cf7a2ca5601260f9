import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { makeCheapRepository } from "../../../test/kit/cheap-repository.ts";
import { dataToBackUp } from "../../../test/kit/data-to-back-up.ts";
import { lacking } from "../../../test/kit/needs.ts";
import type { Isolation } from "../../core/incident/isolation.ts";
import { layoutOf } from "../../settings/layout.ts";
import { keepIsolation, readIsolation } from "../incident/isolation.ts";
import { createBackup } from "./create.ts";
import { misplacedFiles, outsideText } from "./outside-files.ts";
import { readKey, repositoryOf } from "./repository.ts";
import { refusal, restoreServer } from "./restore.ts";

const ISOLATION: Isolation = { incident: "2026-11-20-x", since: "", allow: [], ssh: [22], shut: ["send"] };
const quiet = () => undefined;

describe("a restore", { skip: lacking({ root: true, installed: ["restic"] }) }, () => {
  const { top, layout, settings, maildir, put } = dataToBackUp();
  const restic = repositoryOf(layout, settings);
  const fetch = (to: string) => restic.restore("latest", { to, watch: quiet });
  before(async () => {
    put(join(maildir("anna"), "cur", "1:2,S"), "a mail");
    makeCheapRepository(layout);
    const made = await createBackup(layout, settings, { version: "1", tag: "by-hand", watch: quiet });
    assert.ok(made.ok, JSON.stringify(made));
  });

  test("files that the settings name elsewhere are in it, and come back beside, with a sentence that says where they belong", async () => {
    const certificate = join(top, "etc", "tls", "fullchain.pem");
    mkdirSync(dirname(certificate), { recursive: true });
    writeFileSync(certificate, "a certificate");
    const named = { ...settings, "tls.cert": certificate, "tls.key": join(top, "etc", "missing"), "spam.rules": top };
    assert.ok((await createBackup(layout, named, { version: "1", tag: "by-hand", watch: quiet })).ok);
    const elsewhere = layoutOf(join(top, "with-files"));
    assert.ok((await restoreServer(elsewhere, fetch, { key: null, replaces: false })).ok);
    const kept = join(elsewhere.backupOutside, certificate);
    assert.deepEqual([readFileSync(kept, "utf8"), statSync(kept).mode & 0o777], ["a certificate", 0o600]);
    assert.equal(outsideText(elsewhere), "", "it is still in its place");
    writeFileSync(certificate, "another one");
    assert.deepEqual(misplacedFiles(elsewhere), [certificate]);
    rmSync(certificate);
    assert.match(
      outsideText(elsewhere),
      /^ 1 file that the settings name lies outside of it, .*: \S+fullchain\.pem\. /,
    );
    execFileSync("bash", ["-c", /cp -rn .*$/.exec(outsideText(elsewhere))?.[0] ?? "exit 1"]);
    assert.equal(readFileSync(certificate, "utf8"), "a certificate");
  });

  test("nothing is restored where a part of the data directory is a mount of its own: what is told names it", () => {
    const target = layoutOf(join(top, "with-a-volume"));
    for (const path of [target.mail, target.run]) {
      mkdirSync(path, { recursive: true });
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", path]);
    }
    try {
      for (const replaces of [false, true])
        assert.match(refusal(target, replaces) ?? "", /with-a-volume\/mail is a mount of its own, .* unmount it/);
    } finally {
      execFileSync("umount", [target.mail]);
      rmSync(target.mail, { recursive: true });
    }
    try {
      assert.equal(refusal(target, false), null, "nothing of run is restored");
    } finally {
      execFileSync("umount", [target.run]);
    }
  });

  test("a directory behind a link, and one on a disk of its own, are restored within it; what was there moves aside", async () => {
    const disk = join(top, "mounted");
    mkdirSync(disk);
    mkdirSync(join(top, "behind"));
    symlinkSync(join(top, "behind"), join(top, "link"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "mode=755", "tmpfs", disk]);
    try {
      for (const target of [layoutOf(join(top, "link")), layoutOf(disk)]) {
        assert.ok((await restoreServer(target, fetch, { key: "k", replaces: false })).ok, target.data);
        writeFileSync(join(target.data, "later"), "");
        assert.match(refusal(target, false) ?? "", /is not empty, and nothing is overwritten/);
        keepIsolation(target, ISOLATION);
        mkdirSync(join(target.incidents, "2026-11-20-x"), { recursive: true });
        writeFileSync(join(target.incidents, "2026-11-20-x", "incident.json"), "{}");
        const again = await restoreServer(target, fetch, { key: "k", replaces: true });
        assert.ok(again.ok, JSON.stringify(again));
        assert.ok(existsSync(join(again.aside ?? "", "later")) && !existsSync(join(target.data, "later")));
        assert.equal(readKey(target), "k");
        assert.deepEqual(readIsolation(target), ISOLATION, "a restore lifts no isolation");
        assert.equal(readFileSync(join(target.incidents, "2026-11-20-x", "incident.json"), "utf8"), "{}");
        assert.equal(readFileSync(join(target.mail, "example.test/anna/Maildir/cur/1:2,S"), "utf8"), "a mail");
        assert.deepEqual(globSync("{.restoring,before-*}", { cwd: target.data }), [basename(again.aside ?? "")]);
      }
      assert.ok(existsSync(join(top, "behind", "mail")), "the link is still one");
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});
