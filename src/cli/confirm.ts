import type { CommandCall } from "./call.ts";

/** Whether the administrator says yes. Without a terminal, a script has decided. */
export async function confirmed(call: CommandCall, question: string): Promise<boolean> {
  return !call.terminal.interactive || call.flag("yes") || agrees(call, question);
}

/** The same where the answer must come from somebody: no without a terminal. */
export async function agrees({ terminal }: CommandCall, question: string): Promise<boolean> {
  const reply = terminal.interactive ? await terminal.ask(`${question} [y/N] `) : null;
  return reply !== null && /^y(es)?$/i.test(reply.trim());
}
