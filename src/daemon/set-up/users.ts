import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { hasGroup, hasUser, isMember } from "../../adapters/machine/system-users.ts";
import { USERS } from "../../settings/layout.ts";
import { SetUpFailure } from "./failure.ts";

const ACCOUNT_READERS = ["postfix", "dovecot"];

/** Adds missing system users and groups, and puts each of our users into the groups it needs. */
export async function addUsers(): Promise<void> {
  for (const name of [USERS.guard, USERS.web, USERS.export, USERS.mail, USERS.fail2ban]) {
    if (!hasUser(name)) await must("useradd", ["--system", "--user-group", "--no-create-home", ...NO_LOGIN, name]);
  }
  for (const group of [USERS.accountsGroup, USERS.dataGroup, USERS.logsGroup])
    if (!hasGroup(group)) await must("groupadd", ["--system", group]);
  for (const reader of ACCOUNT_READERS) await join(reader, USERS.accountsGroup);
  for (const reader of [USERS.guard, USERS.web, USERS.export]) await join(reader, USERS.dataGroup);
  // Fail2ban is started with that group.
  await join(USERS.guard, USERS.logsGroup);
}

const NO_LOGIN = ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"];

async function join(user: string, group: string): Promise<void> {
  if (!isMember(user, group)) await must("usermod", ["--append", "--groups", group, user]);
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const finished = await runProgram(program, args);
  if (finished.code !== 0) throw new SetUpFailure(`${program} ${args.join(" ")} failed: ${lastLines(finished)}`);
}
