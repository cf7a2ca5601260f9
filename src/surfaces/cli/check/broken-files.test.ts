import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { type Broken, findEach, scratch, warning, wrong } from "../../../../test/kit/broken-check.ts";
import { CHECKED_AT, type CheckedParts, printing } from "../../../../test/kit/checked-server.ts";
import type { OfFiles } from "../../../../test/kit/checks-in-product.ts";
import { doneBackup, doneDrill } from "../../../../test/kit/data-to-back-up.ts";
import { noteProcess } from "../../../../test/kit/supervised-process.ts";
import { DAY_MS } from "../../../core/time.ts";
import { endDrill } from "../../../jobs/backup/records.ts";
import { layoutOf } from "../../../settings/layout.ts";
import { openAccounts, openEngine } from "../../../store/open.ts";
import type { Machine } from "./check.ts";

/** Broken inputs for each check of files and programs. */
const BROKEN: Readonly<Record<OfFiles, Broken>> = {
  "permissions.programs": wrong(/program\/guard\.js/, () => {
    const { data, program } = layoutOf(scratch());
    mkdirSync(program, { recursive: true });
    writeFileSync(join(program, "guard.js"), "");
    chmodSync(join(program, "guard.js"), 0o666);
    return { data };
  }),
  "permissions.named-files": warning(/^(?=.*webhook-secret)(?=.*mail-key)(?=.*syslog-key)(?!.*open-to-all)/, () => {
    const place = scratch();
    const readable = (name: string): string => {
      writeFileSync(join(place, name), "x", { mode: 0o644 });
      return join(place, name);
    };
    return {
      settings: {
        "alerts.webhook_secret_file": readable("webhook-secret"),
        "mailboxes.encryption_key": readable("mail-key"),
        "export.syslog.key": readable("syslog-key"),
        "export.syslog.cert": readable("open-to-all"),
      },
    };
  }),

  "database.engine": wrong(/engine\.db: .*(?:damage|malformed)/, () => damaged("engineDb")),
  "database.accounts": wrong(/accounts\.db: .*(?:damage|malformed)/, () => damaged("accountsDb")),
  "database.set-aside": warning(/engine\.db\.missing-2/, () => {
    const { data, engineDb } = layoutOf(scratch());
    mkdirSync(dirname(engineDb), { recursive: true });
    writeFileSync(`${engineDb}.missing-2`, "");
    return { data };
  }),

  "backups.age": wrong(/4 d .*old/, () => backedUp(4 * DAY_MS)),
  "backups.key": wrong(/key was never displayed/, () => backedUp(0, false)),
  "backups.drill": wrong(/drill failed: 2 mails are missing/, () => {
    const parts = backedUp(0);
    const layout = layoutOf(parts.data ?? "");
    endDrill(layout, doneDrill(CHECKED_AT, "2 mails are missing"));
    return parts;
  }),
  "backups.elsewhere": warning(/same disk as the mail/, () => backedUp(0)),

  "clock.files": wrong(/mail\.log was written .* in the future: the clock was set back/, () => {
    const { data, mailLog } = layoutOf(scratch());
    mkdirSync(dirname(mailLog), { recursive: true });
    writeFileSync(mailLog, "");
    utimesSync(mailLog, CHECKED_AT / 1_000, CHECKED_AT / 1_000 + 3_600);
    return { data };
  }),
  "clock.synchronized": warning(/No time server/, () => ({ machine: printing("no\n") })),

  "updates.automatic": warning(/does not install security updates automatically/, () => ({
    machine: printing('APT::Periodic::Unattended-Upgrade "0";\n'),
  })),
  "updates.running": warning(/sleeper \(\d+\): .*\/sleeper/, replacedProgram),
  "updates.waiting": wrong(/1 security update not installed yet: linux-image-41/, () => {
    const lists = scratch();
    writeFileSync(join(lists, "deb.debian.org_Packages"), "");
    const line = "Inst linux-image-41 (6.1.158 Debian-Security:12/oldstable-security [amd64])\n";
    // apt holds a new kernel back unless it may install new packages.
    const run: Machine["run"] = (program, args) =>
      printing(args.includes("--with-new-pkgs") ? line : "").run(program, args);
    return { machine: { run, packageLists: lists } };
  }),
};

findEach(BROKEN);

function damaged(which: "engineDb" | "accountsDb"): CheckedParts {
  const layout = layoutOf(scratch());
  const path = layout[which];
  mkdirSync(dirname(path), { recursive: true });
  const db = which === "engineDb" ? openEngine(path) : openAccounts(path);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  const bytes = readFileSync(path);
  // After the schema, so that the first page still opens.
  bytes.fill(0xff, 8_192, 8_192 + 64);
  writeFileSync(path, bytes);
  return { data: layout.data };
}

function backedUp(ageMs: number, isKeySeen = true): CheckedParts {
  const { data, backupRecord, backupRepository } = layoutOf(scratch());
  mkdirSync(backupRepository, { recursive: true });
  const last = doneBackup(CHECKED_AT - ageMs);
  writeFileSync(backupRecord, JSON.stringify({ last, failure: null, oldKept: null, since: 1, isKeySeen }));
  return { data };
}

/** A service whose program file was removed while it runs, as an update does. */
async function replacedProgram(): Promise<CheckedParts> {
  const { data, services } = layoutOf(scratch());
  const program = join(data, "sleeper");
  copyFileSync("/usr/bin/sleep", program);
  chmodSync(program, 0o755);
  const child: ChildProcess = spawn(program, ["60"], { stdio: "ignore" });
  after(() => child.kill("SIGKILL"));
  await new Promise((resolve) => child.once("spawn", resolve));
  rmSync(program);
  noteProcess(services, "postfix", child.pid);
  return { data };
}
