import { plural } from "../text.ts";
import { DAY_MS, instant, type Millis } from "../time.ts";

/** The facts of a report. Times are ISO 8601 in UTC. Names, addresses and reasons may contain text from strangers. */
export type ReportFacts = Readonly<{
  host: string;
  /** The latest is the time of the report. */
  from: string;
  to: string;
  span: ReportSpan;
  /** Oldest first; the first and the last day may lie only partly within the period. */
  days: readonly DayFigures[];
  /** What the lists below were counted from. Not all events, if some were aggregated to keep the database within its limits. */
  looked: Looked;
  addresses: readonly AddressFigures[];
  /** The names that strangers tried most, whether there is such an account or not. */
  triedNames: readonly NameFigures[];
  refusals: readonly ReasonFigures[];
  spam: SpamFigures;
  bans: Readonly<{ standing: number; byReason: readonly ReasonFigures[] }>;
  audit: AuditFigures;
  updates: Unless<UpdateFigures>;
  holes: Unless<HoleFigures> & Readonly<{ isInstalled: boolean }>;
  hardening: Unless<HardeningFigures>;
  versions: Readonly<{ own: string; node: string }>;
  certificate: Unless<CertificateFigures>;
  disk: Unless<DiskFigures>;
  backups: BackupFigures;
  accounts: AccountFigures;
  /** What `status` shows now. */
  notices: readonly NoticeFigures[];
}>;

export type ReportSpan = "week" | "month";

/** Figures, or the reason why they are unknown. */
export type Unless<T> = (Readonly<{ known: true }> & T) | Readonly<{ known: false; reason: string }>;

/** `day`: 2026-11-20, UTC. */
export type DayFigures = Readonly<{
  day: string;
  /** Sign-ins. `refused`: before the password was checked. */
  signedIn: number;
  failed: number;
  refused: number;
  /** Mail. */
  accepted: number;
  blocked: number;
  delivered: number;
}>;
/** How many events the lists of addresses, names and spam are from, and whether there are more. */
export type Looked = Readonly<{ events: number; isAll: boolean }>;
export type AddressFigures = Readonly<{
  ip: string;
  /** Sign-ins that failed or were refused, and mails and connections that were refused. */
  signIns: number;
  mails: number;
  connections: number;
  isBanned: boolean;
}>;
export type NameFigures = Readonly<{ name: string; failed: number; isAccount: boolean }>;
/** `code`: the reason's (core/events/reasons.ts). */
export type ReasonFigures = Readonly<{ code: string; says: string; count: number }>;
export type SpamFigures = Readonly<{
  isOn: boolean;
  scored: number;
  /** Mails that were marked as spam. */
  marked: number;
  refused: number;
  /** Mails that users moved into Junk, and out of it, and how many users did so. */
  missed: number;
  wrong: number;
  users: number;
  /** The version of the rules in use, when new ones were last requested, and why the last attempt failed; null if none were requested. */
  rules: Readonly<{ version: string; at: string; failure: string | null }> | null;
}>;
export type AuditFigures = Readonly<{
  total: number;
  byType: readonly Readonly<{ type: string; count: number }>[];
  /** Newest first. */
  latest: readonly Readonly<{ at: string; actor: string; type: string; subject: string }>[];
}>;
export type UpdateFigures = Readonly<{
  /** When the machine last updated its package lists; null if unknown. */
  listsAt: string | null;
  /** Whether updates come with a new image of the container. */
  isImage: boolean;
  packages: readonly Readonly<{ name: string; version: string; isSecurity: boolean }>[];
}>;
/** Packages with known vulnerabilities (CVE numbers) by debsecan(1); `isInstalled`: whether debsecan is installed. */
export type HoleFigures = Readonly<{
  fixable: readonly Readonly<{ name: string; cves: readonly string[] }>[];
  /** Holes without a fix yet. */
  unfixed: number;
}>;
/** The last run of Lynis: `index` from 0 to 100. */
export type HardeningFigures = Readonly<{
  at: string;
  index: number;
  warnings: readonly Readonly<{ test: string; says: string }>[];
  suggestions: number;
}>;
/** `dueAt`: when it should be renewed. */
export type CertificateFigures = Readonly<{
  file: string;
  names: readonly string[];
  validTo: string;
  dueAt: string;
  isOwn: boolean;
}>;
export type DiskFigures = Readonly<{
  path: string;
  freeBytes: number;
  totalBytes: number;
  logBytes: number;
  databaseBytes: number;
  /** One per day, oldest first, without today's. */
  history: readonly DiskDay[];
}>;
export type DiskDay = Readonly<{ day: string; usedBytes: number; logBytes: number; databaseBytes: number }>;
export type BackupFigures = Readonly<{
  isOn: boolean;
  last: Readonly<{ at: string; mails: number; bytes: number; place: string }> | null;
  failure: Readonly<{ at: string; reason: string }> | null;
  isKeySeen: boolean;
  /** `backup.drill_every` */
  drillEveryDays: number;
  /** The last restore drill; null if there was none. */
  drill: Readonly<{ at: string; tookMs: number; mails: number; reason: string | null }> | null;
}>;
export type AccountFigures = Readonly<{
  total: number;
  suspended: number;
  /** Accounts count as unused after this long without a sign-in, if they may still sign in. */
  unusedDays: number;
  unused: readonly Readonly<{ name: string; lastSignInAt: string | null }>[];
}>;
export type NoticeFigures = Readonly<{ says: string; detail: string; isCritical: boolean }>;

