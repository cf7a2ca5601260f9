import assert from "node:assert/strict";
import type { BanItem } from "../../src/admin/bans.ts";
import type { EventItem, Health } from "../../src/admin/declare/items.ts";
import type { Ban } from "../../src/core/decide/decision.ts";
import {
  type AccountFacts,
  type Facts,
  type Neighbourhood,
  NO_BOUNCE,
  NO_PRIOR_REPORTS,
  NO_SENDING,
  type SparingFacts,
} from "../../src/core/decide/facts.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { Observation } from "../../src/core/events/log.ts";
import type { LoginAttributes } from "../../src/core/events/login.ts";
import type { DataCommand, EndOfMessage, MailAttributes, Recipient } from "../../src/core/events/mail.ts";
import type { JailReported } from "../../src/core/events/report.ts";
import { type Opening, parseDoor } from "../../src/core/firewall/strict.ts";
import { parseAccountName, parseAddress } from "../../src/core/net/address.ts";
import { hostPrefix, type Ip, neighbourhoodOf, parseIp, parsePrefix } from "../../src/core/net/ip.ts";
import { parseKeepRule } from "../../src/core/retention.ts";
import { DAY_MS, HOUR_MS, instant, isoTime, later, MINUTE_MS, type Millis } from "../../src/core/time.ts";

/** For tests: the default policy, a stranger, and instants around a noon. Nothing here runs in the product. */
export const NOON: Millis = instant(Date.UTC(2026, 10, 20, 12));

export const POLICY: Policy = {
  mail: [
    { key: "limits.mail.per_minute", count: 10, windowMs: MINUTE_MS },
    { key: "limits.mail.per_hour", count: 50, windowMs: HOUR_MS },
    { key: "limits.mail.per_day", count: 200, windowMs: DAY_MS },
  ],
  sending: {
    burst: { key: "limits.sending.recipients_per_minute", count: 50, windowMs: MINUTE_MS },
    recipients: [
      { key: "limits.sending.recipients_per_hour", count: 150, windowMs: HOUR_MS },
      { key: "limits.sending.recipients_per_day", count: 500, windowMs: DAY_MS },
    ],
    strangers: [
      { key: "limits.sending.strangers", count: 100, windowMs: HOUR_MS },
      { key: "limits.sending.strangers_per_day", count: 150, windowMs: DAY_MS },
    ],
    refused: { key: "limits.sending.refused", count: 10, windowMs: HOUR_MS },
  },
  connections: [
    { key: "limits.connections.per_minute", count: 20, windowMs: MINUTE_MS },
    { key: "limits.connections.per_hour", count: 100, windowMs: HOUR_MS },
  ],
  probes: [{ key: "limits.recipients.unknown_per_hour", count: 10, windowMs: HOUR_MS }],
  probesFromAnywhere: [{ key: "limits.recipients.unknown_server_per_hour", count: 100, windowMs: HOUR_MS }],
  firstContacts: {
    limits: [
      { key: "limits.first_contacts.per_minute", count: 20, windowMs: MINUTE_MS },
      { key: "limits.first_contacts.per_hour", count: 100, windowMs: HOUR_MS },
    ],
    delayMs: 20 * MINUTE_MS,
  },
  perSession: 5,
  recipientsPerMail: 100,
  logins: { failures: 5, windowMs: 10 * MINUTE_MS, perDay: 10, perWeek: 20, knownPerDay: 40, networks: [] },
  accounts: { failures: 20, windowMs: HOUR_MS, knownForMs: 90 * DAY_MS, candidates: 1_000 },
  networks: { failures: 30, windowMs: HOUR_MS, perDay: 40 },
  spraying: { guesses: 12, windowMs: HOUR_MS },
  bans: {
    neighbours: 5,
    ladderMs: [30 * MINUTE_MS, 2 * HOUR_MS, DAY_MS],
    permanent: false,
    memoryMs: 7 * DAY_MS,
    ipv6Prefix: 64,
    manualMs: DAY_MS,
  },
  allow: [],
  jailSentences: "unjudged",
  scansBan: false,
  providers: ["google.com"],
  blockedRecipients: ["admin"],
  blockLists: ["zen.spamhaus.org", "bl.spamcop.net"],
  greylist: false,
  domains: ["example.org"],
  simulate: false,
  knownFactor: 3,
};

export const ip = valid(parseIp, "an address");
export const net = valid(parsePrefix, "a network");
export const door = valid(parseDoor, "a door");
export const accountName = valid(parseAccountName, "an account");
export const keepRule = valid(parseKeepRule, "a rule of retention");
export const mailAddress = valid(parseAddress, "a mail address");

function valid<T>(parse: (text: string) => T | null, what: string): (text: string) => T {
  return (text) => parse(text) ?? assert.fail(`not ${what}: ${text}`);
}

export function opening(doors: readonly string[], trusted: readonly string[] = []): Opening {
  return { doors: doors.map(door), trusted };
}

export const STRANGER: Ip = ip("203.0.113.7");

/** Nothing forbids a ban. */
export const UNSPARED: SparingFacts = { protection: null, administratorsAt: [], clients: [], sparedAt: null };
/** A network about which nothing is known. */
export const QUIET: Neighbourhood = {
  ban: null,
  offencesAt: [],
  settledAt: instant(0),
  offenders: () => 0,
  guesses: () => 0,
  banned: () => [],
  servers: () => [],
  hasSignIns: () => false,
};

