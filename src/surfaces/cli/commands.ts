import type { CliCommand } from "./call.ts";
import { derivedCommands } from "./derived.ts";
import { LIST_OPTIONS } from "./listing.ts";
import { namedBy, type OptionLines, optionsOf } from "./parse.ts";

const PASSWORD_STDIN = { "--password-stdin": "Read the password from standard input." };
const RECOVERY_KEY = {
  "--recovery-key FILE":
    "File with the owner's recovery key, which opens mail that is encrypted with an account's key.",
};
const NEW_PASSWORD = { ...PASSWORD_STDIN, ...RECOVERY_KEY };
const YES = { "--yes": "Do not ask." };
const SINCE = {
  "--since WHEN": "Start of the period: 2h, 7d, or a time; by default, when the incident may have started.",
};
const CHOICE = {
  "--account ADDRESS": "Only mail of this account, under any of its addresses.",
  "--sender ADDRESS": "Only mail from this envelope sender; '<>' means bounces.",
  "--recipient ADDRESS": "Only mail that still waits for this recipient.",
};
const CHOICE_OR_ALL = { ...CHOICE, "--all": "All mail in the queue." };
const DELETION = { "--bounce": "Return it to its sender as undeliverable, instead of deleting it silently.", ...YES };
/** Options of `replay` and `config simulate`. */
const REPLAYED = {
  "--since WHEN": "Start of the period: 2h, 7d, or a time such as 2026-11-20T08:00:00Z; 30d by default.",
  "--ip IP": "Compare only this address or network.",
};

/**
 * Each file is loaded only when one of its commands runs, because loading all of them takes longer than most commands. It exports each
 * command as a function of its name: `ban`, or `queueHold` for `queue hold`.
 */
const status = from(() => import("./verbs/server/status.ts"));
const check = from(() => import("./verbs/upkeep/check.ts"), { root: true });
const server = from(() => import("./verbs/server/server.ts"), { root: true });
const upgrade = from(() => import("./verbs/upkeep/upgrade.ts"), { root: true });
const report = from(() => import("./verbs/upkeep/report.ts"));
const events = from(() => import("./verbs/server/events.ts"));
const logs = from(() => import("./verbs/server/logs.ts"));
const why = from(() => import("./verbs/server/why.ts"));
const replay = from(() => import("./verbs/server/replay.ts"));
const bans = from(() => import("./verbs/server/bans.ts"));
const accounts = from(() => import("./verbs/accounts/accounts.ts"));
const accountSettings = from(() => import("./verbs/accounts/account-settings.ts"));
const retention = from(() => import("./verbs/upkeep/retention.ts"), { root: true });
const held = from(() => import("./verbs/server/held.ts"));
const queue = from(() => import("./verbs/server/queue.ts"));
const dns = from(() => import("./verbs/server/dns.ts"));
const fail2ban = from(() => import("./verbs/server/fail2ban.ts"));
const backup = from(() => import("./verbs/upkeep/backup.ts"), { root: true });
const backupRestore = from(() => import("./verbs/upkeep/backup-restore.ts"), { root: true });
const encryption = from(() => import("./verbs/accounts/encryption.ts"), { root: true });
const recovery = from(() => import("./verbs/accounts/encryption.ts"));
const config = from(() => import("./verbs/settings/config.ts"));
const configApply = from(() => import("./verbs/settings/config-apply.ts"));
const alerts = from(() => import("./verbs/server/alerts.ts"));
const access = from(() => import("./verbs/accounts/access.ts"));
const accessReview = from(() => import("./verbs/accounts/access-review.ts"), { root: true });
const audit = from(() => import("./verbs/upkeep/audit.ts"));
const firewall = from(() => import("./verbs/settings/firewall.ts"));
const firewallTrial = from(() => import("./verbs/settings/firewall.ts"), { root: true });
const breakGlass = from(() => import("./verbs/server/break-glass.ts"));
const incident = from(() => import("./verbs/incident/incident.ts"), { root: true });
const incidentIsolate = from(() => import("./verbs/incident/incident-isolate.ts"), { root: true });
const incidentAssess = from(() => import("./verbs/incident/incident-assess.ts"), { root: true });
const incidentContain = from(() => import("./verbs/incident/incident-contain.ts"), { root: true });
const incidentMail = from(() => import("./verbs/incident/incident-mail.ts"), { root: true });
const incidentDrop = from(() => import("./verbs/incident/incident-drop.ts"), { root: true });
const incidentInvestigate = from(() => import("./verbs/incident/incident-investigate.ts"));

