import { proofOf } from "../adapters/accounts/account-secret.ts";
import { hashPassword } from "../adapters/accounts/password-hash.ts";
import { loadPasswordJudge } from "../adapters/accounts/password-strength.ts";
import type { AccountName } from "../core/net/address.ts";
import { MAX_PASSWORD_BYTES } from "../core/passwords/rule.ts";
import { type CommandCall, type CommandFailure, failed, wrongUsage } from "./call.ts";

const ANOTHER = "Choose another one: several unrelated words make a good one.";

/** `proof`: the proof that Dovecot will later send of it, by which the guard recognises it; empty if unknown. */
type NewPassword = Readonly<{ ok: true; hash: string; proof: string; password: string }>;

/** Reads a new password from standard input or asks for it twice. The password never leaves this process. */
export async function newPasswordHash(
  call: CommandCall,
  owner: AccountName | null,
): Promise<NewPassword | CommandFailure> {
  const typed = call.flag("password-stdin") ? await fromInput(call) : await fromTerminal(call);
  if (typeof typed !== "string") return typed;
  const problem = (await loadPasswordJudge())(typed, owner);
  if (problem !== null) return failed(problem, ANOTHER);
  const proof = owner === null ? "" : proofFor(call, owner, typed);
  return { ok: true, hash: await hashPassword(typed), proof, password: typed };
}

export function proofFor({ layout }: CommandCall, owner: AccountName, password: string): string {
  return proofOf(layout.loginPolicySecret, owner, password);
}

async function fromInput({ terminal }: CommandCall): Promise<string | CommandFailure> {
  const line = await terminal.readLine(MAX_PASSWORD_BYTES + 2);
  return (
    line ??
    failed(
      `The first line of standard input held no password of at most ${MAX_PASSWORD_BYTES} bytes.`,
      "Write it as one line: printf '%s' \"$PASSWORD\" | … --password-stdin",
    )
  );
}

async function fromTerminal({ terminal }: CommandCall): Promise<string | CommandFailure> {
  if (!terminal.interactive)
    return wrongUsage("No terminal to ask for a password.", "Give --password-stdin and the password as its input.");
  const first = await terminal.askSecret("New password: ");
  if (first === null) return failed("Interrupted: nothing was changed.", "");
  const second = await terminal.askSecret("Once more: ");
  if (second === null) return failed("Interrupted: nothing was changed.", "");
  return first === second ? first : failed("The two passwords differ: nothing was changed.", "Try again.");
}
