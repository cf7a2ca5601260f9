import { existsSync } from "node:fs";
import type { Progress } from "../../../adapters/backup/restic.ts";
import { dayAndTime, span } from "../../../core/shown.ts";
import { plural } from "../../../core/text.ts";
import { instant, isoTime } from "../../../core/time.ts";
import type { Drill, Found } from "../../../daemon/backup/drill-record.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { oneLine } from "../../print/text.ts";
import { environmentOf } from "../settings/server-settings.ts";
import { progressText, rootWithSettings } from "./backup.ts";
import { drillJson } from "./last-drill.ts";

/** `backup drill` */
export async function backupDrill(call: CommandCall): Promise<CommandOutcome> {
  const read = rootWithSettings(call);
  if (!("settings" in read)) return read;
  if (!existsSync(call.layout.backupKey)) return failed("No backup exists yet.", `Make one: ${PROGRAM} backup create`);
  const { drillRestore } = await import("../../../daemon/backup/drill.ts");
  const watch = (progress: Progress): void => call.terminal.progress(progressText("Restored", progress));
  call.terminal.progress("Looking for the newest backup ...");
  const outcome = await drillRestore(call.layout, read.settings, {
    env: environmentOf(call),
    watch,
    says: (step) => call.terminal.progress(step),
  });
  if (!outcome.ok) return failed(outcome.reason, "Try again later.");
  const { drill } = outcome;
  const json = drillJson(drill);
  if (drill.reason === null)
    return done(
      json,
      `The backup ${drill.snapshot} was restored beside the server, checked and removed again in ${span(drill.tookMs)}.\n${lines(drill)}`,
    );
  const message = `The restore drill failed: ${oneLine(drill.reason)}.`;
  return {
    ...failed(message, `Make another backup and try again: ${PROGRAM} backup create`),
    found: { lines: [], json },
  };
}

function lines({ found, madeAt }: Drill): string {
  if (found === null || madeAt === null) return "";
  return [
    `  made       ${dayAndTime(isoTime(instant(madeAt)))}`,
    `  mails      ${plural(found.mails, "mail")} in ${plural(found.mailboxes, "mailbox", "mailboxes")}, ${found.queued} in the queue: as many as the server had`,
    `  compared   ${comparedText(found)}`,
    `  databases  both whole, row by row: ${plural(found.accounts, "account")}, ${plural(found.aliases, "alias", "aliases")}, ${plural(found.bans, "ban")}, ${plural(found.tokens, "token")}`,
    "  settings   readable; certificate and DKIM keys fit",
    `  server     ${serverText(found)}`,
  ].join("\n");
}

function serverText({ server }: Found): string {
  if (server === null)
    return "not started: this machine lets root make no namespaces or mount nothing in them, so it would meet the running one";
  const { startMs, mails, signedIn, aliases, bans } = server;
  return [
    `started from it without a network in ${span(startMs)}: Dovecot counts ${plural(mails, "mail")}`,
    signedIn === null ? "no account to sign in with" : `${signedIn} can sign in`,
    `${plural(aliases, "alias", "aliases")} forwarded`,
    bans === null ? "no firewall" : `${plural(bans, "ban")} in its firewall`,
  ].join(", ");
}

function comparedText({ same, gone }: Found): string {
  const sinceGone = gone === 0 ? "" : `; ${gone} moved or deleted since`;
  return `${plural(same, "mail")} with the mailboxes: equal${sinceGone}`;
}
