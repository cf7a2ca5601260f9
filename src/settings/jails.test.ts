import assert from "node:assert/strict";
import { test } from "node:test";
import { loadValid, settingsWith } from "../../test/kit/loaded-settings.ts";
import { JAILS, OWN_JAIL } from "../core/decide/jails.ts";
import { warningsOf } from "./conflicts.ts";
import { jailsOf, ownJailOf, undercutLimits } from "./jails.ts";

const ALL = `[fail2ban]\nsentences = "all"\n`;

function undercut(text: string): readonly string[] {
  return undercutLimits(settingsWith(text)).map(({ where }) => where);
}

test("by default each jail has the values of its name, and is on", () => {
  const settings = settingsWith();
  const all = JAILS.map((jail) => ({ ...jail, enabled: true }));
  assert.deepEqual(jailsOf(settings), all);
  assert.deepEqual(ownJailOf(settings), OWN_JAIL);
});

test("a jail's settings are in a separate table, and in variables without a dash", () => {
  const { settings } = loadValid(
    '[fail2ban.jails.postfix-auth]\nmaxretry = 8\nfindtime = "1h"\n[fail2ban.jails.dovecot]\nenabled = false\n[fail2ban.own_filters]\nbantime = "1d"',
    { GHOSTINBOX_FAIL2BAN__JAILS__POSTFIX_AUTH__BANTIME: "2h" },
  );
  const jails = new Map(jailsOf(settings).map((jail) => [jail.name, jail]));
  const auth = { name: "postfix-auth", kind: "logins", enabled: true, limit: 8 };
  assert.deepEqual(jails.get("postfix-auth"), { ...auth, windowMs: 3_600_000, banMs: 7_200_000 });
  assert.equal(jails.get("dovecot")?.enabled, false);
  assert.equal(ownJailOf(settings).banMs, 86_400_000);
});

test("a jail that bans before a raised limit is named with it", () => {
  assert.deepEqual(undercut(`${ALL}[limits.logins]\nfailures = 20`), [
    "fail2ban.jails.dovecot.maxretry",
    "fail2ban.jails.postfix-auth.maxretry",
    "fail2ban.jails.ghostinbox-dashboard.maxretry",
  ]);
  assert.deepEqual(undercut(`${ALL}[limits.recipients]\nunknown_per_hour = 50`), [
    "fail2ban.jails.postfix.maxretry",
    "fail2ban.jails.ghostinbox-smtp-abuse.maxretry",
  ]);
  const [first] = warningsOf(settingsWith(`${ALL}[limits.logins]\nfailures = 20`));
  const says =
    'fail2ban.jails.dovecot.maxretry = 3 bans before limits.logins.failures = 20 is reached, because fail2ban.sentences is "all"; raise it too, or set fail2ban.sentences to "unjudged".';
  assert.equal(first?.says, says);
});

test("a jail that was raised as far, that is off, or whose reports do not ban undercuts nothing", () => {
  const raised = ["dovecot", "postfix-auth"].map((name) => `[fail2ban.jails.${name}]\nmaxretry = 20\n`).join("");
  const off = "[fail2ban.jails.ghostinbox-dashboard]\nenabled = false\n";
  assert.deepEqual(undercut(`${ALL}${raised}${off}[limits.logins]\nfailures = 20`), []);
  assert.deepEqual(undercut("[limits.logins]\nfailures = 20"), []);
  assert.deepEqual(undercut(`${ALL}enabled = false\n[limits.logins]\nfailures = 20`), []);
  assert.deepEqual(undercut(ALL), [], "nothing was raised");
  const others = "[fail2ban.jails.postfix]\nenabled = false\n[fail2ban.jails.ghostinbox-smtp-abuse]\nmaxretry = 51\n";
  assert.deepEqual(undercut(`${ALL}${others}[limits.recipients]\nunknown_per_hour = 50`), []);
});
