import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { Health } from "../../admin/declare/items.ts";
import { ALL } from "../../admin/declare/paging.ts";
import { alertText, isAlertCode } from "../../core/alerts/alerts.ts";
import { parseAccountName } from "../../core/net/address.ts";
import {
  type AccountFigures,
  type AuditFigures,
  type BackupFigures,
  type CertificateFigures,
  type NoticeFigures,
  type ReportFacts,
  type ReportSpan,
  renewalDue,
  UNUSED_DAYS,
  type Unless,
  unusedOf,
} from "../../core/report/figures.ts";
import { DAY_MS, instant, isoTime, later, type Millis, WEEK_MS } from "../../core/time.ts";
import { VERSION } from "../../core/version.ts";
import { allBans } from "../../guard/explain/stats.ts";
import type { Failed } from "../../guard/ports.ts";
import { hardening } from "../../host/debian/hardening.ts";
import { imageUpdates, knownHoles, waitingUpdates } from "../../host/debian/updates.ts";
import { IS_IMAGE } from "../../host/running/checkout.ts";
import { ask } from "../../host/sockets/control-client.ts";
import { servedFiles } from "../../mail/certificates/issue-certificate.ts";
import { corrections } from "../../mail/spamassassin/learn-spam.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { sqliteAccountLists } from "../../store/accounts-db/account-lists.ts";
import { sqliteLastSignIns } from "../../store/engine-db/account-history.ts";
import { sqliteAuditEntries } from "../../store/events/audit.ts";
import { sqliteFigures } from "../../store/events/figures.ts";
import { sqliteReportEvents } from "../../store/events/report-events.ts";
import { openAccountsForReading, openEngineForReading } from "../../store/open.ts";
import { lastDrill, readBackupRecord, readDrills } from "../backup/records.ts";
import { placeOf } from "../backup/repository.ts";
import { readRulesRecord } from "../spam-rules/spam-rules.ts";
import { diskFigures } from "./records.ts";

const SPANS_MS: Readonly<Record<ReportSpan, number>> = { week: WEEK_MS, month: 30 * DAY_MS };
const AUDIT_SHOWN = 10;
/** Maximum audit entries; the newest ones. */
const AUDIT_LOOKED = 10_000;

type Asked = Readonly<{
  layout: Layout;
  settings: Settings;
  span: ReportSpan;
  now: Millis;
  mailedAt?: number | undefined;
}>;
type Databases = Readonly<{
  engine: ReturnType<typeof openEngineForReading>;
  accounts: ReturnType<typeof openAccountsForReading>;
}>;

/** Collects the facts of a report. Opens the databases only while the guard has them open. Throws UnusableDatabase. */
export async function gatherFacts(asked: Asked): Promise<Readonly<{ ok: true; facts: ReportFacts }> | Failed> {
  const { layout, settings, span, now } = asked;
  const raised = await notices(layout);
  if (raised === null) return { ok: false, reason: "The guard does not answer." };
  using engine = openEngineForReading(layout.engineDb);
  using accounts = openAccountsForReading(layout.accountsDb);
  const recorded = databaseFacts(asked, { engine, accounts });
  const [updates, holes] = await Promise.all([IS_IMAGE ? imageUpdates(now) : waitingUpdates(), knownHoles()]);
  const facts = {
    ...recorded,
    host: settings.hostname,
    span,
    updates,
    holes,
    hardening: hardening(),
    notices: raised,
    versions: { own: VERSION, node: process.versions.node },
    certificate: certificate(layout, settings),
    disk: diskFigures(layout),
    backups: backups(layout, settings),
    accounts: accountFigures({ engine, accounts }, now),
  };
  return { ok: true, facts };
}

/**
 * A mailed report starts where the last one ended, even if that is longer ago than its span, after a month of 31 days or a late report. It
 * covers at most twice its span.
 */
export function startOf({ span, now, mailedAt = now }: Pick<Asked, "span" | "now" | "mailedAt">): Millis {
  const spanMs = SPANS_MS[span];
  return later(now, -Math.min(Math.max(spanMs, now - mailedAt), 2 * spanMs));
}

function databaseFacts(asked: Asked, { engine, accounts }: Databases) {
  const { layout, settings, now } = asked;
  const lists = sqliteAccountLists(accounts);
  const from = startOf(asked);
  const events = sqliteReportEvents(engine, from, now);
  const refusals = events.reasons("EMAIL_BLOCKED");
  const isAccount = (name: string): boolean => {
    const parsed = parseAccountName(name);
    return parsed !== null && lists.account(parsed) !== null;
  };
  return {
    from: isoTime(from),
    to: isoTime(now),
    days: events.days(),
    looked: events.looked(),
    addresses: events.addresses(),
    triedNames: events.names().map((one) => ({ ...one, isAccount: isAccount(one.name) })),
    refusals,
    spam: {
      isOn: settings["spam.enabled"],
      ...events.scored(),
      rules: rulesFigures(layout),
      ...corrections(layout.spamCorrections, from, now),
      refused: refusals.find(({ code }) => code === "spam_refused")?.count ?? 0,
    },
    bans: { standing: allBans(sqliteFigures(engine).banCounts(now)), byReason: events.reasons("BAN") },
    audit: auditFigures(sqliteAuditEntries(engine), from),
  };
}