export type Validity = Readonly<{ validFromDate: Date; validToDate: Date }>;

/** When the report, the alerts and `check` start asking for a new certificate: 14 days before its end, or a quarter of a shorter lifetime. */
export function renewalDue({ validFromDate, validToDate }: Validity): Millis {
  const end = validToDate.getTime();
  return instant(end - Math.min(14 * DAY_MS, (end - validFromDate.getTime()) / 4));
}

// Limits of the report, the alerts and `check`.
/** Two nights may fail, for example because a machine is off or a server is unreachable. */
export const BACKUP_DAYS = 3;
/** How late a restore drill may be, for example because a disk is full or a machine is off. */
export const DRILL_LATE_DAYS = 7;
/** Accounts without a sign-in for this long are named. */
export const UNUSED_DAYS = 90;
type SigningIn = Readonly<{ suspended: boolean; createdAt: string; lastSignInAt: string | null }>;

/** No one can sign in to a suspended account, so it is not listed. An account that reuses a name is only as old as itself. */
export function unusedOf<Account extends SigningIn>(accounts: readonly Account[], now: number): readonly Account[] {
  const since = now - UNUSED_DAYS * DAY_MS;
  const isLongAgo = (at: string): boolean => Date.parse(at) < since;
  return accounts.filter(
    ({ suspended, createdAt, lastSignInAt }) =>
      !suspended && isLongAgo(createdAt) && (lastSignInAt === null || isLongAgo(lastSignInAt)),
  );
}

/** Fewer days say nothing about the next ones. */
const FEWEST_DAYS = 3;
/** A disk that will be full later than this is not reported yet. */
const LATEST_DAYS = 3_650;

export type Growth = Readonly<{
  /** Over how many days it was measured. */
  days: number;
  usedPerDay: number;
  logsPerDay: number;
  databasesPerDay: number;
  /** Null if the disk does not fill up, or not soon. */
  fullAt: string | null;
}>;

/** Null while there are too few days. Each rate is the slope of the line with the least squares, in bytes. */
export function growthOf(disk: DiskFigures, now: string): Growth | null {
  const { history, freeBytes, totalBytes, logBytes, databaseBytes } = disk;
  const today = { day: now.slice(0, 10), usedBytes: totalBytes - freeBytes, logBytes, databaseBytes };
  const all = [...history.filter(({ day }) => day < today.day), today];
  const first = all[0]?.day ?? today.day;
  const days = (Date.parse(today.day) - Date.parse(first)) / DAY_MS;
  if (days < FEWEST_DAYS) return null;
  const at = all.map(({ day }) => (Date.parse(day) - Date.parse(first)) / DAY_MS);
  const slope = (values: readonly number[]): number => slopeOf(at, values);
  const usedPerDay = slope(all.map(({ usedBytes }) => usedBytes));
  const left = usedPerDay > 0 ? freeBytes / usedPerDay : Number.POSITIVE_INFINITY;
  return {
    days,
    usedPerDay,
    logsPerDay: slope(all.map((one) => one.logBytes)),
    databasesPerDay: slope(all.map((one) => one.databaseBytes)),
    fullAt: left > LATEST_DAYS ? null : new Date(Date.parse(now) + left * DAY_MS).toISOString(),
  };
}

function slopeOf(at: readonly number[], values: readonly number[]): number {
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
  const [midAt, midValue] = [mean(at), mean(values)];
  const across = at.reduce((sum, x) => sum + (x - midAt) ** 2, 0);
  const along = at.reduce((sum, x, i) => sum + (x - midAt) * ((values[i] ?? 0) - midValue), 0);
  return along / across;
}

const UNITS = ["bytes", "KB", "MB", "GB", "TB"] as const;

/** `12.3 MB`: powers of 1,024, as the settings count, one digit after the point. */
export function formatBytes(n: number): string {
  let at = 0;
  let value = Math.abs(n);
  for (; value >= 1_024 && at < UNITS.length - 1; at += 1) value /= 1_024;
  return `${n < 0 ? "-" : ""}${at === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[at] ?? ""}`;
}

/** `12,345` */
export function number(n: number): string {
  return n.toLocaleString("en");
}

/** `1 mail`, `12,345 mails` */
export function numbered(n: number, thing: string, things?: string): string {
  return plural(n, thing, things).replace(String(n), number(n));
}

/** `2026-11-20` */
export function day(at: string): string {
  return at.slice(0, 10);
}

/** `2026-11-20 07:05 UTC` */
export function minute(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

/** Whole days from one time to a later one; negative if that is past. */
export function daysBetween(from: string, to: string): number {
  return Math.floor((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

/** `12 %`; `0 %` if there is nothing. Only the whole is `100 %`. */
export function share(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.min(Math.round((100 * part) / whole), part < whole ? 99 : 100)} %`;
}
