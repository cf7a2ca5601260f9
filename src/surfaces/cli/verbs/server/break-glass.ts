import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { failureOf } from "../../../../core/error.ts";
import { UNCONFIRMED } from "../../../../core/firewall/strict.ts";
import { plural } from "../../../../core/text.ts";
import { TABLE } from "../../../../host/firewall/guard-table.ts";
import { keepStrict, listStrict, loadStrict, readStrict } from "../../../../host/firewall/strict.ts";
import { STRICT_TABLE } from "../../../../host/firewall/strict-rules.ts";
import { lastLines, runProgram } from "../../../../host/machine/run-program.ts";
import { createFile } from "../../../../host/root-files/files.ts";
import { runsForAnother } from "../../../../host/running/processes.ts";
import { stopCommand } from "../../../../host/running/server-commands.ts";
import type { Layout } from "../../../../settings/layout.ts";
import { type Answer, type Call, confirmed, done, failed, noServerIn, PROGRAM } from "../../call.ts";
import { countBans } from "./bans.ts";

/** Lifts every ban and unlocks every guarded account, through the guard if it answers, otherwise in the kernel. */
export async function breakGlass(call: Call): Promise<Answer> {
  // If the bans cannot be counted, continues without asking, so that no one stays locked out.
  const byHand = (await countBans(call))?.manual ?? 0;
  if (byHand > 0 && !(await confirmed(call, `This also lifts ${plural(byHand, "ban")} made by hand. Continue?`)))
    return failed("Nothing was lifted.", `\`${PROGRAM} unban IP\` lifts a single ban.`);
  const asked = await call.guard.ask({ verb: "break_glass" });
  const next = `${PROGRAM} allow add YOUR-ADDRESS  # so that it is never banned again`;
  if (asked.ok) {
    const { lifted } = asked.result;
    const strict = await openStrict(call.layout);
    const says = `${plural(lifted, "ban")} lifted; no address is banned and no account is guarded, until someone offends again.${strict.says}`;
    return strict.next === null ? done({ lifted, through: "guard" }, says, next) : failed(says, strict.next);
  }
  if (process.getuid?.() !== 0) return failed("Only root can change the firewall.", `Try: sudo ${PROGRAM} break-glass`);
  const none = noServerIn(call.layout);
  // That server's guard would put the table back, with every ban.
  if (none !== null && runsForAnother(call.layout.data))
    return failed(`Nothing was lifted. ${none.message} A server with another directory runs here.`, none.next);
  const firewall = await deleteTable();
  const strict = await openStrict(call.layout);
  const request = leaveRequest(call.layout);
  const back =
    asked.exit === "not_running"
      ? ""
      : " The guard may put the table back: stop the server if you are locked out again.";
  const text = `The guard could not do it (${asked.message}) ${firewall.says} ${request.says}${back}${strict.says}`;
  const fault = firewall.ok ? (strict.next ?? (request.ok ? null : stopText(call.layout))) : byHandText(TABLE);
  if (fault !== null) return failed(text, fault);
  const json = { lifted: null, through: "kernel", tableDeleted: firewall.deleted, requested: request.requested };
  return done(json, text, next);
}

function byHandText(table: string): string {
  return `Delete the table by hand: nft delete table ${table}`;
}

/** For the case that a running guard or keeper puts the deleted tables back. */
function stopText(layout: Layout): string {
  return `If you are locked out again, stop the server with ${stopCommand(layout)}.`;
}

/** Opens the strict firewall until someone tries and confirms it again. `says` is empty if nothing was done, `next` null if nothing failed. */
async function openStrict(layout: Layout) {
  const listing = await listStrict();
  const { confirmed: opening, trial } = readStrict(layout);
  // A stopped server has no table, and its next start builds one from the record.
  const isOpen = opening === null && trial === null && (listing === null || listing === "");
  if (process.getuid?.() !== 0 || isOpen) return { says: "", next: null };
  // The record first, or the keeper would put the table back. A disk error must not keep the firewall closed.
  const unkept = failureOf(() => keepStrict(layout, UNCONFIRMED));
  const ended = await loadStrict(null, null);
  if (!ended.ok)
    return { says: ` The strict firewall could not be opened: ${ended.reason}.`, next: byHandText(STRICT_TABLE) };
  return unkept === null
    ? { says: ` The strict firewall is open, until \`${PROGRAM} firewall try\`.`, next: null }
    : {
        says: ` The strict firewall is open, but its record could not be changed (${unkept}): a running server closes it again.`,
        next: stopText(layout),
      };
}

async function deleteTable() {
  const tables = await runProgram("nft", ["list", "tables"]);
  if (tables.code === 0 && !tables.stdout.split("\n").includes(`table ${TABLE}`))
    return { ok: true, deleted: false, says: "There was no GhostInbox table in the firewall." };
  const deleted = await runProgram("nft", ["delete", "table", ...TABLE.split(" ")]);
  if (deleted.code === 0) return { ok: true, deleted: true, says: `The firewall table ${TABLE} is deleted.` };
  return { ok: false, deleted: false, says: `The firewall table could not be deleted: ${lastLines(deleted)}.` };
}

/** The bans are still in the guard's database. Leaves a file that asks the guard to lift them as soon as it can. */
function leaveRequest(layout: Layout) {
  if (!existsSync(layout.engineDb)) return { ok: true, requested: false, says: "No database holds any bans." };
  if (!existsSync(dirname(layout.breakGlass)))
    return { ok: false, requested: false, says: `${dirname(layout.breakGlass)} does not exist.` };
  // The guard owns the directory, so a link of that name is not followed. An empty file fits even on a full disk.
  const failure = failureOf(() => createFile(layout.breakGlass, { mode: 0o644 }));
  if (failure !== null)
    return { ok: false, requested: false, says: `The guard could not be asked to lift the bans: ${failure}.` };
  return { ok: true, requested: true, says: "The guard will lift every ban as soon as it can." };
}