function rulesFigures(layout: Layout): ReportFacts["spam"]["rules"] {
  const { last, failure } = readRulesRecord(layout);
  return last && { version: last.version, at: isoTimeOf(last), failure };
}

/** What people did; omits the guard's own entries. */
function auditFigures(entries: ReturnType<typeof sqliteAuditEntries>, from: Millis): AuditFigures {
  const { items } = entries.entries({ limit: AUDIT_LOOKED, cursor: null });
  const found = items.filter(({ at, actor }) => Date.parse(at) >= from && actor !== "engine");
  const byType = [...Map.groupBy(found, ({ type }) => type)].map(([type, those]) => ({ type, count: those.length }));
  return {
    total: found.length,
    byType: byType.toSorted((a, b) => b.count - a.count),
    latest: found.slice(0, AUDIT_SHOWN).map(({ at, actor, type, subject }) => ({ at, actor, type, subject })),
  };
}

function accountFigures({ engine, accounts }: Databases, now: Millis): AccountFigures {
  const signIns = sqliteLastSignIns(engine);
  const { items } = sqliteAccountLists(accounts).accounts(ALL);
  const all = items.map((row) => ({ ...row, lastSignInAt: signIns(row.name)?.at ?? null }));
  return {
    total: all.length,
    suspended: all.filter(({ suspended }) => suspended).length,
    unused: unusedOf(all, now).map(({ name, lastSignInAt }) => ({ name, lastSignInAt })),
    unusedDays: UNUSED_DAYS,
  };
}

function certificate(layout: Layout, settings: Settings): Unless<CertificateFigures> {
  const { cert } = servedFiles(layout);
  if (!existsSync(cert)) return { known: false, reason: "There is no certificate yet." };
  const leaf = new X509Certificate(readFileSync(cert));
  const names = (leaf.subjectAltName ?? "").split(", ").map((name) => name.replace(/^[^:]*:/, ""));
  const own = settings["tls.cert"];
  const validTo = isoTime(instant(leaf.validToDate.getTime()));
  const dueAt = isoTime(renewalDue(leaf));
  return { known: true, file: own === "" ? layout.tlsCert : own, names, validTo, dueAt, isOwn: own === "" };
}

function backups(layout: Layout, settings: Settings): BackupFigures {
  const { last, failure, isKeySeen } = readBackupRecord(layout);
  return {
    isOn: settings["backup.enabled"],
    last: last && { at: isoTimeOf(last), mails: last.mails, bytes: last.bytes, place: placeOf(layout, settings) },
    failure: failure && { at: isoTimeOf(failure), reason: failure.reason },
    isKeySeen,
    drillEveryDays: settings["backup.drill_every"] / DAY_MS,
    drill: drillFigures(layout),
  };
}

function isoTimeOf({ at }: Readonly<{ at: number }>): string {
  return isoTime(instant(at));
}

function drillFigures(layout: Layout): BackupFigures["drill"] {
  const drill = lastDrill(readDrills(layout));
  if (drill === null) return null;
  const { tookMs, reason, found } = drill;
  return { at: isoTimeOf(drill), tookMs, mails: found?.mails ?? 0, reason };
}

async function notices(layout: Layout): Promise<readonly NoticeFigures[] | null> {
  const asked = await ask(layout.controlSocket, { by: "report" }, { verb: "health" });
  return asked.ok ? openNotices(asked.result) : null;
}

/** Everything that `status` lists as waiting for the owner. The headline of `status` counts as critical. */
export function openNotices(health: Pick<Health, "notices" | "needsYou" | "headline">): readonly NoticeFigures[] {
  const { notices: raised, needsYou, headline } = health;
  const isCritical = (code: string): boolean =>
    code === headline || (isAlertCode(code) && alertText(code).severity === "critical");
  const others = needsYou.filter(({ kind, code }) => kind !== "notice" || raised.every((one) => one.code !== code));
  return [
    ...raised.map(({ code, says, detail }) => ({ says, detail, isCritical: isCritical(code) })),
    ...others.map(({ kind, code, says }) => {
      return { says, detail: "", isCritical: kind === "held_mail" || isCritical(code) };
    }),
  ];
}
