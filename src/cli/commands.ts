import { accountImport } from "./account-import.ts";
import { accountNetworks } from "./account-networks.ts";
import { accountAdd, accountList, accountPasswd, accountRemove, accountResume, accountSuspend } from "./accounts.ts";
import { aliasAdd, aliasBlock, aliasList, aliasRemove, aliasUnblock } from "./aliases.ts";
import { allowAdd, allowList, allowRemove, ban, bans, cleanup, unban } from "./bans.ts";
import { breakGlass } from "./break-glass.ts";
import type { Answer, Call } from "./call.ts";
import { configApply, configCheck, configReference, configShow } from "./config.ts";
import { dnsCheck, dnsRecords } from "./dns.ts";
import { events } from "./events.ts";
import { greylistList, greylistPause, greylistResume } from "./greylist.ts";
import type { Shape } from "./parse.ts";
import { spamAllowAdd, spamAllowList, spamAllowRemove } from "./spam.ts";
import { stats, status } from "./status.ts";
import { adminPasswd, tokenCreate, tokenList, tokenRevoke } from "./tokens.ts";
import { uninstall } from "./uninstall.ts";
import { why } from "./why.ts";

export type Command = Shape & Readonly<{ says: string; run: (call: Call) => Promise<Answer> }>;

const PASSWORD_STDIN = { name: "password-stdin", says: "Read the password from standard input." };
const YES = { name: "yes", says: "Do not ask." };

/** Every command: dispatch, help and the checks of what was typed come from this table. */
export const commands: readonly Command[] = [
  { name: "status", usage: "", says: "Show what runs, and what needs attention.", run: status },
  { name: "stats", usage: "", says: "Show bans, counts and the busiest addresses.", run: stats },
  {
    name: "events",
    usage: "",
    says: "Show what happened, the latest last.",
    run: events,
    options: [
      { name: "follow", says: "Go on showing events until Ctrl-C." },
      { name: "ip", value: "IP", says: "Only of this address or network." },
      { name: "type", value: "TYPE", says: "Only of this type, such as BAN or LOGIN_FAILED." },
      { name: "limit", value: "N", says: "How many at most; 50 unless given." },
    ],
  },
  { name: "why", usage: "IP", says: "Explain what was decided about an address, and how to change it.", run: why },
  {
    name: "ban",
    usage: "IP [REASON...]",
    says: "Shut out an address or network.",
    run: ban,
    options: [
      { name: "for", value: "TIME", says: "How long: 30m, 2h, 7d; otherwise as long as bans.manual says." },
      { name: "permanent", says: "Until it is lifted." },
    ],
  },
  { name: "unban", usage: "IP", says: "Lift a ban.", run: unban },
  { name: "bans", usage: "", says: "List the bans in force.", run: bans },
  {
    name: "allow add",
    usage: "IP [NOTE...]",
    says: "Never ban this address or network.",
    run: allowAdd,
    options: [{ name: "for", value: "TIME", says: "How long: 2h, 30d; otherwise until it is taken off." }],
  },
  { name: "allow remove", usage: "IP", says: "Take it off the allow list.", run: allowRemove },
  { name: "allow list", usage: "", says: "Show the allow list.", run: allowList },
  { name: "cleanup", usage: "", says: "Remove bans whose time is over; it happens by itself, too.", run: cleanup },
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
  { name: "account list", usage: "", says: "List the mailboxes.", run: accountList },
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
    says: "Say from where an account may sign in; without networks, from anywhere.",
    run: accountNetworks,
  },
  {
    name: "account suspend",
    usage: "ADDRESS",
    says: "Stop an account from signing in; its mail still arrives.",
    run: accountSuspend,
  },
  { name: "account resume", usage: "ADDRESS", says: "Let a suspended account sign in again.", run: accountResume },
  { name: "alias add", usage: "ADDRESS TARGET...", says: "Pass on mail for an address to others.", run: aliasAdd },
  { name: "alias remove", usage: "ADDRESS", says: "Remove an alias.", run: aliasRemove },
  { name: "alias list", usage: "", says: "List the aliases.", run: aliasList },
  { name: "alias block", usage: "ADDRESS", says: "Refuse mail for an alias.", run: aliasBlock },
  { name: "alias unblock", usage: "ADDRESS", says: "Take mail for an alias again.", run: aliasUnblock },
  {
    name: "greylist pause",
    usage: "ADDRESS",
    says: "Let mail of strangers to a recipient in at once, for a code that must come now.",
    run: greylistPause,
    options: [{ name: "for", value: "TIME", says: "How long: 30m, 2h; 15 minutes unless given." }],
  },
  { name: "greylist resume", usage: "ADDRESS", says: "End a pause before its time.", run: greylistResume },
  { name: "greylist list", usage: "", says: "Show for whom greylisting is paused.", run: greylistList },
  {
    name: "spam allow add",
    usage: "ACCOUNT SENDER",
    says: "Let mail from a sender in for an account, if SPF or DKIM proves that it is theirs.",
    run: spamAllowAdd,
  },
  { name: "spam allow remove", usage: "ACCOUNT SENDER", says: "Score their mail again.", run: spamAllowRemove },
  { name: "spam allow list", usage: "", says: "Show who is let in for whom.", run: spamAllowList },
  {
    name: "dns records",
    usage: "DOMAIN",
    says: "Print what to publish in the DNS for a mail domain.",
    run: dnsRecords,
  },
  { name: "dns check", usage: "DOMAIN", says: "Compare it with what is published.", run: dnsCheck },
  { name: "config check", usage: "", says: "Tell what is wrong with the settings.", run: configCheck },
  { name: "config show", usage: "", says: "Show every setting and where it comes from.", run: configShow },
  { name: "config reference", usage: "", says: "Explain every setting.", run: configReference },
  { name: "config apply", usage: "", says: "Put changed settings into force while mail goes on.", run: configApply },
  { name: "token create", usage: "NAME", says: "Make a token for the HTTP API; it is shown once.", run: tokenCreate },
  { name: "token list", usage: "", says: "List the tokens.", run: tokenList },
  { name: "token revoke", usage: "NAME", says: "Make a token worthless.", run: tokenRevoke },
  {
    name: "admin passwd",
    usage: "",
    says: "Set the password of the dashboard.",
    run: adminPasswd,
    options: [PASSWORD_STDIN],
  },
  { name: "break-glass", usage: "", says: "Lift every ban at once, even while the server is down.", run: breakGlass },
  {
    name: "uninstall",
    usage: "",
    says: "Take back what set-up added to this machine.",
    run: uninstall,
    options: [
      YES,
      { name: "packages", says: "Remove the Debian packages that set-up installed, too, unless others need them." },
      { name: "purge-data", says: "Delete the data directory, too: mail, accounts, everything." },
    ],
  },
];
