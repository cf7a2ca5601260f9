import assert from "node:assert/strict";
import { test } from "node:test";
import { loadValid, settingsWith } from "../../test/kit/loaded-settings.ts";
import { POLICY } from "../../test/kit/samples.ts";
import type { Limit } from "../core/decide/policy.ts";
import { toPolicy } from "./to-policy.ts";

/** These limits with other counts. */
function counting(limits: readonly Limit[], ...counts: readonly number[]): readonly Limit[] {
  return counts.map((count, i) => ({ ...(limits[i] ?? assert.fail()), count }));
}

test("without a file the contract's defaults apply, and the sample of the tests is a copy of them", () => {
  const { settings } = loadValid(null);
  const { "providers.domains": providers, "recipients.blocked": blockedRecipients } = settings;
  const others = { domains: [], allow: ["127.0.0.1/32", "::1/128"], providers, blockedRecipients, greylist: true };
  assert.deepEqual(toPolicy(settings), { ...POLICY, ...others });
  assert.equal(settings["limits.mail.max_size"], 10 * 1024 * 1024);
});

test("each number of the policy comes from its own setting", () => {
  const settings = settingsWith(`
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
    dnsbl.zones = ["abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net"]
    limits.logins = { failures = 6, window = "7s", per_day = 28, per_week = 29, known_per_day = 30 }
    bans = { ladder = ["8s", "9s"], permanent = true, memory = "10s", ipv6_prefix = 56, manual = "11s", neighbours = 19 }
    allow.networks = ["203.0.113.0/24"]
    providers.domains = ["example.net"]
    fail2ban.sentences = "all"
    logins.networks = ["10.0.0.0/8"]`);
  const ladderMs = [8_000, 9_000];
  assert.deepEqual(toPolicy(settings), {
    ...POLICY,
    mail: counting(POLICY.mail, 1, 2, 3),
    sending: {
      burst: { ...POLICY.sending.burst, count: 24 },
      recipients: counting(POLICY.sending.recipients, 25, 26),
      strangers: counting(POLICY.sending.strangers, 27, 28),
      refused: { ...POLICY.sending.refused, count: 31 },
    },
    connections: counting(POLICY.connections, 4, 5),
    probes: counting(POLICY.probes, 13),
    probesFromAnywhere: counting(POLICY.probesFromAnywhere, 20),
    firstContacts: { limits: counting(POLICY.firstContacts.limits, 21, 22), delayMs: 23_000 },
    perSession: 12,
    logins: { failures: 6, windowMs: 7_000, perDay: 28, perWeek: 29, knownPerDay: 30, networks: ["10.0.0.0/8"] },
    accounts: { failures: 14, windowMs: 15_000, knownForMs: 16_000, candidates: 24 },
    networks: { failures: 17, windowMs: 18_000, perDay: 25 },
    spraying: { guesses: 26, windowMs: 27_000 },
    bans: { neighbours: 19, ladderMs, permanent: true, memoryMs: 10_000, ipv6Prefix: 56, manualMs: 11_000 },
    allow: ["203.0.113.0/24"],
    jailSentences: "all",
    providers: ["example.net"],
    blockedRecipients: ["admin"],
    blockLists: ["zen.dq.spamhaus.net"],
  });
});

test("the daily and weekly limits are never below the short one", () => {
  const { failures, perDay, perWeek } = toPolicy(settingsWith("limits.logins.failures = 50")).logins;
  assert.deepEqual([failures, perDay, perWeek], [50, 50, 50]);
});
