import { parseAccountName } from "../../../core/net/address.ts";
import { formatSize } from "../../../settings/size.ts";
import type { Command, CommandError, Reply } from "../../../wire/control/control.ts";
import { recordFirst } from "../record-first.ts";
import { UNWRITTEN } from "../unrecorded.ts";
import { wrongAddress } from "../wrong-address.ts";
import { type AccountCommandParts, notDone } from "./accounts.ts";

/** Through the web; 0 means no limit. A smaller mailbox could not receive mail. */
const LEAST_BYTES = 10 * 1024 * 1024;

const TOO_SMALL: CommandError = {
  ok: false,
  kind: "usage",
  message: `The dashboard and the API set no quota below ${formatSize(LEAST_BYTES)}.`,
  next: "Choose a larger one, or use `account quota` on the server.",
};

export type QuotaCommand = Extract<Command, { readonly verb: "quota_set" }>;

/** Gives an account a quota. It applies to new mail at once, and to open IMAP sessions once they reconnect. */
export async function quotaCommand(
  parts: Pick<AccountCommandParts, "engine" | "accounts" | "rehearse">,
  command: QuotaCommand,
  by: string,
): Promise<Reply<"quota_set">> {
  const { quotaBytes } = command;
  const name = parseAccountName(command.name);
  if (name === null) return wrongAddress(command.name);
  if (by.startsWith("web:") && quotaBytes !== null && quotaBytes !== 0 && quotaBytes < LEAST_BYTES) return TOO_SMALL;
  const quota = quotaBytes === null ? "the default" : quotaBytes === 0 ? "no limit" : formatSize(quotaBytes);
  const outcome = await recordFirst(
    parts,
    () => parts.accounts.setQuota(name, quotaBytes),
    () => parts.engine.audit({ type: "QUOTA_CHANGED", subject: `${name} to ${quota}`, account: name, by }),
  );
  if (outcome === "unwritten") return UNWRITTEN;
  return outcome.ok ? { ok: true, result: { name, quotaBytes } } : notDone(outcome.reason);
}
