import { createPublicKey } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { KeeperReply, KeeperTrouble } from "../../admin/declare/keeper.ts";
import type { ChecksReport, EncryptionReport, IncidentsReport, ReportVerb } from "../../admin/declare/reports.ts";
import type { Forward } from "../../core/access/access-review.ts";
import { readOr } from "../../core/error.ts";
import { isoTimeOrNull } from "../../core/time.ts";
import { firewallState, stateJson } from "../../host/firewall/firewall-state.ts";
import { readIsolation } from "../../host/firewall/isolation.ts";
import { listStrict, readStrict } from "../../host/firewall/strict.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { serviceExists } from "../../host/running/supervised.ts";
import { readCheckRecord } from "../../jobs/check/check-record.ts";
import { readIncidents, readTimeline } from "../../jobs/incident/folder.ts";
import { retentionReport } from "../../jobs/retention/retention-job.ts";
import { certificateReport } from "../../mail/certificates/follow-certificate.ts";
import { type MailCryptSettings, mailCryptOf } from "../../mail/configuration/site.ts";
import { fingerprint, lockedBecause } from "../../mail/dovecot/mail-keys.ts";
import { homeOf, sieveRedirectsIn } from "../../mail/dovecot/sieve-redirects.ts";
import { refusedFilters } from "../../mail/fail2ban/adopt-filters.ts";
import { jailsOf } from "../../mail/fail2ban/client.ts";
import { dkimKeys } from "../../mail/rspamd/rspamd-conf.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { upkeepOf } from "./upkeep.ts";

type Known = Readonly<{
  layout: Layout;
  read: Readonly<{ ok: true; settings: Settings }> | Readonly<{ ok: false; reason: string }>;
  troubles: Readonly<Record<"all" | "certificate", readonly KeeperTrouble[]>>;
  now: number;
}>;

/** Returns a report for the guard, of data that only root may read and others may know. */
export async function reportFor(verb: ReportVerb, { layout, read, troubles, now }: Known): Promise<KeeperReply> {
  if (verb === "upkeep")
    return { ok: true, detail: "", upkeep: upkeepOf(layout, troubles.all, read.ok ? read.settings : null) };
  if (verb === "incidents") return { ok: true, detail: "", incidents: incidentsOf(layout) };
  if (verb === "checks") return { ok: true, detail: "", checks: checksOf(layout) };
  if (!read.ok) return read;
  const { settings } = read;
  switch (verb) {
    case "firewall": {
      const state = firewallState(settings, readStrict(layout), await listStrict());
      return { ok: true, detail: "", firewall: stateJson(state) };
    }
    case "retention":
      return readOr<KeeperReply>(() => ({ ok: true, detail: "", retention: retentionReport(layout, settings, now) }), {
        ok: false,
        reason: "The list of legal holds cannot be read, so no mail is removed.",
      });
    case "encryption":
      return readOr<KeeperReply>(() => ({ ok: true, detail: "", encryption: encryptionOf(layout, settings) }), {
        ok: false,
        reason: "The public key with which mail is encrypted cannot be read.",
      });
    case "fail2ban":
      return reportFail2ban(layout, settings);
    case "dkim_keys":
      return { ok: true, detail: "", dkimKeys: publicKeys(layout, settings) };
    case "certificate":
      return certificateReport(layout, [settings["ports.submissions"], settings["ports.imaps"]], troubles.certificate);
  }
}

/** Where the Sieve scripts in the homes of these accounts forward mail. */
export async function reportRedirects(
  { mail }: Pick<Layout, "mail">,
  accounts: readonly string[],
): Promise<KeeperReply> {
  try {
    const redirects: Forward[] = [];
    for (const account of accounts) {
      redirects.push(...sieveRedirectsIn(homeOf(mail, account), account));
      // Lets the keeper answer others in between.
      await nextTurn();
    }
    return { ok: true, detail: "", redirects };
  } catch {
    return { ok: false, reason: "The Sieve scripts of the accounts cannot be read." };
  }
}

