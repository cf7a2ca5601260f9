import type { CommandCall, CommandOutcome } from "./call.ts";
import { LIST_OPTIONS } from "./listing.ts";
import type { Shape } from "./parse.ts";
import { accountImport } from "./verbs/account-import.ts";
import { accountNetworks } from "./verbs/account-networks.ts";
import { accountQuota } from "./verbs/account-quota.ts";
import {
  accountAdd,
  accountList,
  accountPasswd,
  accountRemove,
  accountResume,
  accountSuspend,
} from "./verbs/accounts.ts";
import { alertsList, alertsTest } from "./verbs/alerts.ts";
import { aliasAdd, aliasBlock, aliasList, aliasRemove, aliasUnblock } from "./verbs/aliases.ts";
import { allowAdd, allowList, allowRemove, ban, bans, cleanup, unban } from "./verbs/bans.ts";
import { breakGlass } from "./verbs/break-glass.ts";
import { configCheck, configReference, configShow } from "./verbs/config.ts";
import { configApply } from "./verbs/config-apply.ts";
import { configSet, configUnset } from "./verbs/config-set.ts";
import { dnsCheck, dnsRecords } from "./verbs/dns.ts";
import { events } from "./verbs/events.ts";
import { fail2banRestart, fail2banStatus } from "./verbs/fail2ban.ts";
import { fail2banTest } from "./verbs/fail2ban-test.ts";
import { greylistList, greylistPause, greylistResume } from "./verbs/greylist.ts";
import { accountDrop, accountHeld, accountRelease } from "./verbs/held.ts";
import { logs } from "./verbs/logs.ts";
import { ALL, CHOICE, queueDelete, queueFlush, queueHold, queueList, queueRelease } from "./verbs/queue.ts";
import { configSimulate, REPLAYED, replay } from "./verbs/replay.ts";
import { sendmail } from "./verbs/sendmail.ts";
import { restart, stop } from "./verbs/server.ts";
import { spamAllowAdd, spamAllowList, spamAllowRemove } from "./verbs/spam.ts";
import { stats, status } from "./verbs/status.ts";
import { adminPasswd, tokenCreate, tokenList, tokenRevoke } from "./verbs/tokens.ts";
import { uninstall } from "./verbs/uninstall.ts";
import { why } from "./verbs/why.ts";

export type CliCommand = Shape &
  Readonly<{
    says: string;
    run: (call: CommandCall) => Promise<CommandOutcome>;
    /** Whether long lines are broken on a terminal. Not where text is copied, such as settings and DNS records. */
    wraps?: boolean;
  }>;

const PASSWORD_STDIN = { name: "password-stdin", says: "Read the password from standard input." };
const YES = { name: "yes", says: "Do not ask." };

