import { warningsOf } from "../../../settings/conflicts.ts";
import { programsToRestart, waitingForStart } from "../../../settings/restarts.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { adoptedEdits } from "./adopted-edits.ts";
import { beginTrial, confirmStrict } from "./begin-strict.ts";
import { confirmApply } from "./confirm-apply.ts";
import { settingsOf, surprises } from "./server-settings.ts";

/**
 * The keeper lets Postfix and Dovecot check what it renders; then the guard takes the same settings. Programs that read
 * a changed setting only at their start are restarted. Otherwise Dovecot could ask at a port that the guard has left.
 */
export async function configApply(call: CommandCall): Promise<CommandOutcome> {
  const adopted = await adoptedEdits(call, { isTrial: false });
  if (!adopted.ok) return adopted;
  const loaded = settingsOf(call);
  if (!loaded.ok) return loaded;
  const pending = await pendingOf(call);
  if (!pending.ok) return pending;
  const confirmed = await confirmApply(call, loaded.settings, pending.result.changed);
  if (!confirmed.ok) return confirmed;
  const strict = await confirmStrict(call, loaded.settings, pending.result.changed);
  if (!strict.ok) return strict;
  const applied = await call.keeper.ask({ verb: "apply" });
  if (!applied.ok)
    return failed(
      `Nothing was applied: ${applied.reason}.`.replace(/\.\.$/, "."),
      `Correct that, then \`${PROGRAM} config apply\` again.`,
    );
  const asked = await call.guard.ask<"reload">({ verb: "reload" });
  if (!asked.ok) return asked;
  const { changed, recorded } = asked.result;
  const restarted = programsToRestart(changed);
  for (const service of restarted) {
    const reply = await call.keeper.ask({ verb: "restart", service });
    if (!reply.ok) return failed(`Not everything is in force: ${reply.reason}`, `\`${PROGRAM} status\` shows more.`);
  }
  const tried = strict.begins ? await beginTrial(call) : null;
  if (tried !== null && !tried.ok) return tried;
  if (!recorded)
    return failed(
      "The settings are in force, but no record of it was kept: the database could not be written.",
      `\`${PROGRAM} status\` shows more.`,
    );
  const programs = restarted.map((program) => `Restarted the ${program}.`);
  const warnings = [...warningsOf(loaded.settings), ...surprises(call, loaded)];
  const notes = [confirmed.note, tried?.text ?? ""];
  const sentences = [...adopted.says, ...inForce(changed), applied.detail, ...programs, ...notes].filter(
    (part) => part !== "",
  );
  const text = [sentences.join(" "), ...warnings.map(({ says }) => `Warning: ${says}`)].join("\n");
  const next = tried?.ok === true ? tried.next : `${PROGRAM} status`;
  return done({ changed, restarted, detail: applied.detail, warnings }, text, next);
}

/** Only root may be able to read a file that was copied into place: then root gives it to the guard, and asks again. */
async function pendingOf(call: CommandCall): ReturnType<typeof ask> {
  const asked = await ask(call);
  if (asked.ok || asked.exit !== "failed" || process.getuid?.() !== 0) return asked;
  const { restoreSettingsAccess } = await import("../../../daemon/set-up/settings-access.ts");
  restoreSettingsAccess(call.layout);
  return ask(call);
}

async function ask(call: CommandCall) {
  return call.guard.ask<"pending">({ verb: "pending" });
}

function inForce(changed: readonly string[]): readonly string[] {
  if (changed.length === 0) return ["No setting had changed."];
  const waiting = waitingForStart(changed);
  const now = changed.filter((key) => !waiting.includes(key));
  return [
    ...(now.length === 0 ? [] : [`In force now: ${now.join(", ")}.`]),
    ...(waiting.length === 0 ? [] : [`In force with the next \`npm start\`: ${waiting.join(", ")}.`]),
  ];
}
