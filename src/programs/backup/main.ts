/**
 * The nightly backup, or with `drill` the restore drill: a separate process that the keeper starts as root. `second DIR` is the
 * second server of a drill, in separate namespaces.
 */

import { messageOf } from "../../core/error.ts";
import { plural } from "../../core/text.ts";
import { settingsIn, settingsInForce } from "../../host/machine/settings-text.ts";
import { createBackup } from "../../jobs/backup/create.ts";
import { CannotBeApart, drillRestore } from "../../jobs/backup/drill.ts";
import { NIGHTLY } from "../../jobs/backup/restic.ts";
import { layoutFrom } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

const watch = (): void => undefined;
const layout = layoutFrom(process.env);
const [, , task = "", scratch = ""] = process.argv;
if (task === "second") await second();
else await scheduled();

async function scheduled(): Promise<void> {
  const loaded = settingsInForce(layout, process.env) ?? settingsIn(layout.settings, process.env);
  if (!loaded.ok) return fail(loaded.reason);
  return task === "drill" ? drill(loaded.settings) : backUp(loaded.settings);
}

async function backUp(settings: Settings): Promise<void> {
  const made = await createBackup(layout, settings, { tag: NIGHTLY, watch });
  if (made.ok) console.log(`backup: ${made.backup.snapshot} holds ${plural(made.backup.mails, "mail")}`);
  else fail(made.reason);
}

async function drill(settings: Settings): Promise<void> {
  const outcome = await drillRestore(layout, settings, { env: process.env, watch, says: watch });
  if (!outcome.ok) return fail(outcome.reason);
  const { reason } = outcome.drill;
  if (reason === null) console.log("backup: the newest backup was restored beside the server, and passed all checks");
  else fail(`restore drill: ${reason}`);
}

/** Its last line on standard output is the answer. Everything that it has started ends with it. */
async function second(): Promise<void> {
  try {
    const { serveScratch } = await import("./serve-scratch.ts");
    console.log(JSON.stringify({ ok: true, seen: await serveScratch(layout, scratch, process.env) }));
    process.exit(0);
  } catch (error) {
    const isImpossible = error instanceof CannotBeApart;
    console.log(JSON.stringify({ ok: false, reason: messageOf(error), isImpossible }));
    process.exit(1);
  }
}

/** The keeper takes the reason from here, and notes it unless the task has. */
function fail(reason: string): void {
  console.error(`backup: ${reason}`);
  process.exitCode = 1;
}