/** Every command: dispatch, help and the checks of what was typed come from this table. */
export const commands: readonly CliCommand[] = [
  { name: "status", usage: "", says: "Show what runs, and what needs attention.", run: status, wraps: true },
  { name: "stop", usage: "", says: "Stop the server and wait until nothing of it runs.", run: stop },
  {
    name: "restart",
    usage: "",
    says: "Stop the server and start it again where it runs, with the settings it was started with.",
    run: restart,
  },
  { name: "stats", usage: "", says: "Show bans, counts and the busiest addresses.", run: stats, wraps: true },
  {
    name: "events",
    usage: "",
    says: "Show what happened, the latest last.",
    run: events,
    wraps: true,
    options: [
      { name: "follow", says: "Show new events until Ctrl-C." },
      { name: "after", value: "ID", says: "Only events after the one with this id, the oldest first." },
      { name: "ecs", says: "One JSON object a line, with the fields of the Elastic Common Schema." },
      { name: "types", says: "List every type of event and what it means." },
      { name: "ip", value: "IP", says: "Only of this address or network." },
      { name: "type", value: "TYPE", says: "Only of this type, such as BAN or LOGIN_FAILED." },
      { name: "account", value: "ADDRESS", says: "Only of this account." },
      ...LIST_OPTIONS,
    ],
  },
  {
    name: "logs",
    usage: "",
    says: "Search the logs of all components, rotated ones too; the latest last.",
    run: logs,
    wraps: true,
    options: [
      { name: "grep", value: "TEXT", says: "Only lines with this text, in either case." },
      {
        name: "since",
        value: "WHEN",
        says: "Only lines newer than this: 2h, 7d, or a time such as 2026-11-20T08:00:00Z.",
      },
      { name: "ip", value: "IP", says: "Only of this address or network." },
      { name: "queue-id", value: "ID", says: "Only of this mail, by its queue id." },
      { name: "account", value: "ADDRESS", says: "Only of this account." },
      { name: "component", value: "NAME", says: "Only of this one: mail, guard, web, ..." },
      { name: "limit", value: "N", says: "At most so many lines; the default is 200." },
      { name: "follow", says: "Show new lines until Ctrl-C." },
    ],
  },
  {
    name: "why",
    usage: "[IP]",
    says: "Explain what was decided about an address, an account or a mail, and how to change it.",
    run: why,
    wraps: true,
    options: [
      { name: "account", value: "ADDRESS", says: "An account: its sign-ins, and its mail." },
      { name: "message", value: "ID", says: "One mail, by its queue id or Message-ID." },
    ],
  },
  {
    name: "replay",
    usage: "",
    says: "Tell what other settings would have done to what was recorded: bans, refusals, accounts.",
    run: replay,
    wraps: true,
    options: [{ name: "policy", value: "FILE", says: "The other settings: a whole settings file." }, ...REPLAYED],
  },
  {
    name: "ban",
    usage: "IP [REASON...]",
    says: "Ban an address or network.",
    run: ban,
    options: [
      { name: "for", value: "TIME", says: "How long: 30m, 2h, 7d; otherwise as long as bans.manual says." },
      { name: "permanent", says: "Until it is lifted." },
      { name: "yes", says: "Do not ask before a very large network is banned." },
    ],
  },
  { name: "unban", usage: "IP", says: "Lift a ban.", run: unban },
  { name: "bans", usage: "", says: "List the bans in force.", run: bans, wraps: true, options: LIST_OPTIONS },
  {
    name: "allow add",
    usage: "IP [NOTE...]",
    says: "Never ban this address or network.",
    run: allowAdd,
    options: [{ name: "for", value: "TIME", says: "How long: 2h, 30d; otherwise until it is taken off." }],
  },
  { name: "allow remove", usage: "IP", says: "Take it off the allow list.", run: allowRemove },
  { name: "allow list", usage: "", says: "Show the allow list.", run: allowList, wraps: true, options: LIST_OPTIONS },
  { name: "cleanup", usage: "", says: "Remove expired bans; the server also does so by itself.", run: cleanup },
  {
    name: "account add",
    usage: "ADDRESS",
    says: "Add a mailbox.",
    run: accountAdd,
    options: [PASSWORD_STDIN],
  },
  {
    name: "account remove",
    usage: "ADDRESS",
    says: "Remove a mailbox; its mail stays on the disk.",
    run: accountRemove,
    options: [YES],
  },
  {
    name: "account list",
    usage: "",
    says: "List the mailboxes.",
    run: accountList,
    wraps: true,
    options: LIST_OPTIONS,
  },
  {
    name: "account passwd",
    usage: "ADDRESS",
    says: "Set a new password and end open sessions.",
    run: accountPasswd,
    options: [PASSWORD_STDIN],
  },
  {
    name: "account import",
    usage: "FILE",
    says: "Add the accounts of a file in the format of postfix-accounts.cf.",
    run: accountImport,
  },
  {
    name: "account networks",
    usage: "ADDRESS add|remove|list [NETWORK...]",
    says: "Restrict the networks from which an account may sign in; without networks, anywhere.",
    run: accountNetworks,
  },
  {
    name: "account quota",
    usage: "ADDRESS [SIZE|none|default]",
    says: "Show how full a mailbox is, or set how large it may become.",
    run: accountQuota,
  },
  {
    name: "account suspend",
    usage: "ADDRESS",
    says: "Stop sign-ins to an account, and hold its mail in the queue; mail to it still arrives.",
    run: accountSuspend,
  },
  { name: "account resume", usage: "ADDRESS", says: "Let a suspended account sign in again.", run: accountResume },
  {
    name: "account held",
    usage: "[ADDRESS]",
    says: "Show which mail is held, and what an account sent within a day.",
    run: accountHeld,
    wraps: true,
  },
  {
    name: "account release",
    usage: "ADDRESS",
    says: "Send the held mail of an account and vouch for it: its further mail is not held.",
    run: accountRelease,
  },
  {
    name: "account drop",
    usage: "ADDRESS",
    says: "Delete the held mail of an account.",
    run: accountDrop,
    options: [YES],
  },
  { name: "alias add", usage: "ADDRESS TARGET...", says: "Pass mail for an address on to others.", run: aliasAdd },
  { name: "alias remove", usage: "ADDRESS", says: "Remove an alias.", run: aliasRemove },
  { name: "alias list", usage: "", says: "List the aliases.", run: aliasList, options: LIST_OPTIONS },
  { name: "alias block", usage: "ADDRESS", says: "Refuse mail for an alias.", run: aliasBlock },
  { name: "alias unblock", usage: "ADDRESS", says: "Accept mail for an alias again.", run: aliasUnblock },
  {
    name: "greylist pause",
    usage: "ADDRESS",
    says: "Accept mail from strangers to a recipient at once, for example a sign-up code.",
    run: greylistPause,
    options: [{ name: "for", value: "TIME", says: "How long: 30m, 2h; the default is 15 minutes." }],
  },
  { name: "greylist resume", usage: "ADDRESS", says: "End a pause before its time.", run: greylistResume },
  {
    name: "greylist list",
    usage: "",
    says: "Show the recipients for whom greylisting is paused.",
    run: greylistList,
    options: LIST_OPTIONS,
  },
  {
    name: "spam allow add",
    usage: "ACCOUNT SENDER",
    says: "Never treat a sender's mail to an account as spam, if SPF or DKIM proves the sender.",
    run: spamAllowAdd,
  },
  { name: "spam allow remove", usage: "ACCOUNT SENDER", says: "Score the sender's mail again.", run: spamAllowRemove },
  {
    name: "spam allow list",
    usage: "",
    says: "Show the allowed senders of each account.",
    run: spamAllowList,
    options: LIST_OPTIONS,
  },
  {
    name: "queue list",
    usage: "[ID...]",
    says: "Show the mail that waits in the queue: why, until when, from and for whom.",
    run: queueList,
    wraps: true,
    options: [...CHOICE, ...LIST_OPTIONS],
  },
  {
    name: "queue flush",
    usage: "[ID...]",
    says: "Try deferred mail again now; all of it unless you name some.",
    run: queueFlush,
    options: [...CHOICE, ALL],
  },
  {
    name: "queue hold",
    usage: "[ID...]",
    says: "Keep mail in the queue until it is released.",
    run: queueHold,
    options: [...CHOICE, ALL],
  },
  {
    name: "queue release",
    usage: "[ID...]",
    says: "Let mail that was put on hold go on. What the guard holds is up to `account release`.",
    run: queueRelease,
    options: [...CHOICE, ALL],
  },
  {
    name: "queue delete",
    usage: "[ID...]",
    says: "Delete mail from the queue. What the guard holds is up to `account drop`.",
    run: queueDelete,
    options: [...CHOICE, ALL, YES],
  },
  {
    name: "sendmail",
    usage: "[OPTION...] [RECIPIENT...]",
    says: "Put a mail from standard input into the queue, as sendmail(1) does, with its options and exit codes.",
    run: sendmail,
    isVerbatim: true,
  },
  {
    name: "dns records",
    usage: "DOMAIN",
    says: "Print what to publish in the DNS for a mail domain.",
    run: dnsRecords,
  },
  { name: "dns check", usage: "DOMAIN", says: "Compare it with what is published.", run: dnsCheck },
  {
    name: "fail2ban status",
    usage: "",
    says: "Show the jails of Fail2ban and what they found.",
    run: fail2banStatus,
    wraps: true,
  },
  {
    name: "fail2ban restart",
    usage: "",
    says: "Load new and changed filters, and restart Fail2ban.",
    run: fail2banRestart,
  },
  {
    name: "fail2ban test",
    usage: "FILTER LOG",
    says: "Show what a filter would match in a log, and which addresses it would ban.",
    run: fail2banTest,
  },
  { name: "config check", usage: "", says: "Show what is wrong with the settings.", run: configCheck, wraps: true },
  {
    name: "config simulate",
    usage: "FILE",
    says: "Tell what a settings file would have done to what was recorded, as replay does.",
    run: configSimulate,
    options: REPLAYED,
  },
  {
    name: "config show",
    usage: "",
    says: "Show what the server uses, and where each setting comes from.",
    run: configShow,
  },
  {
    name: "config set",
    usage: "KEY VALUE [MORE...]",
    says: "Write a setting into the file; MORE: further keys and values, as tls.cert needs tls.key.",
    run: configSet,
  },
  {
    name: "config unset",
    usage: "KEY...",
    says: "Take settings out of the file: their defaults count again.",
    run: configUnset,
  },
  { name: "config reference", usage: "", says: "Explain every setting.", run: configReference },
  {
    name: "config apply",
    usage: "",
    says: "Apply changed settings without interrupting mail.",
    run: configApply,
    options: [YES],
  },
  { name: "alerts test", usage: "", says: "Send a test through every alert channel.", run: alertsTest },
  {
    name: "alerts list",
    usage: "",
    says: "Show open and past alerts, and the channels.",
    run: alertsList,
    wraps: true,
    options: LIST_OPTIONS,
  },
  { name: "token create", usage: "NAME", says: "Make a token for the HTTP API; it is shown once.", run: tokenCreate },
  { name: "token list", usage: "", says: "List the tokens.", run: tokenList, options: LIST_OPTIONS },
  { name: "token revoke", usage: "NAME", says: "Revoke a token.", run: tokenRevoke },
  {
    name: "admin passwd",
    usage: "",
    says: "Set the password of the dashboard.",
    run: adminPasswd,
    options: [PASSWORD_STDIN],
  },
  {
    name: "break-glass",
    usage: "",
    says: "Lift every ban and unlock every guarded account, even while the server is down.",
    run: breakGlass,
    options: [{ name: "yes", says: "Do not ask before bans made by hand are lifted." }],
  },
  {
    name: "uninstall",
    usage: "",
    says: "Remove what set-up added to this machine.",
    run: uninstall,
    options: [
      YES,
      { name: "packages", says: "Also remove the Debian packages that set-up installed, unless others need them." },
      { name: "purge-data", says: "Also delete the data directory: mail, accounts, everything." },
    ],
  },
];
