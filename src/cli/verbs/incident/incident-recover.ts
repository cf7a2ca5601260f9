import type { Difference } from "../../../core/incident/compare.ts";
import { type Isolation, lifted, SHUT, type Shut } from "../../../core/incident/isolation.ts";
import { dayAndTime } from "../../../core/shown.ts";
import { plural } from "../../../core/text.ts";
import { instant, isoTime } from "../../../core/time.ts";
import { lockHolder } from "../../../daemon/set-up/running/lock.ts";
import type { Outcome } from "../../../engine/ports.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { columns, oneLine } from "../../print/text.ts";
import { environmentOf, settingsOf } from "../settings/server-settings.ts";
import { isFailure, openIncidentOf, take, withContacts } from "./the-incident.ts";

const OPENS: Readonly<Record<Shut, string>> = {
  receive: "mail from others is taken and delivered again",
  "sign-in": "users sign in again, and the dashboard is reached",
  send: "mail to others leaves again",
};

/** `incident recover`: what differs from the last good backup. With `--lift`, one part more of the isolation is lifted. */
export async function incidentRecover(call: CommandCall): Promise<CommandOutcome> {
  const incident = await openIncidentOf(call, "incident recover");
  if (isFailure(incident)) return incident;
  const read = settingsOf(call);
  if (!read.ok) return read;
  const lift = call.option("lift");
  const { readIsolation } = await import("../../../daemon/incident/isolation.ts");
  const isolation = readIsolation(call.layout);
  if (lift !== null) return liftPart(call, lift, isolation);
  const { compareWithBackup } = await import("../../../daemon/incident/compare-backup.ts");
  call.terminal.progress("Comparing with the last backup from before the incident ...");
  const environment = environmentOf(call);
  const compared = await compareWithBackup(
    call.layout,
    { settings: read.settings, env: environment },
    Date.parse(incident.since),
  );
  const found = compared.ok ? compared.differences : [];
  const says = compared.ok
    ? `Compared with the backup ${compared.snapshot} of ${dayAndTime(isoTime(instant(compared.at)))}: ${found.length === 0 ? "settings, accounts and aliases are the same" : plural(found.length, "difference")}.`
    : `Nothing could be compared: ${compared.reason}.`;
  const lines = found.map(({ what, was, is }) => `${what}: ${was ?? "not there"} -> ${is ?? "gone"}`);
  const unaudited = await take(call, incident, { step: "recover", says, lines });
  const next = nextOf(isolation);
  const text = [says, ...tableOf(found), ...stateOf(isolation), ...(unaudited === "" ? [] : [unaudited])].join("\n");
  return done({ compared, isolation }, withContacts(call, text), next);
}

/**
 * The firewall opens last, so that nothing comes in that would still be held. What is open already is opened again: a lift that was
 * interrupted leaves Postfix or the firewall closed.
 */
async function liftPart(call: CommandCall, word: string, isolation: Isolation | null): Promise<CommandOutcome> {
  const incident = await openIncidentOf(call, "incident recover");
  if (isFailure(incident)) return incident;
  const part = word === "all" ? "all" : SHUT.find((one) => one === word);
  if (part === undefined)
    return wrongUsage(`"${oneLine(word)}" is not a part of the isolation.`, `Write one of: ${SHUT.join(", ")}, all.`);
  const parts = part === "all" ? (isolation?.shut ?? SHUT) : [part];
  const read = settingsOf(call);
  if (!read.ok) return read;
  const { endShutOut, keepIsolation, shutOut } = await import("../../../daemon/incident/isolation.ts");
  const left = isolation === null ? null : lifted(isolation, parts);
  keepIsolation(call.layout, left);
  const applied = await apply(call);
  if (!applied.ok) {
    keepIsolation(call.layout, isolation);
    return failed(`Nothing was lifted: ${applied.reason}`, "Settle that, and try again.");
  }
  const opened = await (left === null ? endShutOut() : shutOut(left, read.settings));
  if (!opened.ok) {
    keepIsolation(call.layout, isolation);
    // Postfix is open by now: the queue must be held again as the file says.
    const held = await apply(call);
    const queue = held.ok ? "" : ` The queue is not held again: ${held.reason}.`;
    return failed(
      `Nothing was lifted, because the firewall was not opened: ${opened.reason}.${queue}`,
      "Settle that, and try again. docs/incidents.md says how to open it by hand.",
    );
  }
  // What waited is tried at once; what the guard or root holds stays.
  await call.guard.ask<"queue_flush">({
    verb: "queue_flush",
    ids: [],
    account: null,
    sender: null,
    recipient: null,
    isAll: true,
    cursor: null,
  });
  const says = `Lifted: ${parts.map((one) => OPENS[one]).join("; ")}.${left === null ? " The server is no longer isolated." : ""}`;
  const unaudited = await take(call, incident, { step: "recover", says });
  return done({ lifted: parts, isolation: left }, withContacts(call, `${says} ${unaudited}`.trim()), nextOf(left));
}

/** A server that is down starts with what the file of the isolation says. */
async function apply(call: CommandCall): Promise<Outcome> {
  return lockHolder(call.layout.startPid) === null ? { ok: true } : call.keeper.ask({ verb: "apply" });
}

function nextOf(isolation: Isolation | null): string {
  const [first] = isolation?.shut ?? [];
  return first === undefined ? `${PROGRAM} incident report` : `${PROGRAM} incident recover --lift ${first}`;
}

function tableOf(found: readonly Difference[]): readonly string[] {
  if (found.length === 0) return [];
  const rows = found.map(({ what, was, is }) => [what, was ?? "(not there)", is ?? "(gone)"]);
  return ["", columns([["WHAT", "IN THE BACKUP", "NOW"], ...rows])];
}

function stateOf(isolation: Isolation | null): readonly string[] {
  return isolation === null
    ? []
    : ["", `Isolated since ${dayAndTime(isolation.since)}; still closed: ${isolation.shut.join(", ")}.`];
}
