import { plural } from "../../../core/text.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM, wrongUsage } from "../../call.ts";

export async function sessionEnd(call: CommandCall): Promise<CommandOutcome> {
  const [id] = call.args;
  const isAll = call.flag("all");
  if ((id === undefined) !== isAll) return wrongUsage("Name one session, or give --all.", `${PROGRAM} session list`);
  if (id === undefined) {
    const asked = await call.guard.ask<"session_end_all">({ verb: "session_end_all" });
    return asked.ok ? done(asked.result, `${plural(asked.result.ended, "session")} ended.`) : asked;
  }
  const asked = await call.guard.ask<"session_end">({ verb: "session_end", id: id.slice(0, 32) });
  return asked.ok ? done(asked.result, `The session ${id} has ended.`) : asked;
}
