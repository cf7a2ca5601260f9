import type { Prefix } from "../net/ip.ts";

/** At most `count` within any `windowMs`; `key` is the setting that says so. */
export type Limit = Readonly<{ key: string; count: number; windowMs: number }>;

/** All that the decisions depend on besides facts: made from the settings, swapped whole. */
export type Policy = Readonly<{
  mail: readonly Limit[];
  connections: readonly Limit[];
  /** Recipients asked for that do not exist. */
  probes: readonly Limit[];
  /** Mails of a stranger in one connection. */
  perSession: number;
  /**
   * The `failures`-th different wrong password within the window brings a ban. From outside `networks` nobody signs
   * in; empty: from anywhere.
   */
  logins: Readonly<{ failures: number; windowMs: number; networks: readonly Prefix[] }>;
  /**
   * From `failures` different wrong passwords by strangers to an account on, only those go on whom it knows: networks
   * from which it signed in within `knownForMs`.
   */
  accounts: Readonly<{ failures: number; windowMs: number; knownForMs: number }>;
  /** Wrong passwords of one network, from whatever address of it, that bring its ban. */
  networks: Readonly<{ failures: number; windowMs: number }>;
  bans: Readonly<{
    /** So many banned addresses of one network, within the memory, bring the ban of the network. */
    neighbours: number;
    ladderMs: readonly number[];
    /** Whether an offence past the last rung bans for good. */
    permanent: boolean;
    memoryMs: number;
    ipv6Prefix: number;
    /** What an administrator's ban lasts when no time is given. */
    manualMs: number;
  }>;
  /** From the settings; entries added at run time are facts. */
  allow: readonly Prefix[];
  /** What a report of Fail2ban's jails brings a ban for: all of it, or what the guard did not judge as it happened. */
  jailSentences: "unjudged" | "all";
  /** Domains of large providers: deferred, never banned for volume. */
  providers: readonly string[];
  /** Local parts that spammers try everywhere; they reach whoever owns them here, and nobody else. */
  blockedRecipients: readonly string[];
  /** Whether first contacts are greylisted. */
  greylist: boolean;
  /** Mail domains of this server. */
  domains: readonly string[];
  /** Whether all is decided and recorded, and nothing is done. */
  simulate: boolean;
  /** How many times a limit an address may reach from which an account signed in. */
  knownFactor: number;
}>;

export const LOGIN_DELAY_SECONDS = 5;
