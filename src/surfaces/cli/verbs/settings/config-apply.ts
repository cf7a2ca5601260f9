import type { Results } from "../../../../admin/declare/control.ts";
import type { KeeperReply } from "../../../../admin/declare/keeper.ts";
import { ALL } from "../../../../admin/declare/paging.ts";
import { targetsOf } from "../../../../admin/mailboxes.ts";
import { domainOf, withoutExtension } from "../../../../core/net/address.ts";
import { formatKeepRule } from "../../../../core/retention.ts";
import { asSentence, plural } from "../../../../core/text.ts";
import { DAY_MS, dayAndTime, later, WEEK_MS } from "../../../../core/time.ts";
import { digestOf } from "../../../../guard/access/secrets.ts";
import type { ReplayReport } from "../../../../jobs/replay/run-replay.ts";
import { restoreSettingsAccess } from "../../../../jobs/settings-file/settings-file.ts";
import { warningsOf } from "../../../../settings/conflicts.ts";
import type { ValidSettings } from "../../../../settings/load.ts";
import { programsToRestart, waitingForStart } from "../../../../settings/program-settings.ts";
import type { Settings } from "../../../../settings/schema.ts";
import { policyKeys, replayPolicy } from "../../../../settings/to-policy.ts";
import { type Answer, agrees, type Call, done, type Failure, failed, PROGRAM, type Reader } from "../../call.ts";
import { leftOut } from "../../print/replay.ts";
import { firstFew, joined } from "../../print/text.ts";
import { invalid, settingsInFile, surprises, untilNow } from "../../server-settings.ts";
import { adoptedEdits, failureIfEmptied, repositoryProblem } from "./config.ts";
import { beginTrial, confirmStrict } from "./firewall.ts";

/** `command`: the one to repeat. */
export function notApplied({ reason, mayBeDone }: Extract<KeeperReply, { ok: false }>, command: string): Failure {
  const what = mayBeDone === true ? "Not everything is in force, or not yet" : "Nothing was applied";
  return failed(`${what}: ${asSentence(reason)}`, `Correct that, then \`${PROGRAM} ${command}\` again.`);
}

/**
 * The keeper renders the settings and lets Postfix and Dovecot check the result, then the guard takes the same settings. Restarts programs
 * that read a changed setting only at their start; otherwise Dovecot could ask at a port that the guard has left.
 */
export async function configApply(call: Call): Promise<Answer> {
  const adopted = failureIfEmptied(call) ?? adoptedEdits(call, { isTrial: false });
  if (!adopted.ok) return adopted;
  const edits = adopted.warnings.map(({ says }) => says);
  const answer = await applyFile(call, edits);
  return answer.ok ? answer : afterEdits(edits, answer);
}

/** Adds to a failure the edits that are already in the settings file. Exported for its test. */
export function afterEdits(edits: readonly string[], failure: Failure): Failure {
  return { ...failure, message: [...edits, failure.message].join(" ") };
}

