import type { Health, Stats } from "../../../../admin/declare/items.ts";
import { PAGE } from "../../../../admin/declare/paging.ts";
import { RENEW_IMAGE } from "../../../../core/report/todo.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime, instant, isoTime, span, until } from "../../../../core/time.ts";
import { VERSION } from "../../../../core/version.ts";
import { services } from "../../../../guard/explain/health.ts";
import { ALL_BANS, allBans, statsOf } from "../../../../guard/explain/stats.ts";
import { stateJson } from "../../../../host/firewall/firewall-state.ts";
import { readIsolation } from "../../../../host/firewall/isolation.ts";
import { IS_IMAGE } from "../../../../host/running/checkout.ts";
import { containerWarnings } from "../../../../host/running/container.ts";
import { readCheckRecord } from "../../../../jobs/check/check-record.ts";
import { readMailRecord } from "../../../../jobs/report/records.ts";
import type { Layout } from "../../../../settings/layout.ts";
import { givenUp } from "../../../../settings/profile.ts";
import { type Answer, type Call, done, type Failure, PROGRAM, withReader } from "../../call.ts";
import { hint } from "../../guard-client.ts";
import { shownLastDrill } from "../../print/drill.ts";
import { columns, joined, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { currentFirewall, shownState } from "../settings/firewall.ts";
import { countBans } from "./bans.ts";

export async function status(call: Call): Promise<Answer> {
  const asked = await call.guard.ask({ verb: "health" });
  if (!asked.ok) return asked.exit === "not_running" ? statusByKeeper(call, asked) : asked;
  // The state matters most when the database cannot be read, so it is shown even without the number of bans.
  const counted = await countBans(call);
  const active = counted && allBans(counted);
  const health = asked.result;
  const listed = await call.guard.ask({ verb: "alerts_list", limit: PAGE.most, cursor: null });
  const known = listed.ok ? listed.result : null;
  const { layout } = call;
  const firewall = await currentFirewall(call);
  const ports = "ok" in firewall ? null : firewall;
  const [check, drill, report] = [shownLastCheck(layout), shownLastDrill(layout), shownLastReport(layout)];
  const lastRuns = [ports && shownState(ports, readIsolation(layout)), check?.text, drill?.text, report?.text];
  const container = containerWarnings();
  const profile = shownProfile(call);
  const localOnly = known?.leadOut === false && LOCAL_ONLY;
  const text = joined("\n", [printStatus(health, active), localOnly, ...container, profile?.text, ...lastRuns]);
  // The open ones come first in the list.
  const open = known?.items.filter(({ resolvedAt }) => resolvedAt === null) ?? [];
  const alerts = known === null ? null : { open: open.length, leadOut: known.leadOut };
  const json = {
    ...health,
    version: VERSION,
    activeBans: active,
    alerts,
    container,
    profile: profile?.json ?? null,
    firewall: ports && stateJson(ports),
    lastCheck: check?.json ?? null,
    lastDrill: drill?.json ?? null,
    lastReport: report?.json ?? null,
  };
  return done(json, text, nextAfterStatus(health, active));
}

/** The status while only the guard is down. */
async function statusByKeeper({ keeper }: Call, why: Failure): Promise<Failure> {
  const reply = await keeper.ask({ verb: "status" });
  if (!reply.ok) return why;
  const guard = { name: "guard", status: "down", detail: why.message } as const;
  const components = [guard, ...services(reply)];
  const task = { kind: "notice", code: "guard_down", since: null, says: why.message, action: why.next, account: null };
  const json = { status: "down", headline: "guard_down", components, notices: [], needsYou: [task], uptimeSeconds: 0 };
  return { ...why, exit: "failed", found: { lines: printComponents(services(reply)).split("\n"), json } };
}

export const stats = withReader(async (call, reader) => {
  const asked = await call.guard.ask({ verb: "health" });
  if (!asked.ok) return asked;
  // A terminal gets the newest; a program, such as `grep`, gets all.
  const most = call.json || call.terminal.width === null ? ALL_BANS : BANS_SHOWN;
  const result = statsOf(reader.queries, asked.result, call.now(), most);
  return done(result, printStats(result, call.now()), `${PROGRAM} stats --json`);
});

const STOPPED = "GhostInbox is running, but mail does not flow.";
const PARTLY_STOPPED = "GhostInbox is running, but not all mail flows.";
const DOWN = "GhostInbox is running, but something essential is down.";
const HEADLINES: Readonly<Record<Health["headline"], string>> = {
  guard_down: DOWN,
  down: DOWN,
  degraded: "GhostInbox is running, but not everything works.",
  disk_full: STOPPED,
  disk_read_only: STOPPED,
  isolated: "GhostInbox is running, but it is isolated.",
  ports_blocked: PARTLY_STOPPED,
  sign_ins_blocked: "GhostInbox is running, but no one can sign in.",
  certificate_expired: "GhostInbox is running, but its certificate has expired.",
  domain_missing: PARTLY_STOPPED,
  dns_failing: PARTLY_STOPPED,
  mail_unstored: PARTLY_STOPPED,
  relay_refuses: PARTLY_STOPPED,
  outgoing_blocked: "GhostInbox is running, but when last checked, mail to other servers could not leave.",
  tasks: "GhostInbox is running.",
  well: "GhostInbox is running.",
};

function printStatus(health: Health, activeBans: number | null): string {
  const bans = activeBans === null ? "bans unknown" : `${plural(activeBans, "ban")} in force`;
  const tasks = health.needsYou.map(
    ({ since, says, action }) =>
      `! ${oneLine(says)}${since === null ? "" : ` (since ${dayAndTime(since)})`}\n  ${oneLine(action)}`,
  );
  return [
    `${HEADLINES[health.headline]} Up ${span(health.uptimeSeconds * 1_000)}, ${bans}. Version ${VERSION}. ${tasksText(tasks.length, health.headline)}`,
    printComponents(health.components),
    ...tasks,
  ].join("\n");
}

function printComponents(components: Health["components"]): string {
  return columns(components.map(({ name, status: state, detail }) => [`  ${name}`, state, detail]));
}

function tasksText(tasks: number, headline: Health["headline"]): string {
  // Without a task, a failed part is just being restarted; if that does not help, an alert follows.
  if (tasks === 0) return headline === "well" ? "Nothing needs attention." : "The list below shows what does not work.";
  return tasks === 1 ? "One thing needs attention." : `${tasks} things need attention.`;
}

const LOCAL_ONLY =
  "Alerts go only through this server's own mail queue: while mail does not flow, no one gets them. Set another channel, such as alerts.ntfy (docs/alerts.md).";

const COMMAND = new RegExp(`\`(${RegExp.escape(PROGRAM)} [^\`]+)\``);

/** Exported for its test. */
export function nextAfterStatus(health: Health, activeBans: number | null): string {
  if (activeBans === null) return `${PROGRAM} bans  # shows why the database cannot be read`;
  // Only our own commands, because advice also names other programs and settings.
  const [command] = health.needsYou.flatMap(({ action }) => COMMAND.exec(hint(action))?.[1] ?? []);
  if (command !== undefined) return command;
  return activeBans > 0 ? `${PROGRAM} bans` : `${PROGRAM} events --follow`;
}

/** More would push the counts off the screen; `bans` lists all. */
const BANS_SHOWN = 10;

/** Exported for its test. */
export function printStats(totals: Stats, nowMs: number): string {
  const bans = totals.bans.items.map((item) => [`  ${item.ip}`, item.level, until(item.expiresAt, nowMs), item.reason]);
  const counts = Object.entries(totals.counts).map(([type, count]) => [`  ${type}`, String(count)]);
  const tops = totals.topIps.map((top) => [`  ${top.ip}`, ...[top.mails, top.connections, top.rejected].map(String)]);
  const rest = totals.bans.active - bans.length;
  const more = rest > 0 ? `\n… and ${rest.toLocaleString("en")} more: ${PROGRAM} bans` : "";
  return [
    printStatus(totals.health, totals.bans.active),
    section("Bans in force, newest first", bans) + more,
    section("Events of the last 24 hours", counts),
    section("Busiest addresses of the last 24 hours", [["  ADDRESS", "MAILS", "CONNECTIONS", "REJECTED"], ...tops]),
  ].join("\n\n");
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? `${title}: none` : `${title}:\n${columns(rows)}`;
}

/** The last run of all checks in one line and as JSON; null if there was none or the caller may not read it. */
export function shownLastCheck(layout: Layout) {
  const record = readCheckRecord(layout);
  if (record.at === null) return null;
  const at = isoTime(instant(record.at));
  const all = Object.entries(record.checks);
  const wrong = all.filter(([, { state }]) => state === "wrong").map(([id]) => id);
  const bad = wrong.length === 0 ? "nothing wrong" : `wrong: ${wrong.join(", ")}`;
  const renewal = IS_IMAGE && wrong.includes("updates.waiting") ? ` Renew the image: ${RENEW_IMAGE}` : "";
  const text = `Last checks: ${dayAndTime(at)}, ${plural(all.length, "check")}, ${bad}.${renewal}`;
  return { text, json: { at, checks: all.length, wrong } };
}

/** The same for the last report by mail. */
export function shownLastReport(layout: Layout) {
  const { last } = readMailRecord(layout);
  if (last === null) return null;
  const at = isoTime(instant(last.at));
  return { text: `Last report by mail: ${dayAndTime(at)}, to ${last.to.join(", ")}.`, json: { at, to: last.to } };
}

/** The profile and what it gives up; null for the usual one, or if the settings cannot be read. */
export function shownProfile(call: Pick<Call, "layout" | "env">) {
  const loaded = settingsOf(call);
  if (!loaded.ok || loaded.settings.profile === "standard") return null;
  const { profile: name } = loaded.settings;
  const givesUp = givenUp(name, loaded.sources);
  const lines = givesUp.map((line) => `\n  ${line}`);
  return { text: `Profile ${name} (docs/small-machine.md):${lines.join("")}`, json: { name, givesUp } };
}