/** The last results of the checks. Only root has their evidence: it may name accounts whose passwords can be guessed. */
export function checksOf(layout: Layout): ChecksReport {
  const { at, checks } = readCheckRecord(layout);
  return {
    at: isoTimeOrNull(at),
    checks: Object.entries(checks).map(([id, one]) => {
      return { id, state: one.state, passedAt: isoTimeOrNull(one.passedAt) };
    }),
  };
}

/** The state of the server's key for `encryption show`, without its location. Throws if the public key cannot be read. */
export function encryptionOf(layout: Layout, settings: MailCryptSettings): EncryptionReport {
  const crypt = mailCryptOf(settings, layout);
  // Before the settings are applied, no keys exist.
  if (crypt === null || !existsSync(crypt.publicKey))
    return { encrypts: false, byAccount: false, readable: null, fingerprint: null };
  const { encrypts, byAccount } = crypt;
  const print = fingerprint(readFileSync(crypt.publicKey, "utf8"));
  // Dovecot gets the key within seconds.
  const readable = lockedBecause(crypt) === null && existsSync(layout.mailKeyConf);
  return { encrypts, byAccount, readable, fingerprint: print };
}

/** Shorter than the time that callers wait for the keeper. */
const LONGEST_MS = 15_000;
const MOST_OF_REASON = 300;

/** What `fail2ban status` shows; refused filters without their directories. Never throws. */
export async function reportFail2ban(
  layout: Layout,
  settings: Pick<Settings, "fail2ban.sentences">,
): Promise<KeeperReply> {
  const sentences = settings["fail2ban.sentences"];
  if (!serviceExists(layout.services, "fail2ban"))
    return { ok: true, detail: "", fail2ban: { enabled: false, sentences, jails: [], refused: [] } };
  try {
    const asked = await jailsOf(layout, { ...userIds(USERS.fail2ban), signal: AbortSignal.timeout(LONGEST_MS) });
    // The client's output contains paths, or text that a compromised Fail2ban chose.
    if (!asked.ok) return { ok: false, reason: "Fail2ban does not answer." };
    const refused = refusedFilters(layout).map(({ file, reason }) => ({
      file: basename(file),
      reason: reason.replaceAll(/\/\S*\//g, "").slice(0, MOST_OF_REASON),
    }));
    return { ok: true, detail: "", fail2ban: { enabled: true, sentences, jails: asked.jails, refused } };
  } catch {
    return { ok: false, reason: "Fail2ban cannot be asked." };
  }
}

/** Derived from the private keys that sign (SPKI in base64), so the two always match. Empty for a domain without a key. */
export function publicKeys(layout: Layout, settings: Pick<Settings, "domains" | "dkim.selector">) {
  const site = { layout, domains: settings.domains, dkimSelector: settings["dkim.selector"] };
  const read = (file: string) => createPublicKey(readFileSync(file)).export({ type: "spki", format: "der" });
  // Empty if the file does not exist yet, or is being replaced now.
  return dkimKeys(site).map(({ domain, file }) => ({ domain, key: readOr(() => read(file).toString("base64"), "") }));
}

/** Maximum incidents listed, newest first, to keep the answer small. */
const MOST_INCIDENTS = 100;
const MOST_STEPS = 500;
/** As long as a note in the audit. */
const MOST_OF_ENTRY = 480;

/** The output of `incident list`, for readers without access to the folders: what the audit has too, and the isolation. */
export function incidentsOf(layout: Pick<Layout, "incidents" | "isolation">): IncidentsReport {
  const all = readIncidents(layout);
  const open = all.findLast(({ closedAt }) => closedAt === null);
  const isolation = readIsolation(layout);
  return {
    incidents: all
      .slice(-MOST_INCIDENTS)
      .toReversed()
      .map((one) => ({ ...one, steps: readTimeline(layout, one).length })),
    timeline: (open === undefined ? [] : readTimeline(layout, open))
      .slice(-MOST_STEPS)
      .map(({ at, by, step, says, audited }) => ({ at, by, step, says: says.slice(0, MOST_OF_ENTRY), audited })),
    isolation: isolation && {
      incident: isolation.incident,
      since: isolation.since,
      allow: isolation.allow,
      shut: isolation.shut,
    },
  };
}