/** Facts about an unknown client, except for those that the test gives. */
export function factsOf(known: Partial<Facts> = {}): Facts {
  return {
    prefix: hostPrefix(STRANGER),
    ip: STRANGER,
    network: neighbourhoodOf(STRANGER, 64),
    protection: null,
    isKnown: false,
    ban: null,
    offences: 0,
    connections: [],
    mails: [],
    failures: [],
    pending: [],
    spraying: { guesses: 0, networks: 0 },
    knownAccounts: [],
    account: null,
    probes: [],
    bounces: [],
    bounce: NO_BOUNCE,
    hasOtherExtension: false,
    isAnswer: false,
    probesFromAnywhere: [],
    namesProbed: 0,
    firstContactsFromAnywhere: [],
    isAmongFirstContacts: false,
    accountNetworks: [],
    isAccountActive: true,
    sending: NO_SENDING,
    isWanted: false,
    sessionMails: 0,
    sessionRecipients: 0,
    recipient: "exists",
    isSenderHere: false,
    isFirstContact: false,
    writtenTo: [],
    priorReports: NO_PRIOR_REPORTS,
    sparing: () => ({ ...UNSPARED, protection: known.protection ?? null }),
    neighbourhood: () => QUIET,
    ...known,
  };
}

export const BAN: Ban = {
  prefix: hostPrefix(STRANGER),
  ip: STRANGER,
  level: "light",
  code: "mail_limit",
  reason: "Too many mails: 11 within 1m, limit 10",
  source: "engine",
  createdAt: later(NOON, -MINUTE_MS),
  expiresAt: later(NOON, 29 * MINUTE_MS),
  offences: 1,
};

export const MAIL: MailAttributes = {
  ip: STRANGER,
  service: "smtp",
  session: "203.0.113.7 40000 25 192.0.2.1",
  clientName: null,
  helo: "sender.example.net",
  sender: "someone@example.net",
  recipient: "owner@example.org",
  account: null,
  queueId: "",
  transaction: "a1.1",
};

/** The recipient of that mail, before anything was looked up. */
export const RECIPIENT: Recipient = { type: "RECIPIENT", blockListing: null, senderExists: null, ...MAIL };

/** Its DATA command, and its end. */
export const DATA: DataCommand = { type: "DATA", recipientCount: 1, ...MAIL };
export const MESSAGE: EndOfMessage = { type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 1, ...MAIL };

/** A sign-in of a stranger. */
export const LOGIN: LoginAttributes = { ip: STRANGER, service: "imap", login: "User@example.org", passwordHash: "now" };

/** The account of that sign-in, where the stranger is unknown. */
export const ACCOUNT: AccountFacts = {
  name: "user@example.org",
  kinship: "stranger",
  guesses: 0,
  passwordHashes: [],
  candidates: 0,
  networkCandidates: 0,
  commonCandidates: 0,
  networkGuesses: 0,
};

/** For a client's fault that is not about a mail. */
export const UNNAMED = { account: null, sender: null, recipient: null };

/** The log's report of a mail that was delivered to a mailbox of this server. */
export const DELIVERED: Extract<Observation, { type: "MAIL_TRIED" }> = {
  type: "MAIL_TRIED",
  queueId: "72CED1EABE5",
  recipient: "anna@example.test",
  alias: null,
  outcome: "sent",
  relay: "lmtp x",
  reply: "250 Saved",
  server: null,
};

/** Fail2ban's report about a stranger. */
export const JAIL_REPORT: JailReported = {
  type: "JAIL_REPORTED",
  ip: STRANGER,
  jail: "postfix",
  failures: 3,
  limit: 3,
  windowMs: 10 * MINUTE_MS,
  banMs: 10 * MINUTE_MS,
  lastAt: NOON,
  clientName: null,
  lines: [],
};

/** `count` times, one each `everyMs`, the last at `NOON`; ascending. */
export function times(count: number, everyMs = 1): readonly Millis[] {
  return Array.from({ length: count }, (_, i) => later(NOON, (i + 1 - count) * everyMs));
}

/** A ban as it is listed, except for the fields that the test gives. */
export function banItem(changes: Partial<BanItem> = {}): BanItem {
  return {
    ip: "203.0.113.7",
    prefix: "203.0.113.7/32",
    level: "medium",
    code: "login_failures",
    reason: "Too many different wrong passwords: 5 within 10m, limit 5",
    source: "engine",
    createdAt: "2026-11-20T06:40:00.000Z",
    expiresAt: "2026-11-20T08:40:00.000Z",
    offences: 2,
    ...changes,
  };
}

/** The health of a server without a problem, with no component. */
export const WELL: Health = {
  status: "ok",
  headline: "well",
  components: [],
  notices: [],
  needsYou: [],
  uptimeSeconds: 60,
};

/** An event with only a type and the fields that the test gives. */
export function eventItem(type: string, changes: Partial<EventItem> = {}): EventItem {
  return {
    id: 1,
    at: isoTime(NOON),
    type,
    service: null,
    ip: null,
    account: null,
    sender: null,
    recipient: null,
    queueId: null,
    messageId: null,
    helo: null,
    sizeBytes: null,
    verdict: null,
    reason: null,
    offence: null,
    count: null,
    limit: null,
    windowMs: null,
    limitKey: null,
    simulated: null,
    actor: null,
    details: "",
    action: "",
    ...changes,
  };
}
