// Invariant: No program waits for a file that another user put there: such paths have the type ForeignFile, and are read without waiting and up to a bound.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { directories } from "../../src/daemon/set-up/directories.ts";
import { layoutOf } from "../../src/settings/layout.ts";
import { reachedFrom } from "../kit/reached-from.ts";

/** Paths in directories of users other than root that nothing opens as a plain file, and what they are instead. */
const NO_FILES: Readonly<Record<string, string>> = {
  accountsDb: "a database: sqlite/refuse-pipes.ts comes first",
  breakGlass: "only its presence counts",
  controlSocket: "a socket",
  engineDb: "a database: sqlite/refuse-pipes.ts comes first",
  fail2banDb: "only Fail2ban opens it",
  fail2banPid: "only Fail2ban opens it",
  fail2banSocket: "a socket",
  greylistSocket: "a socket",
  guardMilterSocket: "a socket",
  learnedByUsers: "a directory; only spamd opens what is in it",
  policySocket: "a socket",
  rspamdSocket: "a socket",
  standIn: "a socket",
  spamHeadSocket: "a socket",
  spamMilterSocket: "a socket",
  spamPulseSocket: "a socket",
  spamRules: "a directory; only spamd opens what is in it",
  spamdSocket: "a socket",
  webSocket: "a socket",
  backupMailStage: "a directory of root's, refused if it belongs to another user",
};
/** Who may take the name out of a `ForeignFile`. */
const NAMED_BY = [
  "src/adapters/root-files/files.ts",
  "src/adapters/export/delivery-record.ts",
  "src/adapters/content/spam-corrections.ts",
  "src/render/content/learn-spam.ts",
];
/**
 * Files of the programs, the web's excepted, that read by name: root's own files, and the kernel's. A file that the settings name,
 * or that is mounted into a container, is read by `readNamed` instead.
 */
const READS_BY_NAME = [
  "backup/check-restored.ts",
  "backup/outside-files.ts",
  "backup/replace-contents.ts",
  "backup/repository.ts",
  "backup/restore.ts",
  "export/main.ts",
  "firewall/sessions.ts",
  "guard/databases-main.ts",
  "guard/disk-watch.ts",
  "guard/main.ts",
  "guard/stand-in-main.ts",
  "guard/watch-tracking.ts",
  "incident/collect.ts",
  "incident/compare-backup.ts",
  "incident/folder.ts",
  "incident/isolation.ts",
  "keeper/certificate-report.ts",
  "keeper/configuration/change-settings.ts",
  "keeper/configuration/reload-by-signal.ts",
  "keeper/dkim-public-keys.ts",
  "keeper/schedules/legal-holds.ts",
  "keeper/split-log.ts",
  "keeper/tell-encryption.ts",
  "keeper/watches/audit-anchors.ts",
  "keeper/watches/probes.ts",
  "keeper/watches/shared-ports.ts",
  "keeper/watches/watch-locks.ts",
  "keeper/watches/watch-stopped.ts",
  "report/gather.ts",
  "set-up/adopt-filters.ts",
  "set-up/apply.ts",
  "set-up/build/build-page.ts",
  "set-up/build/kept-build.ts",
  "set-up/build/kept-files.ts",
  "set-up/build/program.ts",
  "set-up/build/version-in.ts",
  "set-up/container.ts",
  "set-up/data-directory.ts",
  "set-up/issue-certificate.ts",
  "set-up/judge-filter.ts",
  "set-up/mail-keys.ts",
  "set-up/net-admin.ts",
  "set-up/running/last-words.ts",
  "set-up/running/lock.ts",
  "set-up/running/ports.ts",
  "set-up/running/read-processes.ts",
  "set-up/running/stop.ts",
  "set-up/running/supervise.ts",
  "set-up/running/supervised.ts",
  "set-up/running/unit-files.ts",
  "set-up/secrets.ts",
  "set-up/site.ts",
  "set-up/upgrade/installed-besides.ts",
  "set-up/upgrade/rollback.ts",
  "set-up/upgrade/uninstall-packages.ts",
];

const layout = layoutOf("/data");
const others = directories(layout)
  .filter(({ user }) => user !== "root")
  .map(({ path }) => path);
const isTheirs = (path: string): boolean => others.some((directory) => path.startsWith(`${directory}/`));

test("each path where another user writes is a foreign file, or is opened by none of our programs", () => {
  const theirs = Object.entries(layout).flatMap(([name, path]) =>
    typeof path === "string" && isTheirs(path) ? [name] : [],
  );
  assert.deepEqual(theirs.toSorted(), Object.keys(NO_FILES).toSorted());
});

test("a foreign file is in another user's directory", () => {
  const foreign = Object.values(layout).filter((path) => typeof path === "object");
  assert.ok(foreign.length > 0);
  for (const file of foreign) assert.ok(isTheirs(file.foreign), file.foreign);
});

test("only its readers and its writer take the name of a foreign file", () => {
  const sources = globSync("src/**/*.ts").filter((path) => !path.endsWith(".test.ts"));
  const found = sources.filter((path) => /\.foreign\b|\{ foreign/.test(readFileSync(path, "utf8")));
  assert.deepEqual(found.toSorted(), [...NAMED_BY, "src/settings/layout.ts"].toSorted());
});

test("no program waits for a file that the settings name or that another user may have put there", () => {
  const sources = globSync("src/{daemon,engine}/**/*.ts").filter(
    (path) => !path.endsWith(".test.ts") && !path.startsWith("src/daemon/web/"),
  );
  const found = sources.filter((path) =>
    /\b(readFileSync|openSync|createReadStream)\((?!fd\b)/.test(readFileSync(path, "utf8")),
  );
  assert.deepEqual(found.map((path) => path.replace("src/daemon/", "")).toSorted(), READS_BY_NAME);
});

test("the keeper opens no database: a separate process does", () => {
  const opens = (path: string): boolean =>
    /from "node:sqlite"/.test(readFileSync(path, "utf8").replaceAll(/^import type .*/gm, ""));
  assert.deepEqual(reachedFrom(["src/daemon/keeper/main.ts"]).filter(opens), []);
  assert.ok(reachedFrom(["src/daemon/keeper/databases-main.ts"]).some(opens));
});
