import { dayAndTime } from "../../core/shown.ts";
import { plural } from "../../core/text.ts";
import type { ListedSession } from "../../wire/control/access-items.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM, wrongUsage } from "../call.ts";
import { andMore, gather, pageFrom } from "../listing.ts";
import { columns } from "../print/text.ts";

/** The sessions of the dashboard: of the administrator, and of users of mailboxes. */
export async function sessionList(call: CommandCall): Promise<CommandOutcome> {
  const page = pageFrom(call, "sessions");
  if ("ok" in page) return page;
  const asked = await gather(
    page,
    (one) => call.guard.ask<"session_list">({ verb: "session_list", ...one }),
    (first, second) => ({ ...second, sessions: [...first.sessions, ...second.sessions] }),
  );
  if (!asked.ok) return asked;
  const { sessions } = asked.result;
  if (sessions.length === 0) return done(asked.result, "Nobody is signed in to the dashboard.");
  const more = andMore({ ...asked.result, shown: sessions.length }, page.cursor);
  return done(
    asked.result,
    columns([["SESSION", "OF", "USED", "SINCE", "FROM", "DEVICE"], ...sessions.map(rowOf)]) + more,
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

function rowOf({ id, account, usedAt, startedAt, ip, device }: ListedSession): readonly string[] {
  return [id, account ?? "the administrator", dayAndTime(usedAt), dayAndTime(startedAt), ip, device];
}
