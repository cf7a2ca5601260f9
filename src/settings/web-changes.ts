import { formatDuration } from "../core/time.ts";
import { WEB_KEYS } from "./program-settings.ts";
import { defaultOf, isSettingKey, keysIn, type SettingKey, settingOf } from "./schema.ts";

const FAIL2BAN = [
  ..."jails.postfix jails.dovecot jails.postfix-auth jails.postfix-rbl jails.postfix-spam".split(" "),
  ..."jails.ghostinbox-smtp-abuse own_filters".split(" "),
];

/** How many times looser than its default the web may make a setting with a bound. It may always be stricter. */
const LOOSEST = 4;
/** Sign-ins to the dashboard are judged and banned by these, too. `more`: a larger value is looser; `less`: a smaller one. */
const GUESSING: Readonly<Partial<Record<SettingKey, "more" | "less">>> = {
  "limits.logins.failures": "more",
  "limits.logins.window": "less",
  "limits.logins.per_day": "more",
  "limits.logins.per_week": "more",
  "limits.logins.known_per_day": "more",
  "limits.accounts.failures": "more",
  "limits.accounts.window": "less",
  "limits.accounts.candidates": "more",
  "limits.networks.failures": "more",
  "limits.networks.window": "less",
  "limits.networks.per_day": "more",
  "limits.spraying.guesses": "more",
  "limits.spraying.window": "less",
  "bans.ladder": "less",
  "bans.memory": "less",
  "bans.neighbours": "more",
};
/** With a shorter lifetime, all mail that waits in the queue is returned or lost. */
const WAITING: typeof GUESSING = { "outbound.queue_lifetime": "less", "outbound.bounce_lifetime": "less" };

/**
 * The settings that the dashboard and the API may change: limits, and what happens beyond them. An attacker who takes over the web, or an
 * owner's session, must gain nothing by them. So none of them opens a port, trusts a proxy or a name, names a file, a program or a host,
 * sets where mail is sent, or changes which alerts concern the dashboard. Those that also slow guessing at its password, or keep mail in
 * the queue, have a bound, and `mailboxes.quota` can only be raised (`change-file.ts`).
 */
const MAY_CHANGE: ReadonlySet<SettingKey> = new Set<SettingKey>([
  /** Those with a bound. */
  ...Object.keys({ ...GUESSING, ...WAITING }).filter(isSettingKey),
  /** How much a stranger or an account may do. */
  ...keysIn("limits.mail", "per_minute per_hour per_day per_session postfix_per_minute max_size recipients"),
  ...keysIn("limits.recipients", "unknown_per_hour unknown_server_per_hour"),
  ...keysIn("limits.first_contacts", "per_minute per_hour"),
  ...keysIn("limits.connections", "per_minute per_hour concurrent known per_port smtp_places imap_places"),
  ...keysIn("limits.accounts", "known_for"),
  ...keysIn("limits.sending", "recipients_per_minute recipients_per_hour recipients_per_day"),
  ...keysIn("limits.sending", "strangers strangers_per_day refused"),
  /** How long bans last, and the effect of Fail2ban's reports. The jail of the dashboard is not among them. */
  ...keysIn("bans", "permanent manual"),
  "fail2ban.sentences",
  ...FAIL2BAN.flatMap((reports) => keysIn(`fail2ban.${reports}`, "maxretry findtime bantime")),
  /** What a mail must wait for, and which scores refuse it. */
  ...keysIn("greylist", "enabled delay crowd_delay"),
  "dnsbl.check_every",
  ...keysIn("spam", "required_score refuse_score crowd_score on_failure"),
  /** Refuses mail to these names; it accepts none. */
  "recipients.blocked",
  /** How large a mailbox may become, how many mails are sent at once, and when a sender is notified of a delay. */
  "mailboxes.quota",
  ...keysIn("outbound", "at_once delay_warning"),
  /** When alerts are sent and resolved, except the one about sign-ins to the dashboard. */
  ...keysIn("alerts", "digest resolve_after"),
  ...keysIn("alerts.thresholds", "failed_logins password_guessed networks spam bans bans_in_force"),
  ...keysIn("alerts.thresholds", "disk repeated volume volume_factor"),
]);

/** Why only root may change the others. The first match applies. */
const WHY_NOT: readonly (readonly [RegExp, string])[] = [
  [/^(ports|http|proxy|firewall)\.|^tls\.|^dns\./, "It decides who reaches the server, and whom the server trusts."],
  [/^(domains|hostname|profile)$/, "It says which server this is."],
  [/^bans\.ipv6_prefix$/, "Bans and events are recorded by it: another value would split them."],
  [/^(allow|logins|providers)\.|^greylist\.providers$|^spam\.allow_from$/, "It decides who may connect or is trusted."],
  [
    /^(accounts|certificates|export|backup|checks|audit|events|logs|retention|report)\./,
    "It controls which data is kept, or names files or other machines.",
  ],
  [/^fail2ban\.(destemail|sender)$/, "It says where mail goes."],
  [/dashboard/, "It defends the dashboard itself."],
  [/^alerts\./, "It says whom alerts reach, when, and in which words."],
  [/^outbound\.relay|^spam\.(rules|update)|^dnsbl\.zones$/, "It names a server or a file."],
  [/^(simulate|mailboxes|dkim|detection)|enabled$/, "It switches a part of the protection on or off."],
];

/** Texts that the web may see in addition to those that it needs: they reveal neither a secret nor a location. */
const SHOWN: ReadonlySet<SettingKey> = new Set([
  ...WEB_KEYS,
  ...MAY_CHANGE,
  "allow.networks",
  "providers.domains",
  "greylist.providers",
  "dnsbl.zones",
  "dkim.selector",
  "alerts.quiet_hours",
  "alerts.time_zone",
  "retention.mail",
]);

/** Null if the web may change it. */
export function whyNotOverWeb(key: SettingKey): string | null {
  if (MAY_CHANGE.has(key)) return null;
  const why = WHY_NOT.find(([keys]) => keys.test(key))?.[1] ?? "It rarely needs changing.";
  return `${why} Change it on the server: \`config set\`.`;
}

/** The sentence about a parsed value that only root may set; null if the web may set it too. */
export function tooLooseForWeb(key: SettingKey, value: unknown): string | null {
  const looser = GUESSING[key] ?? WAITING[key];
  if (looser === undefined) return null;
  const usual = least(defaultOf(key).value);
  const bound = looser === "more" ? usual * LOOSEST : usual / LOOSEST;
  if (looser === "more" ? least(value) <= bound : least(value) >= bound) return null;
  const { form } = settingOf(key).kind;
  const type = form.of ?? form.type;
  const shown = type === "duration" ? formatDuration(bound) : String(bound);
  const must = looser === "more" ? `at most ${shown}` : `at least ${shown}`;
  const why = key in WAITING ? "mail that waits longer is returned" : "it slows guessing at passwords";
  return `${key} must be ${must} here: ${why}. Change it on the server: \`config set\`.`;
}

/** The least item of a list, because each must keep the bound. */
function least(value: unknown): number {
  return Math.min(...(Array.isArray(value) ? value : [value]).map(Number));
}

/** Whether its value stays with the guard: a secret, and each text that could be one or lead to one. */
export function isHiddenFromWeb(key: SettingKey): boolean {
  const { kind, secret } = settingOf(key);
  const isText = kind.form.type === "text" || kind.form.of === "text";
  return secret === true || (isText && !SHOWN.has(key));
}
