import * as z from "zod/mini";
import { STEPS } from "../../core/incident/incident.ts";
import { SHUT } from "../../core/incident/isolation.ts";

/** What only root can read and others may know: the keeper tells the guard, and the guard those who administer. */

export const SENTENCES = ["unjudged", "all"] as const;

/** The keeper's verbs for it, each without an argument. */
export const TOLD = [
  "upkeep",
  "certificate",
  "dkim_keys",
  "incidents",
  "firewall",
  "retention",
  "encryption",
  "fail2ban",
  "checks",
] as const;
export type Told = (typeof TOLD)[number];

/** Of so many accounts at once it is told where their Sieve scripts send mail on. */
export const MOST_REVIEWED = 100;

export const incidentsReport = () =>
  z.object({
    /** The newest first. `steps`: how many its timeline has. */
    incidents: z.readonly(
      z.array(
        z.object({
          id: z.string(),
          title: z.string(),
          openedAt: z.string(),
          since: z.string(),
          closedAt: z.nullable(z.string()),
          steps: z.number(),
        }),
      ),
    ),
    /** Of the one that is open, the oldest first; without what each step was done to. */
    timeline: z.readonly(
      z.array(
        z.object({ at: z.string(), by: z.string(), step: z.enum(STEPS), says: z.string(), audited: z.boolean() }),
      ),
    ),
    /** Null: the server is not isolated. */
    isolation: z.nullable(
      z.object({
        incident: z.string(),
        since: z.string(),
        allow: z.readonly(z.array(z.string())),
        shut: z.readonly(z.array(z.enum(SHUT))),
      }),
    ),
  });
export type IncidentsReport = Readonly<z.output<ReturnType<typeof incidentsReport>>>;

/**
 * What the strict firewall lets in. `off`: there is no firewall; `bans`: there is no strict one, and the settings have banned addresses
 * dropped; `trial`: waits for a confirmation; `confirmed`: as it shall be;
 * `unconfirmed`: it shall be strict, but was not confirmed; `broken`: its table is not as it was made; `unknown`: it
 * cannot be read.
 */
export const FIREWALL_STATES = ["off", "bans", "trial", "confirmed", "unconfirmed", "broken", "unknown"] as const;

export const firewallReport = () =>
  z.object({
    state: z.enum(FIREWALL_STATES),
    /** Such as `25/tcp`, or `22/tcp4` over IPv4 alone. Null: every port. */
    open: z.nullable(z.readonly(z.array(z.string()))),
    /** Interfaces from which everything is let in. */
    trusted: z.readonly(z.array(z.string())),
    /** Until the kernel takes a trial back. */
    confirmWithinSeconds: z.nullable(z.number()),
    /** Why it is broken. */
    faults: z.readonly(z.array(z.string())),
  });
export type FirewallReport = Readonly<z.output<ReturnType<typeof firewallReport>>>;

export const retentionReport = () =>
  z.object({
    /** Null while it is paused. */
    nextRunAt: z.nullable(z.string()),
    /** Null: there was none yet. */
    lastRun: z.nullable(z.object({ at: z.string(), mails: z.number(), bytes: z.number() })),
    /** Of the run that was to be the last; it is tried again each hour. */
    failure: z.nullable(z.object({ at: z.string(), reason: z.string() })),
    /** Why it waits, after a leap of the clock; null: it does not. */
    paused: z.nullable(z.string()),
    /** Accounts whose mail must stay, also some that were removed. */
    legalHolds: z.readonly(z.array(z.object({ account: z.string(), since: z.string() }))),
  });
export type RetentionReport = Readonly<z.output<ReturnType<typeof retentionReport>>>;

/** How mail is encrypted on the disk, without where the private key is. */
export const encryptionReport = () =>
  z.object({
    /** New mail. */
    encrypts: z.boolean(),
    /** Each account has a key of its own. */
    byAccount: z.boolean(),
    /** Whether the server's private key is there; null: there is no such key. */
    readable: z.nullable(z.boolean()),
    /** SHA-256 of the server's public key; null: there is none. */
    fingerprint: z.nullable(z.string()),
  });
export type EncryptionReport = Readonly<z.output<ReturnType<typeof encryptionReport>>>;

export const fail2banReport = () =>
  z.object({
    enabled: z.boolean(),
    /** Whether each report bans, or only what the guard has not judged itself. */
    sentences: z.enum(SENTENCES),
    /** Since Fail2ban was started, as `JailStatus` tells it. */
    jails: z.readonly(
      z.array(z.object({ name: z.string(), watched: z.number(), found: z.number(), reports: z.number() })),
    ),
    /** The owner's own filters that failed the test; `file` without its directory. */
    refused: z.readonly(z.array(z.object({ file: z.string(), reason: z.string() }))),
  });
export type Fail2banReport = Readonly<z.output<ReturnType<typeof fail2banReport>>>;

export const CHECK_STATES = ["ok", "unknown", "warning", "wrong"] as const;

/** What the checks came to when the keeper last ran them, without their evidence. */
export const checksReport = () =>
  z.object({
    /** Null: they never ran. */
    at: z.nullable(z.string()),
    checks: z.readonly(
      z.array(z.object({ id: z.string(), state: z.enum(CHECK_STATES), passedAt: z.nullable(z.string()) })),
    ),
  });
export type ChecksReport = Readonly<z.output<ReturnType<typeof checksReport>>>;
