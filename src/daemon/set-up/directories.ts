import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SERVICES } from "../../render/runit.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { groupId, userIds } from "../site.ts";

type Entry = Readonly<{ path: string; mode: number; user: string; group: string }>;

/** Every directory of ARCHITECTURE.md, parents first: none lies in one that another user could have replaced. */
function directories(layout: Layout): readonly Entry[] {
  const { guard, mail, accountsGroup } = USERS;
  const at = (path: string, mode = 0o755, user = "root", group = "root"): Entry => ({ path, mode, user, group });
  const { data } = layout;
  return [
    at(data),
    at(layout.program),
    at(layout.conf),
    at(layout.postfixConf),
    at(dirname(layout.dovecotConf)),
    at(layout.tls, 0o700),
    at(layout.secrets, 0o750, "root", guard),
    at(join(data, "db")),
    at(dirname(layout.engineDb), 0o2750, guard, guard),
    at(dirname(layout.accountsDb), 0o2750, guard, accountsGroup),
    at(layout.mail, 0o700, mail, mail),
    at(join(data, "spool")),
    at(layout.postfixQueue),
    at(dirname(layout.policySocket), 0o2750, guard, "postfix"),
    at(join(data, "lib")),
    at(layout.postfixData, 0o755, "postfix", "postfix"),
    at(join(data, "lib", "dovecot")),
    at(layout.log),
    at(dirname(layout.mailLog), 0o750, "root", guard),
    ...SERVICES.map((service) => at(join(layout.log, service), 0o750)),
    at(layout.run),
    at(dirname(layout.controlSocket), 0o750, guard, guard),
    at(dirname(layout.keeperSocket)),
    at(layout.dovecotBase),
    at(layout.services),
  ];
}

/** Creates what is missing and restores owners and modes. The users exist already. */
export function makeDirectories(layout: Layout): void {
  for (const { path, mode, user, group } of directories(layout)) {
    if (!existsSync(path)) mkdirSync(path);
    chownSync(path, userIds(user).uid, groupId(group));
    chmodSync(path, mode);
  }
  // Created beforehand, the log keeps a mode that lets the guard read it; Postfix itself would make it root's alone.
  if (!existsSync(layout.mailLog)) closeSync(openSync(layout.mailLog, "a", 0o640));
  chownSync(layout.mailLog, 0, groupId(USERS.guard));
  chmodSync(layout.mailLog, 0o640);
  // svlogd(8): five files of a megabyte.
  for (const service of SERVICES) writeFileSync(join(layout.log, service, "config"), "s1000000\nn5\n");
}
