import { existsSync, lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { plural } from "../../core/text.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { groupId, hasGroup, hasUser, isMember, userIds } from "../../host/machine/system-users.ts";
import { copyFile } from "../../host/root-files/copies.ts";
import { ownUid } from "../../host/root-files/directory.ts";
import { createFile, layLink, writeFile } from "../../host/root-files/files.ts";
import { giveDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { lockHolder } from "../../host/running/data-directory.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { SERVICES } from "../../host/running/runit.ts";
import { CONTENT_USERS, type Layout, POSTGREY_USER, serviceLog, USERS } from "../../settings/layout.ts";
import { giveMailLog, mailLogAccess } from "../logs/keep-logs.ts";

type Entry = Readonly<{
  path: string;
  mode: number;
  user: string;
  group: string;
  /** Whether its user writes in it; on another machine that user's id may differ. */
  isTree: boolean;
}>;

/** Every directory of docs/reference/files.md, parents first, so that none is in one that another user could have replaced. */
export function directories(layout: Layout): readonly Entry[] {
  const { guard, mail, fail2ban, accountsGroup, dataGroup, logsGroup } = USERS;
  const { data } = layout;
  return [
    at(data),
    at(layout.program),
    at(layout.conf),
    at(layout.postfixConf),
    at(dirname(layout.dovecotConf)),
    at(dirname(layout.unboundConf)),
    at(layout.sieve),
    at(dirname(layout.webSettings)),
    at(dirname(layout.exportSettings)),
    at(layout.spamAssassinConf),
    at(layout.spamMilterConf),
    at(layout.rspamdConf),
    at(layout.postgreyConf),
    at(layout.fail2banConf),
    at(layout.fail2banOwn),
    at(layout.fail2banFilters),
    at(layout.tls, 0o700),
    at(layout.secrets, 0o750, "root", guard),
    at(join(data, "db")),
    tree(dirname(layout.engineDb), 0o2750, guard, dataGroup),
    tree(dirname(layout.accountsDb), 0o2750, guard, accountsGroup),
    tree(layout.mail, 0o700, mail, mail),
    at(join(data, "spool")),
    at(layout.postfixQueue),
    // Postfix would create them the same way, but run fifty programs for it (`postfix check`, postfix-files).
    ...PRIVATE.map((name) => tree(join(layout.postfixQueue, name), 0o700, "postfix", "root")),
    at(join(layout.postfixQueue, "maildrop"), 0o730, "postfix", "postdrop"),
    at(join(layout.postfixQueue, "public"), 0o710, "postfix", "postdrop"),
    at(join(layout.postfixQueue, "pid")),
    at(layout.postfixEtc),
    at(dirname(layout.policySocket), 0o2750, guard, "postfix"),
    at(join(data, "lib")),
    tree(layout.postfixData, 0o700, "postfix", "postfix"),
    at(join(data, "lib", "dovecot")),
    // The guard reads its position.
    tree(layout.exportData, 0o2750, USERS.export, guard),
    at(dirname(layout.spamMilterSocket), 0o2750, CONTENT_USERS.spamMilter, "postfix"),
    at(dirname(layout.rspamdSocket), 0o2750, CONTENT_USERS.rspamd, "postfix"),
    at(dirname(layout.greylistSocket), 0o2750, POSTGREY_USER, "postfix"),
    tree(layout.postgreyData, 0o700, POSTGREY_USER, POSTGREY_USER),
    // Rspamd reads its keys; root creates them.
    at(layout.dkimKeys, 0o750, "root", CONTENT_USERS.rspamd),
    at(dirname(layout.proofWord), 0o750, "root", CONTENT_USERS.rspamd),
    at(dirname(layout.legalHolds), 0o700),
    at(dirname(layout.mailPublicKey), 0o700),
    at(dirname(layout.mailPrivateKey), 0o700),
    tree(layout.rspamdData, 0o700, CONTENT_USERS.rspamd, CONTENT_USERS.rspamd),
    tree(layout.spamState, 0o700, CONTENT_USERS.spamd, CONTENT_USERS.spamd),
    tree(layout.spamPreferences, 0o2750, guard, CONTENT_USERS.spamd),
    tree(layout.authorLists, 0o2750, guard, CONTENT_USERS.rspamd),
    at(layout.report, 0o700),
    at(dirname(layout.checkRecord), 0o700),
    at(layout.incidents, 0o700),
    at(layout.log),
    at(dirname(layout.startLog), 0o750),
    at(dirname(layout.auditAnchors), 0o700),
    at(dirname(layout.mailLog), 0o750, "root", logsGroup),
    ...SERVICES.map((service) => at(join(layout.log, service), 0o750)),
    // The guard reads what spamd logs about each mail, and when Rspamd is blocked.
    ...["spamd", "rspamd"].map((service) => at(join(layout.log, service), 0o750, "root", guard)),
    at(dirname(layout.webLog), 0o750, "root", logsGroup),
    at(layout.run),
    // The web sends commands; the exporter sends none.
    at(dirname(layout.controlSocket), 0o2750, guard, USERS.web),
    at(dirname(layout.keeperSocket)),
    at(dirname(layout.spamdSocket), 0o2750, CONTENT_USERS.spamd, CONTENT_USERS.spamMilter),
    at(layout.dovecotBase),
    at(layout.folderLimits),
    ...[layout.fail2banSocket, layout.fail2banDb].map((file) => tree(dirname(file), 0o750, fail2ban, fail2ban)),
    // Fail2ban writes it, and the guard removes what it has read.
    at(layout.fail2banSpool, 0o2770, fail2ban, guard),
    at(layout.services),
  ];
}

function at(path: string, mode = 0o755, user = "root", group = "root"): Entry {
  return { path, mode, user, group, isTree: false };
}

function tree(path: string, mode: number, user: string, group: string): Entry {
  return { path, mode, user, group, isTree: true };
}

/** Directories of the queue that belong only to Postfix's user. */
const PRIVATE = "active bounce corrupt defer deferred flush hold incoming private saved trace".split(" ");

/** Creates missing directories and restores owners and modes. The users exist already. Returns messages for the owner. */
export function makeDirectories(layout: Layout): readonly string[] {
  const warnings: string[] = [];
  removeLeftStages(layout);
  for (const { path, mode, user, group, isTree } of directories(layout)) {
    const owner = { uid: userIds(user).uid, gid: groupId(group) };
    const { count, first } = giveDirectory(path, { mode, owner }, isTree);
    if (first !== null)
      warnings.push(
        `${plural(count, "file")} below ${path} still ${count === 1 ? "belongs" : "belong"} to another user, such as ${first}: see \`ls -li\`.`,
      );
  }
  makeFiles(layout);
  return warnings;
}

/**
 * A killed backup leaves hard links to mails, which would prevent changing the mails' owner, and copies of root's secrets, whose owner
 * would be changed. A directory that the mails' user put in its place stays, so that it cannot stop a start.
 */
function removeLeftStages({ backupLock, backupStage, backupMailStage }: Layout): void {
  if (lockHolder(backupLock) !== null) return;
  removeTree(backupStage);
  const found = lstatSync(backupMailStage, { throwIfNoEntry: false });
  if (found?.isDirectory() === true && found.uid === ownUid()) removeTree(backupMailStage);
}

function makeFiles(layout: Layout): void {
  // A link, because `postfix check` complains about every file of a directory `etc` that differs from the machine's own.
  layLink(basename(layout.postfixEtc), join(layout.postfixQueue, "etc"));
  // The time zone for Postfix's chrooted programs.
  if (existsSync("/etc/localtime")) copyFile("/etc/localtime", join(layout.postfixEtc, "localtime"), 0o644);
  giveMailLog(layout.mailLog, mailLogAccess());
  // Fail2ban starts at the same time as the web, and follows only existing files.
  createFile(layout.webLog, { mode: 0o644 });
  // Where people expect it; svlogd(8) writes and rotates it.
  const fail2banLog = join("..", "fail2ban", basename(serviceLog(layout, "fail2ban")));
  layLink(fail2banLog, join(dirname(layout.mailLog), "fail2ban.log"));
  // svlogd(8): files of a megabyte, the current one and five old ones; each line also to its standard error, which systemd
  // passes on to the journal.
  for (const service of SERVICES)
    writeFile(join(layout.log, service, "config"), "s1000000\nn5\ne*\n", { mode: 0o644, flush: false });
}

/** Adds missing system users and groups, and puts each of our users into the groups it needs. */
export async function addUsers(): Promise<void> {
  for (const name of [USERS.guard, USERS.web, USERS.export, USERS.mail, USERS.fail2ban]) {
    if (!hasUser(name)) await must("useradd", ["--system", "--user-group", "--no-create-home", ...NO_LOGIN, name]);
  }
  for (const group of [USERS.accountsGroup, USERS.dataGroup, USERS.logsGroup])
    if (!hasGroup(group)) await must("groupadd", ["--system", group]);
  for (const reader of ["postfix", "dovecot"]) await joinGroup(reader, USERS.accountsGroup);
  for (const reader of [USERS.guard, USERS.web, USERS.export]) await joinGroup(reader, USERS.dataGroup);
  // Fail2ban needs no membership: it is started with this group.
  await joinGroup(USERS.guard, USERS.logsGroup);
}

const NO_LOGIN = ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"];

async function joinGroup(user: string, group: string): Promise<void> {
  if (!isMember(user, group)) await must("usermod", ["--append", "--groups", group, user]);
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const finished = await runProgram(program, args);
  if (finished.code !== 0) throw new SetUpFailure(`${program} ${args.join(" ")} failed: ${lastLines(finished)}`);
}
