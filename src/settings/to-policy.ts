import type { Limit, Policy } from "../core/decide/policy.ts";
import { publicZone } from "../core/events/mail.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../core/time.ts";
import type { Settings } from "./schema.ts";

/** How many times a limit a known address may reach. */
const KNOWN_FACTOR = 3;

type Limited = keyof Settings &
  (`limits.${string}per_${"minute" | "hour" | "day"}` | `limits.sending.${"strangers" | "refused"}`);

export function toPolicy(settings: Settings): Policy {
  const limit = (key: Limited, windowMs: number): Limit => ({ key, count: settings[key], windowMs });
  const perDay = Math.max(settings["limits.logins.per_day"], settings["limits.logins.failures"]);
  return {
    mail: [
      limit("limits.mail.per_minute", MINUTE_MS),
      limit("limits.mail.per_hour", HOUR_MS),
      limit("limits.mail.per_day", DAY_MS),
    ],
    sending: {
      burst: limit("limits.sending.recipients_per_minute", MINUTE_MS),
      recipients: [
        limit("limits.sending.recipients_per_hour", HOUR_MS),
        limit("limits.sending.recipients_per_day", DAY_MS),
      ],
      strangers: [limit("limits.sending.strangers", HOUR_MS), limit("limits.sending.strangers_per_day", DAY_MS)],
      refused: limit("limits.sending.refused", HOUR_MS),
    },
    connections: [limit("limits.connections.per_minute", MINUTE_MS), limit("limits.connections.per_hour", HOUR_MS)],
    probes: [limit("limits.recipients.unknown_per_hour", HOUR_MS)],
    probesFromAnywhere: [limit("limits.recipients.unknown_server_per_hour", HOUR_MS)],
    firstContacts: {
      limits: [limit("limits.first_contacts.per_minute", MINUTE_MS), limit("limits.first_contacts.per_hour", HOUR_MS)],
      delayMs: settings["greylist.crowd_delay"],
    },
    perSession: settings["limits.mail.per_session"],
    recipientsPerMail: settings["limits.mail.recipients"],
    logins: {
      failures: settings["limits.logins.failures"],
      windowMs: settings["limits.logins.window"],
      perDay,
      perWeek: Math.max(settings["limits.logins.per_week"], perDay),
      knownPerDay: settings["limits.logins.known_per_day"],
      networks: settings["logins.networks"],
    },
    accounts: {
      failures: settings["limits.accounts.failures"],
      windowMs: settings["limits.accounts.window"],
      knownForMs: settings["limits.accounts.known_for"],
      candidates: settings["limits.accounts.candidates"],
    },
    networks: {
      failures: settings["limits.networks.failures"],
      windowMs: settings["limits.networks.window"],
      perDay: settings["limits.networks.per_day"],
    },
    spraying: { guesses: settings["limits.spraying.guesses"], windowMs: settings["limits.spraying.window"] },
    bans: {
      neighbours: settings["bans.neighbours"],
      ladderMs: settings["bans.ladder"],
      permanent: settings["bans.permanent"],
      memoryMs: settings["bans.memory"],
      ipv6Prefix: settings["bans.ipv6_prefix"],
      manualMs: settings["bans.manual"],
    },
    allow: settings["allow.networks"],
    jailSentences: settings["fail2ban.sentences"],
    scansBan: settings["detection.psad.bans"],
    providers: settings["providers.domains"],
    blockedRecipients: settings["recipients.blocked"],
    blockLists: settings["dnsbl.zones"].map(publicZone),
    greylist: settings["greylist.enabled"],
    domains: settings.domains,
    simulate: settings.simulate,
    knownFactor: KNOWN_FACTOR,
  };
}

/** The names of the settings that decisions need. */
export function policyKeys(settings: Settings): ReadonlySet<string> {
  const keys = new Set<string>();
  toPolicy(
    new Proxy(settings, {
      get: (all, key): unknown => {
        keys.add(String(key));
        return Reflect.get(all, key);
      },
    }),
  );
  return keys;
}

/** The policy of a replay, which ignores `simulate`. `inForce`: the settings that decided until now. */
export function replayPolicy(settings: Settings, inForce: Pick<Settings, "allow.networks">) {
  return {
    policy: { ...toPolicy(settings), simulate: false },
    allowNow: inForce["allow.networks"],
    proxies: [...settings["http.trusted_proxies"], ...settings["proxy.networks"]],
  };
}
