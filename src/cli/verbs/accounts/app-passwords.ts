import { dayAndTime } from "../../../core/shown.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { columns, oneLine } from "../../print/text.ts";
import { accountFrom } from "./accounts.ts";

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
