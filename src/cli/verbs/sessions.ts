import { plural } from "../../core/text.ts";
import type { SessionItem } from "../../wire/control/access-items.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM, wrongUsage } from "../call.ts";
import { columns, dayAndTime } from "../print/text.ts";

/** The sessions of the dashboard. */
export async function sessionList(call: CommandCall): Promise<CommandOutcome> {
  const asked = await call.guard.ask<"session_list">({ verb: "session_list" });
  if (!asked.ok) return asked;
  const { sessions } = asked.result;
  if (sessions.length === 0) return done(asked.result, "Nobody is signed in to the dashboard.");
  const rows = sessions.map(rowOf);
  return done(
    asked.result,
    columns([["SESSION", "USED", "SINCE", "FROM", "DEVICE"], ...rows]),
    `${PROGRAM} session end SESSION  # or --all`,
  );
}

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

function rowOf({ id, usedAt, startedAt, ip, device }: SessionItem): readonly string[] {
  return [id, dayAndTime(usedAt), dayAndTime(startedAt), ip, device];
}
