import { type CommandCall, type CommandOutcome, done, failed, PROGRAM } from "../call.ts";
import { columns, dayAndTime, oneLine } from "../print/text.ts";
import { accountFrom } from "./accounts.ts";

/** `account app-password add ADDRESS NAME...`: the guard makes it, and keeps its digest alone. */
export async function appPasswordAdd(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const asked = await call.guard.ask<"app_password_add">({ verb: "app_password_add", name, app: call.args[1] ?? "" });
  if (!asked.ok) return asked;
  const { app, password } = asked.result;
  const use = `Type it into ${app}, with the user name ${name}. It is shown only now.`;
  return done(asked.result, `${password}\n${use}`, `${PROGRAM} account app-password list ${name}`);
}

export async function appPasswordRemove(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const app = call.args[1] ?? "";
  const asked = await call.guard.ask<"app_password_remove">({ verb: "app_password_remove", name, app });
  if (!asked.ok) return asked;
  const text = `The app password ${asked.result.app} of ${name} is removed, and the open sessions of the account were ended.`;
  return done(asked.result, text, `${PROGRAM} account app-password list ${name}`);
}

export async function appPasswordList(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const opened = await call.reader();
  if (!opened.ok) return opened;
  if (opened.reader.account(name) === null)
    return failed(`There is no account ${name}.`, `\`${PROGRAM} account list\` shows them.`);
  const appPasswords = opened.reader.appPasswords(name);
  const found = { name, appPasswords };
  if (appPasswords.length === 0)
    return done(found, `${name} has no app password.`, `${PROGRAM} account app-password add ${name} phone`);
  const rows = appPasswords.map(({ name: app, usedAt, madeAt, madeBy }) => [
    oneLine(app),
    usedAt === null ? "never" : dayAndTime(usedAt),
    dayAndTime(madeAt),
    oneLine(madeBy),
  ]);
  return done(found, columns([["APP PASSWORD", "USED", "MADE", "BY"], ...rows]));
}