/** Commands that a declaration cannot express: they ask a question, read the databases, or do one of several things. */
const BY_HAND: readonly CliCommand[] = [
  status("status", "Show what is running, and what needs attention."),
  check("check", "Check the whole running server, with evidence for each result.", {
    "--only GROUP": "Only the checks of this group, such as tls, dns or backups.",
    "--send-test": "Send a test through each alert channel.",
    "--before-going-live": "Show, point by point, what to do before others rely on the server.",
  }),
  server("stop", "Stop the server and wait until all its processes have ended."),
  server("restart", "Stop the server and start it again in place, with the settings it was started with."),
  upgrade("upgrade", "Show what an upgrade would change (needs --check); `restart` upgrades.", {
    "--check": "Required: show the plan, and change nothing.",
  }),
  upgrade("rollback", "Undo an upgrade: restore the databases and settings from before it.", YES),
  status("stats", "Show bans, counts and the busiest addresses."),
  report("report", "Show the last week or month, the server's state, and what to do.", {
    copied: true,
    "--week": "Cover the last seven days; the default.",
    "--month": "Cover the last thirty days.",
    "--html": "Print the page that is mailed.",
    "--mail": "Mail it to those who get alerts by mail, otherwise to the administrator.",
  }),
  events("events", "Show what happened, the latest last.", {
    "--follow": "Show new events until Ctrl-C.",
    "--after ID": "Only events after the one with this id, oldest first.",
    "--ecs": "One JSON object per line, with the fields of the Elastic Common Schema.",
    "--types": "List every type of event and its meaning.",
    "--ip IP": "Only events of this address or network.",
    "--type TYPE": "Only events of this type, such as BAN or LOGIN_FAILED.",
    "--account ADDRESS": "Only events of this account.",
    ...LIST_OPTIONS,
  }),
  logs("logs", "Search the logs of all components, including rotated ones; the latest last.", {
    "--grep TEXT": "Only lines with this text, ignoring case.",
    "--since WHEN": "Only lines newer than this: 2h, 7d, or a time such as 2026-11-20T08:00:00Z.",
    "--ip IP": "Only lines with this address or network.",
    "--queue-id ID": "Only lines with this mail's queue id.",
    "--account ADDRESS": "Only lines with this account.",
    "--component NAME": "Only lines of this component: mail, guard, web, ...",
    "--limit N": "Maximum number of lines; the default is 200.",
    "--follow": "Show new lines until Ctrl-C.",
  }),
  why("find TEXT...", "Show the records about an address, an account, a sender, a domain, a recipient or a mail."),
  why("why [TEXT]", "Explain the decisions about an address, an account or a mail, and how to change them.", {
    "--account ADDRESS": "An account: its sign-ins and its mail.",
    "--message ID": "One mail, by its queue id or Message-ID.",
  }),
  replay("replay", "Show what other settings would have done to the recorded events: bans, refusals, accounts.", {
    "--policy FILE": "The other settings: a whole settings file.",
    ...REPLAYED,
  }),
  bans("ban IP [REASON...]", "Ban an address or network.", {
    "--for TIME": "How long: 30m, 2h, 7d; the default is bans.manual.",
    "--permanent": "Until you lift it.",
    "--yes": "Do not ask before banning a very large network.",
  }),
  bans("bans", "List the bans in force.", LIST_OPTIONS),
  accounts("account add ADDRESS", "Add a mailbox.", PASSWORD_STDIN),
  accounts("account remove ADDRESS", "Remove a mailbox; its mail stays on the disk.", YES),
  accounts("account list", "List the mailboxes.", LIST_OPTIONS),
  accounts("account passwd ADDRESS", "Set a new password and end open sessions.", NEW_PASSWORD),
  accountSettings(
    "account app-password list ADDRESS",
    "Show the app passwords of an account, and when each was last used.",
  ),
  accounts("account import FILE", "Add the accounts of a file in the format of postfix-accounts.cf."),
  accountSettings(
    "account networks ADDRESS add|remove|list [NETWORK...]",
    "Restrict the networks from which an account may sign in; without networks, anywhere that logins.networks allows.",
  ),
  accountSettings("account quota ADDRESS [SIZE|none|default]", "Show how full a mailbox is, or set its quota."),
  retention(
    "account legal-hold ADDRESS [on|off] [REASON...]",
    "Keep all mail of an account regardless of retention, or show the current state.",
  ),
  held("account held [ADDRESS]", "Show held mail, and what an account sent in the last day."),
  held("account drop ADDRESS [ID...]", "Delete the held mail of an account, or only these mails.", DELETION),
  held("greylist waiting", "Show mail that greylisting deferred and that was not accepted since."),
  held("spam update", "Fetch new SpamAssassin rules now; the server also does so every day."),
  queue("queue list [ID...]", "Show the mail in the queue: why it waits, until when, from and for whom.", {
    ...CHOICE,
    ...LIST_OPTIONS,
  }),
  queue("queue flush [ID...]", "Retry deferred mail now; all of it unless you name some.", CHOICE_OR_ALL),
  queue("queue hold [ID...]", "Keep mail in the queue until it is released.", CHOICE_OR_ALL),
  queue(
    "queue release [ID...]",
    "Release mail that was put on hold. `account release` releases mail that the guard holds.",
    CHOICE_OR_ALL,
  ),
  queue("queue delete [ID...]", "Delete mail from the queue. `account drop` deletes mail that the guard holds.", {
    ...CHOICE_OR_ALL,
    ...DELETION,
  }),
  queue(
    "sendmail [OPTION...] [RECIPIENT...]",
    "Put a mail from standard input into the queue, with sendmail(1)'s options and exit codes.",
    { isVerbatim: true },
  ),
  dns("dns records [DOMAIN]", "Print the DNS records to publish for one mail domain, or for all.", { copied: true }),
  dns("dns check DOMAIN", "Compare the published DNS records with the expected ones."),
  fail2ban("fail2ban status", "Show the jails of Fail2ban and what they found."),
  fail2ban("fail2ban restart", "Load new and changed filters, and restart Fail2ban."),
  fail2ban("fail2ban test FILTER LOG", "Show what a filter would match in a log, and which addresses it would ban.", {
    copied: true,
  }),
  backup("backup create", "Make a backup now; the server makes one every night."),
  backup("backup list", "List the backups."),
  backup("backup verify", "Read every backup back and check it.", {
    "--quick": "Only check the structure, without reading the data.",
  }),
  backup(
    "backup drill",
    "Restore the newest backup beside the server, check it, and remove it; the server does that once a month.",
  ),
  backup(
    "backup export DIR",
    "Write everything into one file that gpg and tar can read, in a directory of your choice.",
  ),
  backupRestore(
    "backup restore [SNAPSHOT]",
    "Restore the whole server, or mails of one account; from the latest backup, a snapshot, or a file of `backup export`.",
    {
      "--account ADDRESS": "Only mails of this account, into a separate folder.",
      "--folder NAME": "Only mails of this folder; with NAME*, of its subfolders too.",
      "--message ID": "Only the mail with this Message-ID.",
      "--into NAME": "Destination folder; “Restored” and the date by default.",
      "--to DIR": "Write all files to this new directory instead.",
      "--from PLACE": "Where the backups are: a directory, or sftp:, rest:, s3: and others.",
      "--environment-file FILE": "File with the credentials for that place.",
      "--key-file FILE":
        "File with the key. Without it, this machine's key is used; with --from, or if it is missing, you are asked.",
      ...RECOVERY_KEY,
      "--replace": "Move an existing data directory aside.",
      "--dry-run": "Only show what would be done.",
      ...YES,
    },
  ),
  backup("backup key", "Show the key, without which no backup can be read.", { copied: true }),
  retention("retention show", "Show which mail will be removed, from where, and when."),
  retention("retention run", "Remove expired mail now; the server does so every night.", YES),
  encryption("encryption show", "Show whether mail is encrypted on the disk, and whether it can be read now."),
  encryption("encryption key", "Show the private key, without which encrypted mail cannot be read.", { copied: true }),
  encryption(
    "encryption lock",
    "Delete the private key here: mail still arrives, but users cannot read any until you unlock it.",
    YES,
  ),
  encryption("encryption unlock FILE", "Install the private key from a file, so that mail can be read again."),
  encryption(
    "encryption recovery-key",
    "Make the key that opens the mail of accounts whose password is lost, and show it once.",
  ),
  recovery(
    "encryption recover ADDRESS",
    "Make mail from before a forgotten password readable with the current password.",
    NEW_PASSWORD,
  ),
  config("config check", "Show what is wrong with the settings."),
  replay("config simulate FILE", "Show what a settings file would have done to the recorded events, as replay does.", {
    copied: true,
    ...REPLAYED,
  }),
  config("config show", "Show the server's settings, and where each comes from.", { copied: true }),
  config(
    "config set KEY VALUE [MORE...]",
    "Write a setting into the file; MORE: further keys and values, as tls.cert needs tls.key.",
    { copied: true, keepsWords: true },
  ),
  config("config unset KEY...", "Remove settings from the file, so that their defaults apply again.", { copied: true }),
  config("config reference", "Explain every setting.", { copied: true }),
  configApply("config apply", "Apply changed settings without interrupting mail.", YES),
  alerts("alerts test", "Send a test through every alert channel."),
  alerts("alerts list", "Show open and past alerts, and the channels.", LIST_OPTIONS),
  access("token create NAME", "Make a token for the HTTP API; it is shown once.", {
    copied: true,
    "--scope SCOPES": "Scopes or roles: read, ban, allow, greylist, queue, admin, or viewer, operator, owner.",
    "--for TIME": "How long it is valid, such as 90d.",
  }),
  access("session end [SESSION]", "End one session of the dashboard, or all.", { "--all": "End every session." }),
  access("admin passwd", "Set the dashboard's password.", PASSWORD_STDIN),
  accessReview("access review", "Show who can read, send, administer and forward, and when each last did.", {
    "--sign": "Record in the audit that you have reviewed it.",
  }),
  audit("audit list", "Show administrators' actions and held accounts, the latest last.", LIST_OPTIONS),
  audit("audit verify", "Check that no audit entry was changed, removed or inserted.", {
    "--anchors FILE": "Compare with this file, such as one from a backup.",
  }),
  audit("audit anchor", "Record the last audit entry now where only root can write; the server does so every hour."),
  audit("audit accept REASON...", "Continue from an inconsistent audit, for example after a recovery.", YES),
  audit("audit export", "Print every entry as one JSON object per line, with its hashes."),
  firewall("firewall", "Show which ports the firewall opens, and whether it waits for a confirmation."),
  firewallTrial(
    "firewall try",
    "Try the strict firewall of the settings; the kernel undoes it unless you confirm.",
    YES,
  ),
  firewallTrial(
    "firewall confirm",
    "Keep the strict firewall on trial; only from an SSH session that was opened since.",
    { "--yes": "Keep it even though this session does not prove that you can connect." },
  ),
  firewallTrial("firewall rollback", "Undo the trial at once."),
  breakGlass(
    "break-glass",
    "Lift every ban, unlock every guarded account and open the strict firewall, even while the server is down.",
    { "--yes": "Do not ask before lifting bans that were made by hand." },
  ),
  incident(
    "incident open NAME...",
    "Open an incident: its folder and its timeline, to which each later step is added.",
    SINCE,
  ),
  incident("incident note TEXT...", "Add a note to the timeline, such as about a call."),
  incident("incident list", "Show all incidents, the timeline of the open one, and whether the server is isolated."),
  incidentIsolate(
    "incident isolate",
    "Disconnect the server from everyone but administrators, and hold the queue in both directions.",
    {
      "--allow ADDRESS":
        "Addresses that keep full access, separated by commas; your SSH session's address too, unless you use `--shut-ssh`.",
      "--shut-ssh": "Close SSH too, except to these.",
      ...YES,
    },
  ),
  incidentAssess("incident assess", "List the affected accounts, addresses and mails, and what was done by command.", {
    ...SINCE,
    "--account ADDRESS": "Only this account.",
  }),
  incidentContain(
    "incident contain [ACCOUNT...]",
    "Set new passwords, end sessions, hold mail; on request suspend, ban, and revoke tokens.",
    {
      "--suspend": "Suspend the accounts instead of setting new passwords.",
      "--ban ADDRESS": "Ban these addresses, separated by commas.",
      "--ban-new": "Ban the addresses from which the accounts signed in for the first time.",
      "--tokens": "Revoke every API token.",
      "--dashboard": "Set a new dashboard password, and remove its second factors and passkeys.",
      "--dry-run": "Only show what would be done.",
      ...SINCE,
      ...YES,
    },
  ),
  incidentMail("incident sent [ACCOUNT]", "Show who sent what to whom, and which recipients it reached.", SINCE),
  incidentDrop(
    "incident drop ACCOUNT",
    "Remove the mail of an account from the queue, and keep copies as evidence.",
    DELETION,
  ),
  incidentInvestigate(
    "incident investigate [ACCOUNT...]",
    "Pack the evidence: events, logs, configuration, and mail on hold, or all queued mail of these accounts.",
    { root: true, ...SINCE },
  ),
  incidentInvestigate("incident verify BUNDLE", "Compare a bundle of evidence with the audit."),
  incidentMail("incident tell ACCOUNT", "Print or send a notice to the recipients of an account's mail.", {
    copied: true,
    "--send": "Send it to each recipient in a separate mail.",
    "--template FILE": "Template: the subject in the first line, then the text, with {account} and others.",
    ...SINCE,
    ...YES,
  }),
  incidentIsolate(
    "incident recover",
    "Compare with the last backup from before the incident, and lift the isolation part by part.",
    { "--lift PART": "Part to lift: receive, sign-in, send or all." },
  ),
  incidentAssess("incident report", "Write the report: timeline, what was affected, actions, lessons.", {
    copied: true,
    ...SINCE,
  }),
  incident("incident close", "End the incident."),
  server(
    "service install",
    "Let systemd run the server and start it at boot, with a unit and permissions for each part.",
  ),
  server("service uninstall", "Stop the server and remove its units."),
  {
    ...namedBy("completion bash|zsh|fish [WORD...]"),
    says: "Print the completion script for this shell; with words, what may replace the last one.",
    run: async (call) => (await import("./shell/completion.ts")).completion(call, commands),
    options: [],
    copied: true,
    keepsWords: true,
  },
  server("uninstall", "Remove what set-up added to this machine.", {
    copied: true,
    ...YES,
    "--packages": "Also remove the Debian packages that set-up installed, unless others need them.",
    "--purge-data": "Also delete the data directory: mail, accounts, everything.",
  }),
];

