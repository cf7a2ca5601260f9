import { type CommandCall, type CommandOutcome, done, failed } from "../../call.ts";

/** `spam update` */
export async function spamUpdate(call: CommandCall): Promise<CommandOutcome> {
  const running = await call.guard.ask<"ping">({ verb: "ping" });
  if (!running.ok) return running;
  const { fetchRules } = await import("../../../daemon/keeper/schedules/spam-rules.ts");
  call.terminal.progress("Fetching rules ...");
  const fetched = await fetchRules(call.layout, call.now());
  if (!fetched.ok) return failed(`No new rules came into use: ${fetched.reason}`, "The former ones stay in use.");
  const { version, isNew } = fetched;
  const says = isNew
    ? `Version ${version} of the rules is in use.`
    : `Version ${version} of the rules is the newest, and in use.`;
  return done({ version, isNew }, says);
}
