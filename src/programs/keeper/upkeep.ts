import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import type { UpkeepItem } from "../../admin/declare/reports.ts";
import { formatBytes } from "../../core/report/figures.ts";
import { plural } from "../../core/text.ts";
import { isoTimeOrNull, span } from "../../core/time.ts";
import { readAnchors } from "../../jobs/audit/audit-anchors.ts";
import { lastDrill, readBackupRecord, readDrills } from "../../jobs/backup/records.ts";
import { readCheckRecord } from "../../jobs/check/check-record.ts";
import { readMailRecord } from "../../jobs/report/records.ts";
import { readRulesRecord } from "../../jobs/spam-rules/spam-rules.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

type UpkeepSettings = Pick<Settings, "backup.enabled" | "report.mail" | "spam.enabled" | "spam.updates">;
/** The last run, without failures. `at` in ms. */
type Done = Readonly<{ at: number | null; says: string; isOff?: boolean }>;
type Name = UpkeepItem["name"];

/** `down`, `degraded`: notices that put the task into this state. `command`: shows or does more. */
type Task = Readonly<{ down: readonly string[]; degraded: readonly string[]; command: string }>;

const TASKS: Readonly<Record<Name, Task>> = {
  backup: {
    down: ["backup_failed"],
    degraded: ["backup_overdue", "backup_old_kept", "backup_key_unseen"],
    command: "./ghostinbox backup list",
  },
  drill: { down: ["backup_drill_failed"], degraded: ["backup_drill_overdue"], command: "./ghostinbox backup drill" },
  checks: { down: [], degraded: ["check_failed"], command: "./ghostinbox check" },
  updates: { down: [], degraded: ["component_outdated"], command: "./ghostinbox check --only updates" },
  report: { down: [], degraded: ["report_unsent"], command: "./ghostinbox report" },
  audit: { down: ["audit_broken"], degraded: [], command: "./ghostinbox audit verify" },
  spam_rules: { down: [], degraded: ["spam_rules_old"], command: "./ghostinbox spam update" },
};

/** The upkeep in the command line's `status`, for readers without access to root's records. Contains no path and no secret. */
export function upkeepOf(layout: Layout, troubles: readonly KeeperTrouble[], settings: UpkeepSettings | null) {
  return [
    item("backup", ifOn(settings, "Nightly backups", backup(layout)), troubles),
    item("drill", ifOn(settings, "Restore drills", drill(layout)), troubles),
    checksItem(layout, troubles),
    updatesItem(layout, troubles),
    item("report", report(layout, settings), troubles),
    item("audit", audit(layout), troubles),
    item("spam_rules", spamRules(layout, settings), troubles),
  ];
}

function item(name: Name, { at, says, isOff = false }: Done, troubles: readonly KeeperTrouble[]): UpkeepItem {
  const { down, degraded, command } = TASKS[name];
  const about = troubles.filter(({ code }) => down.includes(code) || degraded.includes(code));
  const isDown = about.some(({ code }) => down.includes(code));
  const well = at === null || isOff ? "unknown" : "ok";
  return {
    name,
    state: isDown ? "down" : about.length > 0 ? "degraded" : well,
    at: isoTimeOrNull(at),
    says: [says, ...about.map(({ detail }) => `${detail}.`)].join(" "),
    command,
  };
}

/** `what`: backups or drills. */
function ifOn(settings: UpkeepSettings | null, what: string, { at, says }: Done): Done {
  if (settings?.["backup.enabled"] !== false) return { at, says };
  const off = `${what} are off (backup.enabled).`;
  return { at, says: at === null ? off : `${off} ${says}`, isOff: true };
}

function backup(layout: Layout): Done {
  const { last } = readBackupRecord(layout);
  if (last === null) return { at: null, says: "There is none yet." };
  const { at, mails, bytes, addedBytes, tookMs } = last;
  const says = `${plural(mails, "mail")}, ${formatBytes(bytes)}, of which ${formatBytes(addedBytes)} were new, in ${span(tookMs)}.`;
  return { at, says };
}

function drill(layout: Layout): Done {
  const last = lastDrill(readDrills(layout));
  if (last === null) return { at: null, says: "No run so far." };
  const { at, reason, found, tookMs } = last;
  if (reason !== null) return { at, says: "It failed." };
  return { at, says: `${plural(found?.mails ?? 0, "mail")} restored and checked, in ${span(tookMs)}.` };
}

function checksItem(layout: Layout, troubles: readonly KeeperTrouble[]): UpkeepItem {
  const { at, checks } = readCheckRecord(layout);
  const all = Object.entries(checks);
  const named = (state: string): readonly string[] => all.flatMap(([id, one]) => (one.state === state ? [id] : []));
  const [wrong, warned] = [named("wrong"), named("warning")];
  const parts = [
    `${plural(all.length, "check")}.`,
    ...(wrong.length === 0 ? [] : [`Wrong: ${wrong.join(", ")}.`]),
    ...(warned.length === 0 ? [] : [`Warnings: ${warned.join(", ")}.`]),
  ];
  const one = item("checks", { at, says: at === null ? "None ran yet." : parts.join(" ") }, troubles);
  return one.state === "ok" && wrong.length + warned.length > 0 ? { ...one, state: "degraded" } : one;
}

/** Debian's updates, as the checks last found them. */
function updatesItem(layout: Layout, troubles: readonly KeeperTrouble[]): UpkeepItem {
  const { at, checks } = readCheckRecord(layout);
  const seen = Object.entries(checks).filter(([id]) => id.startsWith("updates."));
  const says = seen.map(([, { evidence }]) => evidence).join(" ");
  const one = item("updates", { at: seen.length === 0 ? null : at, says: says || "Not checked yet." }, troubles);
  if (one.state !== "ok") return one;
  if (seen.some(([, { state }]) => state === "wrong")) return { ...one, state: "down" };
  if (seen.some(([, { state }]) => state === "warning")) return { ...one, state: "degraded" };
  return seen.some(([, { state }]) => state === "unknown") ? { ...one, state: "unknown" } : one;
}

function report(layout: Layout, settings: UpkeepSettings | null): Done {
  const { last } = readMailRecord(layout);
  const isOff = settings?.["report.mail"] === "off";
  if (last === null) return { at: null, says: isOff ? "No report is mailed (report.mail)." : "None was mailed yet." };
  return { at: last.at, says: `Mailed to ${plural(last.to.length, "address")}.`, isOff };
}

function audit({ auditAnchors }: Layout): Done {
  const last = readAnchors(auditAnchors).anchors.at(-1);
  if (last === undefined) return { at: null, says: "Nothing is anchored yet." };
  return { at: Date.parse(last.at), says: `The chain is anchored up to entry ${last.id}.` };
}

function spamRules(layout: Layout, settings: UpkeepSettings | null): Done {
  const { last } = readRulesRecord(layout);
  const isOff = settings?.["spam.enabled"] === false || settings?.["spam.updates"] === false;
  if (last === null)
    return { at: null, says: isOff ? "No rules are fetched (spam.updates)." : "None were fetched yet." };
  return { at: last.at, says: `Version ${last.version}.`, isOff };
}
