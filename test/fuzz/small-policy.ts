import type { Policy } from "../../src/core/decide/policy.ts";
import type { OwnNetwork } from "../../src/core/decide/sparing.ts";
import { net, POLICY } from "../kit/samples.ts";

/** Small limits, so that few random events reach all of them. */
export const SMALL_POLICY: Policy = {
  ...POLICY,
  mail: [
    { key: "limits.mail.per_minute", count: 3, windowMs: 1_000 },
    { key: "limits.mail.per_hour", count: 5, windowMs: 8_000 },
  ],
  sending: {
    burst: { key: "limits.sending.recipients_per_minute", count: 4, windowMs: 1_000 },
    recipients: [{ key: "limits.sending.recipients_per_hour", count: 7, windowMs: 3_000 }],
    strangers: [
      { key: "limits.sending.strangers", count: 5, windowMs: 2_000 },
      { key: "limits.sending.strangers_per_day", count: 6, windowMs: 4_000 },
    ],
    refused: { key: "limits.sending.refused", count: 2, windowMs: 2_000 },
  },
  connections: [{ key: "limits.connections.per_minute", count: 4, windowMs: 1_000 }],
  probes: [{ key: "limits.recipients.unknown_per_hour", count: 3, windowMs: 2_000 }],
  probesFromAnywhere: [{ key: "limits.recipients.unknown_server_per_hour", count: 2, windowMs: 2_000 }],
  firstContacts: { limits: [{ key: "limits.first_contacts.per_minute", count: 3, windowMs: 1_000 }], delayMs: 300 },
  perSession: 2,
  recipientsPerMail: 1_000_000,
  logins: { failures: 3, windowMs: 2_000, perDay: 5, perWeek: 7, knownPerDay: 6, networks: [] },
  accounts: { failures: 4, windowMs: 3_000, knownForMs: 6_000, candidates: 12 },
  networks: { failures: 8, windowMs: 2_000, perDay: 12 },
  spraying: { guesses: 9, windowMs: 3_000 },
  bans: { neighbours: 2, ladderMs: [100, 200, 400], permanent: true, memoryMs: 8_000, ipv6Prefix: 64, manualMs: 1_500 },
  allow: [net("198.51.100.9")],
  blockLists: ["bl.test"],
  greylist: true,
  domains: ["example.test"],
  knownFactor: 2,
};
export const OWN: readonly OwnNetwork[] = [{ prefix: net("203.0.113.1"), why: "gateway" }];
