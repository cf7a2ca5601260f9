// Invariant: No program waits for another user's file: such paths have the type ForeignFile, and are read without waiting and up to a bound.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { directories } from "../../src/mail/configuration/directories.ts";
import { type Layout, layoutOf } from "../../src/settings/layout.ts";
import { reachedFrom } from "../kit/reached-from.ts";

/** Paths in directories of users other than root that no program opens as a plain file, grouped by what they are instead. */
const NO_FILES = Object.values({
  "databases: store/open.ts comes first": ["accountsDb", "engineDb"],
  "only its presence counts": ["breakGlass"],
  "only Fail2ban opens them": ["fail2banDb", "fail2banPid"],
  "directories; only spamd opens what is in them": ["learnedByUsers", "spamRules"],
  "a directory of root's, refused if it belongs to another user": ["backupMailStage"],
  sockets: [
    "controlSocket",
    "fail2banSocket",
    "greylistSocket",
    "guardMilterSocket",
    "policySocket",
    "rspamdSocket",
    "standIn",
    "spamHeadSocket",
    "spamMilterSocket",
    "spamPulseSocket",
    "spamdSocket",
    "webSocket",
  ],
} satisfies Readonly<Record<string, readonly (keyof Layout)[]>>).flat();
/** Files that may take the name out of a `ForeignFile`. */
const NAMED_BY = [
  "src/host/root-files/files.ts",
  "src/jobs/export/delivery-record.ts",
  "src/mail/spamassassin/learn-spam.ts",
];
/**
 * Source files of all programs but the web that read files by name, namely root's own and the kernel's. A file that the settings
 * name, or that is mounted into a container, is read by `readNamed` instead.
 */
const READS_BY_NAME = Object.entries({
  "host/debian": ["packages", "updates"],
  "host/firewall": ["isolation", "opening"],
  "host/kernel": ["proc-locks"],
  "host/machine": ["clock", "own-networks", "read-text", "settings-text", "system-users"],
  "host/root-files": ["copies", "directory", "files", "lock-file", "mirror", "record-file"],
  "host/running": [
    "checkout",
    "container",
    "data-directory",
    "ports",
    "read-processes",
    "stop",
    "supervise",
    "supervised",
    "units",
  ],
  "jobs/backup": ["archive", "check-restored", "outside-files", "replace-contents", "repository", "restic", "restore"],
  "jobs/build": ["build-programs", "kept-build", "kept-files", "program"],
  "jobs/incident": ["compare-backup", "folder"],
  "jobs/report": ["gather"],
  "jobs/retention": ["retention"],
  "jobs/uninstall": ["installed-besides", "uninstall-packages"],
  "jobs/upgrade": ["rollback"],
  "mail/certificates": ["follow-certificate", "issue-certificate"],
  "mail/configuration": ["apply", "mail-services", "reload-by-signal", "site"],
  "mail/dovecot": ["mail-keys"],
  "mail/fail2ban": ["adopt-filters"],
  "mail/probes": ["exchange"],
  "mail/spamassassin": ["spam-preferences"],
  "programs/export": ["main"],
  "programs/guard": ["databases-main", "main", "stand-in-main", "watch-machine"],
  "programs/keeper": ["reports"],
  "programs/keeper/watches": ["probes", "watch-locks", "watch-parts", "watch-services"],
}).flatMap(([folder, names]) => names.map((name) => `${folder}/${name}.ts`));

const layout = layoutOf("/data");
const others = directories(layout)
  .filter(({ user }) => user !== "root")
  .map(({ path }) => path);
const isTheirs = (path: string): boolean => others.some((directory) => path.startsWith(`${directory}/`));

test("each path that another user writes is a foreign file, or is opened by none of our programs", () => {
  const theirs = Object.entries(layout).flatMap(([name, path]) =>
    typeof path === "string" && isTheirs(path) ? [name] : [],
  );
  assert.deepEqual(theirs.toSorted(), NO_FILES.toSorted());
});

test("a foreign file is in another user's directory", () => {
  const foreign = Object.values(layout).filter((path) => typeof path === "object");
  assert.ok(foreign.length > 0);
  for (const file of foreign) assert.ok(isTheirs(file.foreign), file.foreign);
});

test("only its readers and its writer use the name of a foreign file", () => {
  const sources = globSync("src/**/*.ts").filter((path) => !path.endsWith(".test.ts"));
  const found = sources.filter((path) => /\.foreign\b|\{ foreign/.test(readFileSync(path, "utf8")));
  assert.deepEqual(found.toSorted(), [...NAMED_BY, "src/settings/layout.ts"].toSorted());
});

test("no program waits for a file that the settings name or that another user may have put there", () => {
  const sources = globSync("src/{guard,host,mail,jobs,programs}/**/*.ts").filter(
    (path) => !path.endsWith(".test.ts") && !path.startsWith("src/programs/web/"),
  );
  const found = sources.filter((path) =>
    /\b(readFileSync|openSync|createReadStream|textOrNothing)\((?!fd\b)/.test(readFileSync(path, "utf8")),
  );
  assert.deepEqual(found.map((path) => path.replace("src/", "")).toSorted(), READS_BY_NAME);
});

test("the keeper opens no database: a separate process does", () => {
  const opens = (path: string): boolean =>
    /from "node:sqlite"/.test(readFileSync(path, "utf8").replaceAll(/^import type .*/gm, ""));
  assert.deepEqual(reachedFrom(["src/programs/keeper/main.ts"]).filter(opens), []);
  assert.ok(reachedFrom(["src/programs/keeper/databases-main.ts"]).some(opens));
});
