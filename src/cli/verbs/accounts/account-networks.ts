import type { AccountName } from "../../../core/net/address.ts";
import { shown } from "../../../core/shown.ts";
import { restrictingNetwork } from "../../../wire/verbs/kinds.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { oneLine } from "../../print/text.ts";
import { accountFrom } from "./accounts.ts";

/** `account networks ADDRESS add|remove|list [NETWORK...]` */
export async function accountNetworks(call: CommandCall): Promise<CommandOutcome> {
  const name = accountFrom(call.args[0]);
  if (typeof name !== "string") return name;
  const networks = (call.args[2] ?? "").split(/[\s,]+/).filter((each) => each !== "");
  const action = call.args[1] ?? "";
  if (action === "list") return networks.length === 0 ? list(call, name) : wrongUsage("list takes no network.", "");
  if (action !== "add" && action !== "remove")
    return wrongUsage(`Use add, remove or list, not "${action}".`, `Write: ${PROGRAM} account networks ${name} list`);
  if (networks.length === 0) return wrongUsage(`There is no network to ${action}.`, HOW_WRITTEN);
  const wrong = networks.find((network) => !restrictingNetwork.safeParse(network).success);
  if (wrong !== undefined)
    return wrongUsage(`"${oneLine(wrong)}" is not a network that restricts anything.`, HOW_WRITTEN);
  const asked =
    action === "add"
      ? await call.guard.ask<"networks_add">({ verb: "networks_add", name, networks })
      : await call.guard.ask<"networks_remove">({ verb: "networks_remove", name, networks });
  if (!asked.ok) return asked;
  return done(asked.result, sentence(name, asked.result.networks), `${PROGRAM} account list`);
}

const HOW_WRITTEN = "Write it like 203.0.113.0/24 or 2001:db8::/32.";

async function list(call: CommandCall, name: AccountName): Promise<CommandOutcome> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const account = opened.reader.account(name);
  if (account === null) return failed(`There is no account ${name}.`, `\`${PROGRAM} account list\` shows them.`);
  return done({ name, networks: account.networks }, sentence(name, account.networks));
}

function sentence(name: AccountName, networks: readonly string[]): string {
  if (networks.length === 0) return `${name} may sign in from anywhere that logins.networks allows.`;
  return `${name} may sign in from ${networks.map(shown).join(", ")} only.`;
}
