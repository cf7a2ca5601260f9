import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { CONTENT_USERS } from "../../render/content-services.ts";
import { fail2banDirectories } from "../../render/fail2ban.ts";
import { POSTGREY_USER } from "../../render/postgrey.ts";
import { SERVICES } from "../../render/runit.ts";
import { type Layout, serviceLog, USERS } from "../../settings/layout.ts";
import { groupId, userIds } from "../site.ts";

type Entry = Readonly<{ path: string; mode: number; user: string; group: string }>;

/** Every directory of ARCHITECTURE.md, parents first: none lies in one that another user could have replaced. */
function directories(layout: Layout): readonly Entry[] {
  const { guard, mail, fail2ban, accountsGroup, dataGroup, logsGroup } = USERS;
  const at = (path: string, mode = 0o755, user = "root", group = "root"): Entry => ({ path, mode, user, group });
  const { data } = layout;
  return [
    at(data),
    at(layout.program),
    at(layout.conf),
    at(layout.postfixConf),
    at(dirname(layout.dovecotConf)),
    at(dirname(layout.unboundConf)),
    at(layout.sieve),
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
    at(dirname(layout.engineDb), 0o2750, guard, dataGroup),
    at(dirname(layout.accountsDb), 0o2750, guard, accountsGroup),
    at(layout.mail, 0o700, mail, mail),
    at(join(data, "spool")),
    at(layout.postfixQueue),
    at(layout.postfixEtc),
    at(dirname(layout.policySocket), 0o2750, guard, "postfix"),
    at(join(data, "lib")),
    at(layout.postfixData, 0o755, "postfix", "postfix"),
    at(join(data, "lib", "dovecot")),
    at(dirname(layout.spamMilterSocket), 0o2750, CONTENT_USERS.spamMilter, "postfix"),
    at(dirname(layout.rspamdSocket), 0o2750, CONTENT_USERS.rspamd, "postfix"),
    at(dirname(layout.greylistSocket), 0o2750, POSTGREY_USER, "postfix"),
    at(layout.postgreyData, 0o700, POSTGREY_USER, POSTGREY_USER),
    at(layout.dkimKeys, 0o700, CONTENT_USERS.rspamd, CONTENT_USERS.rspamd),
    at(layout.rspamdData, 0o700, CONTENT_USERS.rspamd, CONTENT_USERS.rspamd),
    at(layout.spamState, 0o700, CONTENT_USERS.spamd, CONTENT_USERS.spamd),
    at(layout.spamPreferences, 0o2750, guard, CONTENT_USERS.spamd),
    at(layout.log),
    at(dirname(layout.mailLog), 0o750, "root", logsGroup),
    ...SERVICES.map((service) => at(join(layout.log, service), 0o750)),
    // The guard follows what spamd says of each mail.
    at(join(layout.log, "spamd"), 0o750, "root", guard),
    at(dirname(layout.webLog), 0o750, "root", logsGroup),
    at(layout.run),
    at(dirname(layout.controlSocket), 0o2750, guard, dataGroup),
    at(dirname(layout.keeperSocket)),
    at(dirname(layout.spamdSocket), 0o2750, CONTENT_USERS.spamd, CONTENT_USERS.spamd),
    at(layout.dovecotBase),
    ...fail2banDirectories(layout).map((path) => at(path, 0o750, fail2ban, fail2ban)),
    // Fail2ban's, and the guard takes away what it has read.
    at(layout.fail2banSpool, 0o2770, fail2ban, guard),
    at(layout.services),
  ];
}

/** Creates what is missing and restores owners and modes. The users exist already. */
export function makeDirectories(layout: Layout): void {
  const trees: readonly string[] = [
    dirname(layout.engineDb),
    dirname(layout.accountsDb),
    layout.mail,
    layout.dkimKeys,
    layout.rspamdData,
    layout.spamState,
    layout.spamPreferences,
    layout.postgreyData,
    ...fail2banDirectories(layout),
  ];
  for (const { path, mode, user, group } of directories(layout)) {
    if (!existsSync(path)) mkdirSync(path);
    const owner = { uid: userIds(user).uid, gid: groupId(group) };
    const { uid, gid } = statSync(path);
    if (trees.includes(path) && (uid !== owner.uid || gid !== owner.gid)) giveTree(path, owner);
    chownSync(path, owner.uid, owner.gid);
    chmodSync(path, mode);
  }
  // A link, because `postfix check` complains of every file of a directory `etc` that differs from the machine's own.
  const etc = join(layout.postfixQueue, "etc");
  if (!existsSync(etc)) symlinkSync(basename(layout.postfixEtc), etc);
  // The time zone of what chrooted programs of Postfix write into mails.
  if (existsSync("/etc/localtime")) copyFileSync("/etc/localtime", join(layout.postfixEtc, "localtime"));
  // Created beforehand, the log keeps a mode that lets the guard read it; Postfix itself would make it root's alone.
  if (!existsSync(layout.mailLog)) closeSync(openSync(layout.mailLog, "a", 0o640));
  chownSync(layout.mailLog, 0, groupId(USERS.logsGroup));
  chmodSync(layout.mailLog, 0o640);
  // Fail2ban starts beside the web, and follows only what is there.
  if (!existsSync(layout.webLog)) closeSync(openSync(layout.webLog, "a", 0o644));
  // Where people look for it; it is svlogd(8) that writes and rotates it.
  const fail2banLog = join(dirname(layout.mailLog), "fail2ban.log");
  if (lstatSync(fail2banLog, { throwIfNoEntry: false }) === undefined)
    symlinkSync(join("..", "fail2ban", basename(serviceLog(layout, "fail2ban"))), fail2banLog);
  // svlogd(8): five files of a megabyte.
  for (const service of SERVICES) writeFileSync(join(layout.log, service, "config"), "s1000000\nn5\n");
}

/**
 * After a move to another machine or container our users have other numbers than the files, and a new version may
 * give a directory to another group. Follows no link: whoever
 * owned the tree could have laid one to a file of somebody else.
 */
export function giveTree(path: string, owner: Readonly<{ uid: number; gid: number }>): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    lchownSync(inner, owner.uid, owner.gid);
    if (entry.isDirectory()) giveTree(inner, owner);
  }
}
