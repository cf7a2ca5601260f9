import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { argon2Sync, randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Broken, findEach, unknown, warning, wrong } from "../../../../test/kit/broken-check.ts";
import { CHECKED_AT, type CheckedParts, checkedServer, printing } from "../../../../test/kit/checked-server.ts";
import type { Alone, OfNetwork } from "../../../../test/kit/checks-in-product.ts";
import { doneBackup, doneDrill } from "../../../../test/kit/data-to-back-up.ts";
import { listenOnPort } from "../../../../test/kit/local-server.ts";
import { ip, WELL } from "../../../../test/kit/samples.ts";
import { noteProcess } from "../../../../test/kit/supervised-process.ts";
import { temporaryDirectory, temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { START } from "../../../../test/kit/test-database.ts";
import type { AccountItem, Health } from "../../../admin/declare/items.ts";
import type { ListedMail } from "../../../admin/declare/keeper.ts";
import { hostPrefix } from "../../../core/net/ip.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import { endDrill } from "../../../jobs/backup/records.ts";
import { layoutOf } from "../../../settings/layout.ts";
import { sqliteHeldMail, sqliteMailChanges } from "../../../store/engine-db/held-mail.ts";
import { openAccounts, openEngine } from "../../../store/open.ts";
import { passwords } from "./accounts.ts";
import { backups } from "./backups.ts";
import type { Machine } from "./check.ts";

const NOTICE = { code: "backup_failed", since: "", says: "It failed.", detail: "", next: "backup create" } as const;
const OTHERS_TABLE =
  "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n";

/** Broken inputs for each check; `broken-network.test.ts` has those of the network. */
const BROKEN: Readonly<Record<Exclude<Alone, OfNetwork>, Broken>> = {
  "passwords.dashboard": wrong(/well-known passwords opens the dashboard/, () => ({
    reader: { dashboardPassword: () => hashOf("changeme123") },
  })),
  "passwords.accounts": unknown(/1 imported account are known/, () => ({ reader: accounts({ origin: "imported" }) })),
  "passwords.guessable": wrong(/anna@example\.org/, () => ({
    reader: { ...accounts({ origin: "imported" }), password: () => hashOf("anna123") },
  })),
  "passwords.api": wrong(/answers without a password or token \(200\)/, async () => ({
    settings: { "ports.http": await listenOnPort(createServer((_, answer) => answer.end("{}"))) },
  })),
  "passwords.environment": warning(/ADMIN_PASSWORD is set/, () => ({ env: { ADMIN_PASSWORD: "x" } })),

  "firewall.table": wrong(/has no table/, () => ({ machine: printing("", 1) })),
  "firewall.open-ports": wrong(/strict is set but NOT IN FORCE/, () => ({
    settings: { "firewall.mode": "strict" },
    machine: { run: () => Promise.resolve({ code: 1, stdout: "", stderr: "Error: No such file or directory" }) },
  })),
  "firewall.inner-port": wrong(/any user can reach port 10025/, () => ({ machine: printing("") })),
  "firewall.other-tables": unknown(/ip filter/, () => ({ machine: printing(OTHERS_TABLE) })),

  "accounts.postmaster": wrong(/No account could read mail for postmaster/, () => ({
    reader: { ...accounts({ suspended: true }), roleReader: () => ({ address: "anna@example.org", reads: false }) },
  })),
  "accounts.unused": warning(/anna@example\.org \(never\)/, () => ({
    reader: accounts({ createdAt: new Date(CHECKED_AT - 91 * DAY_MS).toISOString() }),
  })),
  "accounts.held": warning(/^Mail of 151 accounts .*: anna@example\.org, gone0@example\.org/, () => {
    const db = openEngine(join(temporaryDirectory(), "engine.db"));
    after(() => db.close());
    const note = sqliteMailChanges(db);
    const evidence = { count: 34, limit: 20, windowMs: HOUR_MS, key: "limits.sending.strangers" } as const;
    const from = ip("203.0.113.66");
    note({ type: "HOLD_ACCOUNT", account: "anna@example.org", prefix: hostPrefix(from), ip: from, evidence }, START);
    for (const account of ["anna@example.org", ...Array.from({ length: 150 }, (_, i) => `gone${i}@example.org`)])
      note({ type: "HOLD_MAIL", queueId: account, account, ip: null, recipientCount: 1, recipients: [] }, START);
    return { reader: { heldMail: sqliteHeldMail(db) } };
  }),
  "accounts.keys": warning(/^Older mail is locked, .*: anna@example\.org\.$/, () => ({
    reader: { countKeys: () => ({ own: 1, without: [], ofFile: 0, closed: ["anna@example.org"] }) },
  })),

  "components.services": wrong(/postfix is down \(it ended\)/, () => ({
    health: health({ components: [{ name: "postfix", status: "down", detail: "it ended" }] }),
  })),
  "components.notices": warning(/backup_failed: It failed/, () => ({ health: health({ notices: [NOTICE] }) })),

  "disk.space": wrong(/400\.0 MB of 2\.0 GB are free below \/data\/mail: mail is refused/, () => ({
    ...room({ free: 400 * 1024 ** 2, all: 2 * 1024 ** 3 }),
    settings: { "limits.mail.max_size": 50 * 1024 ** 2 },
  })),
  "disk.inodes": wrong(/1000000000 of 100000000000 inodes/, () => room({ free: 1e9, all: 1e11 })),
  "disk.mount": wrong(/The disk at \/ \(ext4\) is read-only/, () => ({
    machine: { mounts: () => "1 0 8:1 / / ro - ext4 /dev/sda1 rw\n" },
  })),

  "queue.age": warning(/4Wxyz, 7 h/, () =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- reading any other field fails
    queue({ queue: [{ id: "4Wxyz", at: CHECKED_AT - 7 * HOUR_MS } as ListedMail] }),
  ),
  "queue.hold": warning(/^1 mail on hold until released or deleted\.$/, () => queue({ total: 1 })),
  "queue.length": warning(/501 mails/, () => queue({ total: 501 })),

  "bans.allow-list": warning(/0\.0\.0\.0\/0/, () => {
    const pages = [
      { items: [], next: "1" },
      { items: [{ prefix: "0.0.0.0/0", note: "" }], next: null },
    ];
    return { answers: Object.defineProperty({}, "allow_list", { get: () => pages.shift() }) };
  }),

  "alerts.outside": warning(/only through this server's own mail queue \(email\)/, () => channels(null, false)),
  "alerts.channels": wrong(/email fails: refused/, () => channels("refused", true)),
  "alerts.test": wrong(/ntfy rejected it: 403/, () => ({
    sendsTest: true,
    answers: { alerts_test: { results: [{ channel: "ntfy", ok: false, detail: "403" }] } },
  })),

  "permissions.programs": wrong(/program\/guard\.js/, () => {
    const { data, program } = temporaryLayout();
    mkdirSync(program, { recursive: true });
    writeFileSync(join(program, "guard.js"), "");
    chmodSync(join(program, "guard.js"), 0o666);
    return { data };
  }),
  "permissions.named-files": warning(/^(?=.*webhook-secret)(?=.*mail-key)(?=.*syslog-key)(?!.*open-to-all)/, () => {
    const place = temporaryDirectory();
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
    const { data, engineDb } = temporaryLayout("engineDb");
    writeFileSync(`${engineDb}.missing-2`, "");
    return { data };
  }),

  "backups.age": wrong(/4 d .*old/, () => backedUp(4 * DAY_MS)),
  "backups.key": wrong(/key was never displayed/, () => backedUp(0, false)),
  "backups.drill": wrong(/drill failed: 2 mails are missing/, () => {
    const parts = backedUp(0);
    endDrill(layoutOf(parts.data ?? ""), doneDrill(CHECKED_AT, "2 mails are missing"));
    return parts;
  }),
  "backups.elsewhere": warning(/same disk as the mail/, () => backedUp(0)),

  "clock.files": wrong(/mail\.log was written .* in the future: the clock was set back/, () => {
    const { data, mailLog } = temporaryLayout("mailLog");
    writeFileSync(mailLog, "");
    utimesSync(mailLog, CHECKED_AT / 1_000, CHECKED_AT / 1_000 + 3_600);
    return { data };
  }),
  "clock.synchronized": warning(/is not synchronized/, () => ({ machine: printing("no\n") })),

  "updates.automatic": warning(/does not install security updates automatically/, () => ({
    machine: printing('APT::Periodic::Unattended-Upgrade "0";\n'),
  })),
  "updates.running": warning(/sleeper \(\d+\): .*\/sleeper/, replacedProgram),
  "updates.waiting": wrong(/1 security update not installed yet: linux-image-41/, () => {
    const lists = temporaryDirectory();
    writeFileSync(join(lists, "deb.debian.org_Packages"), "");
    const line = "Inst linux-image-41 (6.1.158 Debian-Security:12/oldstable-security [amd64])\n";
    // apt holds a new kernel back unless it may install new packages.
    const run: Machine["run"] = (program, args) =>
      printing(args.includes("--with-new-pkgs") ? line : "").run(program, args);
    return { machine: { run, packageLists: lists } };
  }),
};

findEach(BROKEN);

test("the check finds any account that the README's password opens, imported or not", async () => {
  const look = async (name: string, origin: AccountItem["origin"], password = "correct horse battery") => {
    const reader = { ...accounts({ name, origin }), password: () => hashOf(password) };
    const { state, saw } = await passwords.guessable.look(checkedServer({ reader }));
    return `${state} ${saw}`;
  };
  for (const origin of ["command", "imported"] as const)
    for (const name of ["alice@example.org", "anna@example.org"])
      assert.match(await look(name, origin), new RegExp(`^wrong .*${name}`), origin);
  assert.equal(await look("alice@example.org", "command", "purple monkey dishwasher"), "ok No account was imported.");
});

test("a repository that a reboot or a new container deletes does not count as another disk", async () => {
  const { data } = temporaryLayout();
  const settings = { "backup.repository": "/dev/shm/no-such-directory/repository" };
  const { state, saw } = await backups.elsewhere.look(checkedServer({ data, settings }));
  const says = /^wrong The next reboot or new container loses the backups, .* at \/dev\/shm\/no-such-/;
  assert.match(`${state} ${saw}`, says);
});

/** A hash that is cheap to verify. */
function hashOf(password: string): string {
  const salt = randomBytes(16);
  const cheap = { memory: 8, passes: 1, parallelism: 1 };
  const tag = argon2Sync("argon2id", { message: password, nonce: salt, tagLength: 32, ...cheap });
  const text = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");
  return `{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$${text(salt)}$${text(tag)}`;
}

/** One account that differs from the default in these fields. */
function accounts(change: Partial<AccountItem>): NonNullable<CheckedParts["reader"]> {
  const createdAt = new Date(CHECKED_AT - DAY_MS).toISOString();
  const usual = { suspended: false, origin: "command", networks: [], quotaBytes: null, lastSignInAt: null } as const;
  const items = [{ name: "anna@example.org", createdAt, ...usual, ...change }];
  return { accounts: () => ({ items, next: null, total: 1 }), aliases: () => ({ items: [], next: null, total: 0 }) };
}

function health(change: Partial<Health>): () => Promise<Health> {
  return () => Promise.resolve({ ...WELL, ...change });
}

/** On the disk of the mail only. */
function room(room: Readonly<{ free: number; all: number }>): CheckedParts {
  const data = "/data";
  const empty = { free: room.all, all: room.all };
  const roomOf = (path: string) => (path === data ? { bytes: empty, inodes: empty } : { bytes: room, inodes: room });
  return { data, machine: { mounts: () => `1 0 8:1 / ${data}/mail rw - ext4 /dev/sdb1 rw\n`, room: roomOf } };
}

function queue(answer: Readonly<{ queue?: readonly ListedMail[]; total?: number }>): CheckedParts {
  return { keeper: () => ({ ok: true, detail: "", ...answer }) };
}

function channels(failing: string | null, leadOut: boolean): CheckedParts {
  const list = { items: [], next: null, total: 0, channels: [{ name: "email", failing }], leadOut };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- reading any other field fails
  return { alerts: () => Promise.resolve(list as never) };
}

function damaged(which: "engineDb" | "accountsDb"): CheckedParts {
  const layout = temporaryLayout(which);
  const path = layout[which];
  const db = which === "engineDb" ? openEngine(path) : openAccounts(path);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  const bytes = readFileSync(path);
  // Damages a page after the schema, so that the database still opens.
  bytes.fill(0xff, 8_192, 8_192 + 64);
  writeFileSync(path, bytes);
  return { data: layout.data };
}

function backedUp(ageMs: number, isKeySeen = true): CheckedParts {
  const { data, backupRecord, backupRepository } = temporaryLayout();
  mkdirSync(backupRepository, { recursive: true });
  const last = doneBackup(CHECKED_AT - ageMs);
  writeFileSync(backupRecord, JSON.stringify({ last, failure: null, oldKept: null, since: 1, isKeySeen }));
  return { data };
}

/** A service whose program file was removed while it runs, as in an update. */
async function replacedProgram(): Promise<CheckedParts> {
  const { data, services } = temporaryLayout();
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
