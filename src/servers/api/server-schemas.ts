import * as z from "zod";
import { STEPS } from "../../core/incident/incident.ts";
import { SHUT } from "../../core/incident/isolation.ts";
import type { Encryption } from "../../wire/control/results.ts";
import {
  CHECK_STATES,
  type ChecksReport,
  type Fail2banReport,
  FIREWALL_STATES,
  type FirewallReport,
  type IncidentsReport,
  type RetentionReport,
  SENTENCES,
} from "../../wire/control/told.ts";
import { exactly } from "./exactly.ts";

/** What the routes of server-routes.ts answer, for the router and for `/openapi.json`. */

const time = z.string().describe("ISO 8601 in UTC.");

export const incidents = exactly<IncidentsReport>()(
  z.object({
    incidents: z
      .array(
        z.object({
          id: z.string(),
          title: z.string(),
          openedAt: time,
          since: time.describe("When it may have begun."),
          closedAt: time.nullable().describe("Null while it is open."),
          steps: z.number().int().describe("How many its timeline has."),
        }),
      )
      .describe("The newest first, at most 100."),
    timeline: z
      .array(
        z.object({
          at: time,
          by: z.string(),
          step: z.enum(STEPS),
          says: z.string(),
          audited: z.boolean().describe("Whether the audit has it too: it cannot while the guard is down."),
        }),
      )
      .describe("Of the incident that is open: its last 500 steps, the oldest first. Empty without one."),
    isolation: z
      .object({
        incident: z.string(),
        since: time,
        allow: z.array(z.string()).describe("Who still reaches everything."),
        shut: z.array(z.enum(SHUT)).describe("What has not been lifted yet."),
      })
      .nullable()
      .describe("Null: the server is not isolated."),
  }),
);

export const firewall = exactly<FirewallReport>()(
  z.object({
    state: z
      .enum(FIREWALL_STATES)
      .describe(
        "`off`: there is no firewall; `bans`: no strict one, and the settings have banned addresses dropped (`/api/v1/status` says whether they are); `trial`: waits for a confirmation; `confirmed`: as it shall be; `unconfirmed`: it shall be strict, but was not confirmed; `broken`: somebody changed it; `unknown`: it cannot be read.",
      ),
    open: z
      .array(z.string())
      .nullable()
      .describe("Such as `25/tcp`, or `22/tcp4` over IPv4 alone. Null: every port is open."),
    trusted: z.array(z.string()).describe("Interfaces from which everything gets in."),
    confirmWithinSeconds: z.number().int().nullable().describe("Then a trial is taken back; null without one."),
    faults: z.array(z.string()).describe("Why it is `broken`."),
  }),
);

export const retention = exactly<RetentionReport>()(
  z.object({
    nextRunAt: time.nullable().describe("Null while it is paused."),
    lastRun: z
      .object({ at: time, mails: z.number().int(), bytes: z.number().int() })
      .nullable()
      .describe("What it removed; null: there was none yet."),
    failure: z
      .object({ at: time, reason: z.string() })
      .nullable()
      .describe("Why the run after that removed nothing, or not all; it is tried again each hour."),
    paused: z.string().nullable().describe("Why it waits, after a leap of the clock; null: it does not."),
    legalHolds: z
      .array(z.object({ account: z.string(), since: time }))
      .describe("Accounts whose mail must stay, also some that were removed."),
  }),
);

export const encryption = exactly<Encryption>()(
  z.object({
    encrypts: z.boolean().describe("New mail."),
    byAccount: z.boolean().describe("Each account has a key of its own, which its password opens."),
    readable: z.boolean().nullable().describe("The server's private key is there; null: the server has no key."),
    fingerprint: z.string().nullable().describe("SHA-256 of the server's public key."),
    accounts: z.object({
      own: z.number().int().describe("How many have a key of their own."),
      without: z.array(z.string()).describe("Some that get one when their password is set."),
      ofFile: z.number().int().describe("How many get none: their passwords come from the accounts file."),
      closed: z.array(z.string()).describe("Some with older mail that their password does not open."),
    }),
  }),
);

const count = z.number().int();
export const fail2ban = exactly<Fail2banReport>()(
  z.object({
    enabled: z.boolean(),
    sentences: z.enum(SENTENCES).describe("The setting `fail2ban.sentences`: which reports ban."),
    jails: z
      .array(
        z.object({
          name: z.string(),
          watched: count.describe("Addresses with too few offences for a report."),
          found: count.describe("Offences found."),
          reports: count.describe("Reports to the guard."),
        }),
      )
      .describe("Since Fail2ban was started, as of the last minute."),
    refused: z.array(z.object({ file: z.string(), reason: z.string() })).describe("Own filters that failed the test."),
  }),
);

export const checks = exactly<ChecksReport>()(
  z.object({
    at: time.nullable().describe("When they last ran; null: never yet."),
    checks: z
      .array(
        z.object({
          id: z.string().describe("As `./ghostinbox check` names it, such as `tls.certificate`."),
          state: z.enum(CHECK_STATES),
          passedAt: time.nullable().describe("When it was last `ok`; null: never yet."),
        }),
      )
      .describe("What they came to. The evidence stays on the server."),
  }),
);
