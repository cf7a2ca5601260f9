// Invariant: No program waits for a file that another user put there: such paths have the type ForeignFile, and are read without waiting and up to a bound.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { directories } from "../../src/mail/configuration/directories.ts";
import { layoutOf } from "../../src/settings/layout.ts";
import { reachedFrom } from "../kit/reached-from.ts";

/** Paths in directories of users other than root that nothing opens as a plain file, and what they are instead. */
const NO_FILES: Readonly<Record<string, string>> = {
  accountsDb: "a database: store/open.ts comes first",
  breakGlass: "only its presence counts",
  controlSocket: "a socket",
  engineDb: "a database: store/open.ts comes first",
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
  "src/host/root-files/files.ts",
  "src/jobs/export/delivery-record.ts",
  "src/mail/spamassassin/learn-spam.ts",
];
/**
 * Files of the programs, the web's excepted, that read by name: root's own files, and the kernel's. A file that the settings name,
 * or that is mounted into a container, is read by `readNamed` instead.
 */
const READS_BY_NAME = [
  "host/debian/packages.ts",
  "host/debian/updates.ts",
  "host/firewall/isolation.ts",
  "host/firewall/opening.ts",
  "host/kernel/proc-locks.ts",
  "host/machine/clock.ts",
  "host/machine/own-addresses.ts",
  "host/machine/own-networks.ts",
  "host/machine/read-text.ts",
  "host/machine/settings-text.ts",
  "host/machine/system-users.ts",
  "host/root-files/copies.ts",
  "host/root-files/directory.ts",
  "host/root-files/files.ts",
  "host/root-files/mirror.ts",
  "host/root-files/record-file.ts",
  "host/running/checkout.ts",
  "host/running/container.ts",
  "host/running/data-directory.ts",
  "host/running/ports.ts",
  "host/running/read-processes.ts",
  "host/running/stop.ts",
  "host/running/supervise.ts",
  "host/running/supervised.ts",
  "host/running/units.ts",
  "jobs/audit/audit-anchors.ts",
  "jobs/backup/archive.ts",
  "jobs/backup/check-restored.ts",
  "jobs/backup/outside-files.ts",
  "jobs/backup/replace-contents.ts",
  "jobs/backup/repository.ts",
  "jobs/backup/restic.ts",
  "jobs/backup/restore.ts",
  "jobs/build/build-programs.ts",
  "jobs/build/kept-build.ts",
  "jobs/build/kept-files.ts",
  "jobs/build/program.ts",
  "jobs/export/delivery-record.ts",
  "jobs/incident/compare-backup.ts",
  "jobs/incident/folder.ts",
  "jobs/report/gather.ts",
  "jobs/retention/retention.ts",
  "jobs/uninstall/installed-besides.ts",
  "jobs/uninstall/uninstall-packages.ts",
  "jobs/upgrade/rollback.ts",
  "mail/certificates/follow-certificate.ts",
  "mail/certificates/issue-certificate.ts",
  "mail/configuration/apply.ts",
  "mail/configuration/reload-by-signal.ts",
  "mail/configuration/site.ts",
  "mail/dovecot/mail-keys.ts",
  "mail/fail2ban/adopt-filters.ts",
  "mail/probes/exchange.ts",
  "mail/spamassassin/spam-preferences.ts",
  "programs/export/main.ts",
  "programs/guard/databases-main.ts",
  "programs/guard/main.ts",
  "programs/guard/stand-in-main.ts",
  "programs/guard/watch-machine.ts",
  "programs/keeper/change-settings.ts",
  "programs/keeper/tell.ts",
  "programs/keeper/watches/probes.ts",
  "programs/keeper/watches/watch-locks.ts",
  "programs/keeper/watches/watch-parts.ts",
  "programs/keeper/watches/watch-services.ts",
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
