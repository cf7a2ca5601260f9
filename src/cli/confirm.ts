import type { CommandCall } from "./call.ts";

/** Returns whether the administrator agrees. Without a terminal, a script has decided. */
export async function confirmed(call: CommandCall, question: string): Promise<boolean> {
  return !call.terminal.interactive || call.flag("yes") || agrees(call, question);
}

/** As above, but without a terminal the answer is no. */
export async function agrees({ terminal }: CommandCall, question: string): Promise<boolean> {
  const reply = terminal.interactive ? await terminal.ask(`${question} [y/N] `) : null;
  return reply !== null && /^y(es)?$/i.test(reply.trim());
}