async function applyFile(call: Call, edits: readonly string[]): Promise<Answer> {
  const loaded = settingsInFile(call);
  if (!loaded.ok) return loaded;
  const misplaced = repositoryProblem(loaded.settings, call);
  if (misplaced !== null) return invalid([{ where: "backup.repository", says: misplaced }]);
  const pending = await pendingOf(call);
  if (!pending.ok) return pending;
  const confirmed = await confirmApply(call, loaded, pending.result);
  if (!confirmed.ok) return confirmed;
  const strict = await confirmStrict(call, loaded.settings, pending.result.changed);
  if (!strict.ok) return strict;
  const applied = await call.keeper.ask({ verb: "apply", digest: digestOf(loaded.text) });
  if (!applied.ok) return notApplied(applied, "config apply");
  const untried = strict.begins
    ? ` The strict firewall was not tried: \`${PROGRAM} firewall try\` starts its trial.`
    : "";
  const asked = await call.guard.ask({ verb: "reload" });
  if (!asked.ok) return withoutGuard(asked, untried);
  const { changed, recorded } = asked.result;
  const restarted = programsToRestart(changed);
  const failures: string[] = [];
  for (const service of restarted) {
    const reply = await call.keeper.ask({ verb: "restart", service });
    if (!reply.ok) failures.push(asSentence(reply.reason));
  }
  if (failures.length > 0)
    return failed(`Not everything is in force: ${failures.join(" ")}${untried}`, `\`${PROGRAM} status\` shows more.`);
  const tried = strict.begins ? await beginTrial(call) : null;
  if (tried?.ok === false) {
    const message = `The settings are in force, but the trial of the strict firewall may not run. ${tried.message}`;
    return { ...tried, message };
  }
  if (!recorded) {
    const says = "The settings are in force, but no record of it was kept: the database could not be written.";
    return failed(`${says} ${tried?.text ?? ""}`.trim(), tried?.next ?? `\`${PROGRAM} status\` shows more.`);
  }
  const programs = restarted.map((program) => `Restarted the ${program}.`);
  const warnings = [...warningsOf(loaded.settings), ...surprises(call, loaded)];
  const summary = joined(" ", [...edits, inForce(changed), applied.detail, ...programs, confirmed.note, tried?.text]);
  const text = [summary, ...warnings.map(({ says }) => `Warning: ${says}`)].join("\n");
  const next = tried === null ? `${PROGRAM} status` : tried.next;
  return done({ changed, restarted, detail: applied.detail, warnings }, text, next);
}

/** Suggests a restart: a guard that was down starts with the new settings, so another `config apply` would find no change. */
function withoutGuard(failure: Failure, untried: string): Failure {
  return {
    ...failure,
    message: `Postfix and Dovecot have the new settings, but the guard may not: ${failure.message}${untried}`,
    next: `Once \`${PROGRAM} status\` shows the guard, \`${PROGRAM} restart\` gives them to all programs.`,
  };
}

/** If only root can read a settings file that was copied into place, restores the guard's access and asks again. */
async function pendingOf({ guard, layout }: Call) {
  const asked = await guard.ask({ verb: "pending" });
  if (asked.ok || asked.exit !== "failed" || process.getuid?.() !== 0) return asked;
  restoreSettingsAccess(layout);
  return guard.ask({ verb: "pending" });
}

function inForce(changed: readonly string[]): string {
  if (changed.length === 0) return "No setting had changed.";
  const waiting = waitingForStart(changed);
  const now = changed.filter((key) => !waiting.includes(key));
  return joined(" ", [
    now.length > 0 && `In force now: ${now.join(", ")}.`,
    waiting.length > 0 && `In force after \`${PROGRAM} restart\`: ${waiting.join(", ")}.`,
  ]);
}

/** Maximum events of the last week on which settings are tried before they are applied, which takes some seconds. */
const MOST_EVENTS = 100_000;

/** `note`: what the check could not see; empty if nothing. */
type Confirmed = Readonly<{ ok: true; note: string }>;

/**
 * Asks for confirmation if the server would be renamed after a new first domain, mail would be lost with a removed or added domain,
 * mail would be deleted on the day of its arrival, or the settings would have refused users who had signed in.
 */
export async function confirmApply(
  call: Call,
  { settings, sources }: ValidSettings,
  pending: Results["pending"],
): Promise<Failure | Confirmed> {
  const { changed, inForce } = pending;
  const decides = policyKeys(settings);
  const isReplayed = !settings.simulate && changed.some((key) => decides.has(key));
  if (call.flag("yes")) return { ok: true, note: "" };
  const name = inForce[changed.indexOf("hostname")];
  if (name !== undefined && sources.hostname.from === "default") {
    const says = `This would rename the server from ${name} to ${sources.hostname.toml}, after its first domain.`;
    const agreed = await agreedTo(call, says, `\`${PROGRAM} config set hostname ${name}\` keeps the name; `);
    if (!agreed.ok) return agreed;
  }
  const soon = settings["retention.mail"].filter(({ keepMs }) => keepMs !== null && keepMs < DAY_MS);
  if (changed.includes("retention.mail") && soon.length > 0) {
    const rules = soon.map((rule) => `“${formatKeepRule(rule)}”`).join(", ");
    const agreed = await agreedTo(call, `This would delete mail less than a day old: ${rules} (m means minutes).`);
    if (!agreed.ok) return agreed;
  }
  if (!isReplayed && !changed.includes("domains")) return { ok: true, note: "" };
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const { domains } = untilNow("domains", settings, pending);
  const lost = changed.includes("domains") ? lostMail(opened.reader, settings, domains) : "";
  if (lost !== "") {
    const agreed = await agreedTo(call, lost);
    if (!agreed.ok) return agreed;
  }
  if (!isReplayed) return { ok: true, note: "" };
  const now = call.now();
  const report = await opened.reader.replay({
    ...replayPolicy(settings, untilNow("allow.networks", settings, pending)),
    since: later(now, -WEEK_MS),
    only: null,
    mostEvents: MOST_EVENTS,
    now,
  });
  const note = leftOut(report.reach);
  if (report.accounts.total === 0)
    return { ok: true, note: note === "" ? "" : `No user would have been refused. ${note}` };
  const says = `${refusalWarning(report)} ${note}`.trim();
  return agreedTo(call, says, `\`${PROGRAM} config simulate\` shows more; `);
}