/** Every command: dispatch, help and the argument checks are derived from this table. */
export const commands: readonly CliCommand[] = [...BY_HAND, ...derivedCommands()];

type Run = CliCommand["run"];
type More = Readonly<OptionLines & Pick<CliCommand, "root" | "copied" | "keepsWords" | "isVerbatim">>;

/** The name of a command's function, from the lower-case words of its line: `queueHold` for `queue hold [ID...]`. */
type Named<Line extends string> = Line extends `${infer First} ${infer Rest}`
  ? First extends Lowercase<First>
    ? `${Camel<First>}${Capitalize<Named<Rest>>}`
    : ""
  : Line extends Lowercase<Line>
    ? Camel<Line>
    : "";
type Camel<Word extends string> = Word extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : Word;

/** Declares the commands of a file, each with its line of the help, which names its function. `ofAll`: options of all of them. */
function from<M extends object>(load: () => Promise<M>, ofAll: Pick<More, "root"> = {}) {
  return <Line extends string>(
    line: M extends Readonly<Record<Named<Line>, Run>> ? Line : never,
    says: string,
    { root = ofAll.root, copied, keepsWords, isVerbatim, ...options }: More = {},
  ): CliCommand => {
    const { name, usage } = namedBy(line);
    const key = name.replace(/[ -](.)/g, (_, first: string) => first.toUpperCase());
    const run: Run = async (call) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type of `line` has checked it
      const found = Reflect.get(await load(), key) as Run;
      return found(call);
    };
    return { name, usage, says, run, root, copied, keepsWords, isVerbatim, options: optionsOf(options) };
  };
}
