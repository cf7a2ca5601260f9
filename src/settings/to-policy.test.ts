import assert from "node:assert/strict";
import { test } from "node:test";
import { loadValid, settingsWith } from "../../test/kit/loaded-settings.ts";
import { toPolicy } from "./to-policy.ts";

test("each number of the policy comes from its own setting", () => {
  assert.deepEqual(
    toPolicy(
      loadValid(`domains = ["example.org"]
    limits.mail = { per_minute = 1, per_hour = 2, per_day = 3, per_session = 12 }
    limits.connections = { per_minute = 4, per_hour = 5 }
    limits.sending = { recipients_per_minute = 24, recipients_per_hour = 25, recipients_per_day = 26, strangers = 27, strangers_per_day = 28, refused = 31 }
    limits.recipients = { unknown_per_hour = 13, unknown_server_per_hour = 20 }
    limits.first_contacts = { per_minute = 21, per_hour = 22 }
    greylist.crowd_delay = "23s"
    limits.accounts = { failures = 14, window = "15s", known_for = "16s", candidates = 24 }
    limits.networks = { failures = 17, window = "18s", per_day = 25 }
    limits.spraying = { guesses = 26, window = "27s" }
    recipients.blocked = ["Admin"]
    greylist.enabled = false
    limits.logins = { failures = 6, window = "7s", per_day = 28, per_week = 29, known_per_day = 30 }
    bans = { ladder = ["8s", "9s"], permanent = true, memory = "10s", ipv6_prefix = 56, manual = "11s", neighbours = 19 }
    allow.networks = ["203.0.113.0/24"]
    providers.domains = ["example.net"]
    fail2ban.sentences = "all"
    logins.networks = ["198.51.100.0/24"]`).settings,
    ),
    {
      mail: [
        { key: "limits.mail.per_minute", count: 1, windowMs: 60_000 },
        { key: "limits.mail.per_hour", count: 2, windowMs: 3_600_000 },
        { key: "limits.mail.per_day", count: 3, windowMs: 86_400_000 },
      ],
      sending: {
        burst: { key: "limits.sending.recipients_per_minute", count: 24, windowMs: 60_000 },
        recipients: [
          { key: "limits.sending.recipients_per_hour", count: 25, windowMs: 3_600_000 },
          { key: "limits.sending.recipients_per_day", count: 26, windowMs: 86_400_000 },
        ],
        strangers: [
          { key: "limits.sending.strangers", count: 27, windowMs: 3_600_000 },
          { key: "limits.sending.strangers_per_day", count: 28, windowMs: 86_400_000 },
        ],
        refused: { key: "limits.sending.refused", count: 31, windowMs: 3_600_000 },
      },
      connections: [
        { key: "limits.connections.per_minute", count: 4, windowMs: 60_000 },
        { key: "limits.connections.per_hour", count: 5, windowMs: 3_600_000 },
      ],
      probes: [{ key: "limits.recipients.unknown_per_hour", count: 13, windowMs: 3_600_000 }],
      probesFromAnywhere: [{ key: "limits.recipients.unknown_server_per_hour", count: 20, windowMs: 3_600_000 }],
      firstContacts: {
        limits: [
          { key: "limits.first_contacts.per_minute", count: 21, windowMs: 60_000 },
          { key: "limits.first_contacts.per_hour", count: 22, windowMs: 3_600_000 },
        ],
        delayMs: 23_000,
      },
      perSession: 12,
      recipientsPerMail: 100,
      logins: {
        failures: 6,
        windowMs: 7_000,
        perDay: 28,
        perWeek: 29,
        knownPerDay: 30,
        networks: ["198.51.100.0/24"],
      },
      accounts: { failures: 14, windowMs: 15_000, knownForMs: 16_000, candidates: 24 },
      networks: { failures: 17, windowMs: 18_000, perDay: 25 },
      spraying: { guesses: 26, windowMs: 27_000 },
      bans: {
        neighbours: 19,
        ladderMs: [8_000, 9_000],
        permanent: true,
        memoryMs: 10_000,
        ipv6Prefix: 56,
        manualMs: 11_000,
      },
      allow: ["203.0.113.0/24"],
      jailSentences: "all",
      scansBan: false,
      providers: ["example.net"],
      blockedRecipients: ["admin"],
      greylist: false,
      domains: ["example.org"],
      simulate: false,
      knownFactor: 3,
    },
  );
});

test("the daily and weekly limits are never below the short one", () => {
  const { failures, perDay, perWeek } = toPolicy(settingsWith("limits.logins.failures = 50")).logins;
  assert.deepEqual([failures, perDay, perWeek], [50, 50, 50]);
});