async function agreedTo(call: Call, says: string, more = ""): Promise<Failure | Confirmed> {
  const next = `${more}\`${PROGRAM} config apply --yes\` applies the settings anyway.`;
  if (!call.terminal.interactive) return failed(`Nothing was applied. ${says}`, next);
  return (await agrees(call, `${says} Apply the settings anyway?`))
    ? { ok: true, note: "" }
    : failed("Nothing was applied.", next);
}

/** Settings with addresses that receive or send the server's own mail. */
const RECIPIENTS = ["accounts.administrator", "alerts.email", "alerts.relay_to", "fail2ban.destemail"] as const;
const SENDERS = ["alerts.from", "fail2ban.sender"] as const;
/** Unless blocked, they need no account (`role_address` in the schema of `accounts.db`). */
const ROLES = { all: /^(?:postmaster|abuse)[+@]/, unblockable: /^postmaster[+@]/ };

/** Mail that a change of `domains` would misdirect, for example by a typo; empty if none. `before`: the domains until now. */
function lostMail(reader: Reader, settings: Settings, before: readonly string[]): string {
  const isOurs = (address: string, domains: readonly string[] = settings.domains) =>
    domains.includes(domainOf(address));
  const accounts = reader.accounts(ALL).items.map(({ name }) => name);
  const aliases = reader.aliases(ALL).items;
  const here = new Set<string>([...accounts, ...aliases.map(({ address }) => address)]);
  const unserved = [...here].filter((address) => !isOurs(address));
  const isHere = (one: string) => here.has(one) || here.has(withoutExtension(one));
  const leaves = (one: string) => isOurs(one, before) && !isOurs(one);
  const leaving = [...RECIPIENTS, ...SENDERS].filter((key) =>
    // The first account replaces an administrator that exists here.
    [settings[key]].flat().some((one) => leaves(one) && !(key === "accounts.administrator" && isHere(one))),
  );
  const isRole = settings["recipients.blocked"].includes("abuse") ? ROLES.unblockable : ROLES.all;
  const targets = [
    ...aliases.map((one) => (one.blocked ? [] : one.targets)),
    ...accounts.map((name) => targetsOf(reader.own(name))),
    ...RECIPIENTS.map((key) => settings[key]),
  ].flat();
  const unreachable = targets.filter((one) => isOurs(one) && !isOurs(one, before) && !isHere(one) && !isRole.test(one));
  return joined(" ", [
    unserved.length > 0 && `No more mail would be received for ${firstFew(unserved)}.`,
    leaving.length > 0 && `Whoever has the removed domain would get mail for its addresses in ${leaving.join(", ")}.`,
    unreachable.length > 0 &&
      `Mail from aliases, forwards or settings would not reach ${firstFew([...new Set(unreachable)])}: no account or alias here has that address.`,
  ]);
}

function refusalWarning({ accounts, events, from }: ReplayReport): string {
  const named = firstFew(
    accounts.items.map(({ account, ip }) => `${account} (from ${ip})`),
    accounts.total,
  );
  const since = from === null ? "" : ` since ${dayAndTime(from)}`;
  return `In the ${plural(events, "event")}${since}, these settings would have refused users who had signed in: ${named}.`;
}
