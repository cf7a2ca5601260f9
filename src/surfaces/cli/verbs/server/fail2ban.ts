import type { Policy } from "../../../../core/decide/policy.ts";
import { userIds } from "../../../../host/machine/system-users.ts";
import { CHECKOUT } from "../../../../host/running/checkout.ts";
import { adoptFilters, type Refused, refusedFilters } from "../../../../mail/fail2ban/adopt-filters.ts";
import { type JailStatus, jailsOf } from "../../../../mail/fail2ban/client.ts";
import { USERS } from "../../../../settings/layout.ts";
import { type Answer, type Call, done, failed, PROGRAM, whileRunning } from "../../call.ts";
import { columns, oneLine } from "../../print/text.ts";
import { withSettings } from "../../server-settings.ts";
import { notApplied } from "../settings/config-apply.ts";

export const fail2banStatus = whileOn(async (call, sentences) => {
  const asked = await jailsOf(call.layout, process.getuid?.() === 0 ? userIds(USERS.fail2ban) : {});
  if (!asked.ok)
    return failed(`Fail2ban does not answer: ${asked.reason}.`, `\`${PROGRAM} fail2ban restart\` restarts it.`);
  const { jails } = asked;
  const refused = refusedFilters(call.layout);
  const text = `${printStatus(jails, refused)}\n${SENTENCES[sentences]}`;
  return done({ running: true, sentences, jails, refused }, text, `${PROGRAM} events --type JAIL_REPORTED`);
});

/** Loads new filters first: a new file becomes a jail. */
export const fail2banRestart = whileOn(async (call) => {
  const { own, refused } = await adoptFilters(CHECKOUT, call.layout);
  const applied = await call.keeper.ask({ verb: "apply" });
  if (!applied.ok) return notApplied(applied, "fail2ban restart");
  const restarted = await call.keeper.ask({ verb: "restart", service: "fail2ban" });
  if (!restarted.ok) return failed(restarted.reason, `\`${PROGRAM} status\` shows more.`);
  const jails = own.length === 0 ? [] : [`Your own jails: ${own.join(", ")}.`];
  const text = ["Fail2ban was restarted.", ...jails, ...refused.map(printRefused)].join("\n");
  return done({ restarted: true, own, refused }, text, `${PROGRAM} fail2ban status`);
});

const SENTENCES: Readonly<Record<Policy["jailSentences"], string>> = {
  unjudged: 'A report bans for what the guard did not judge as it happened (fail2ban.sentences = "unjudged").',
  all: 'Each report bans by the limit of its jail (fail2ban.sentences = "all").',
};

/** The server must run with Fail2ban. */
function whileOn(run: (call: Call, sentences: Policy["jailSentences"]) => Promise<Answer>) {
  return withSettings(async (call, { settings }) => {
    if (!settings["fail2ban.enabled"])
      return failed("Fail2ban is off: fail2ban.enabled = false.", "Set it to true and start the server again.");
    return whileRunning(() => run(call, settings["fail2ban.sentences"]))(call);
  });
}

function printStatus(jails: readonly JailStatus[], refused: readonly Refused[]): string {
  const rows = jails.map(({ name, watched, found, reports }) => [name, ...[watched, found, reports].map(String)]);
  return [columns([["JAIL", "WATCHED", "OFFENCES", "REPORTS"], ...rows]), ...refused.map(printRefused)].join("\n");
}

function printRefused({ file, reason }: Refused): string {
  return `! ${oneLine(`${file} was refused: ${reason}.`)}`;
}
