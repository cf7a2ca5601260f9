import { isNameOf } from "../net/address.ts";
import type { Prefix } from "../net/ip.ts";

/** At most `count` within any `windowMs`; `key` is the setting. */
export type Limit = Readonly<{ key: string; count: number; windowMs: number }>;

/** Everything that decisions depend on in addition to facts: made from the settings, and replaced as a whole. */
export type Policy = Readonly<{
  mail: readonly Limit[];
  /**
   * Mail of an account. `recipients` counts all recipients. `burst` and `strangers` count only those in other domains to whom it has not
   * written, because one mail to all friends or colleagues must not wait forever. Past `strangers` its mail is held, as it is past
   * `refused`, which counts the strangers whose servers refused the mail permanently.
   */
  sending: Readonly<{ burst: Limit; recipients: readonly Limit[]; strangers: readonly Limit[]; refused: Limit }>;
  connections: readonly Limit[];
  /** Unknown recipients. */
  probes: readonly Limit[];
  /** The same, asked for by strangers from anywhere. */
  probesFromAnywhere: readonly Limit[];
  /** Prefixes with first contacts (`Facts.isFirstContact`). Past a limit, their mails wait for `delayMs`. */
  firstContacts: Readonly<{ limits: readonly Limit[]; delayMs: number }>;
  /** Mails of a stranger in one connection. */
  perSession: number;
  recipientsPerMail: number;
  logins: Readonly<{
    /** The `failures`-th different wrong password of an address within the window causes a ban. */
    failures: number;
    windowMs: number;
    /** This many within a day, or a week, cause a ban of at least a day. */
    perDay: number;
    perWeek: number;
    /** After this many within a day from an address that the account knows, more are refused there. */
    knownPerDay: number;
    /** Sign-ins are allowed only from these; empty: from anywhere. */
    networks: readonly Prefix[];
  }>;
  accounts: Readonly<{
    /**
     * After this many different wrong passwords from strangers to an account, new places are refused. New are those outside the networks
     * from which it signed in within `knownForMs`.
     */
    failures: number;
    windowMs: number;
    knownForMs: number;
    /** After this many different passwords within a day, such places are refused even if the password looks right. */
    candidates: number;
  }>;
  networks: Readonly<{
    /** This many wrong passwords from any addresses of a network cause a ban of the network. */
    failures: number;
    windowMs: number;
    /** After this many within a day, the network is refused at accounts that do not know it. */
    perDay: number;
  }>;
  /** After this many different wrong passwords in new places within the window, at all accounts together, new places are refused. */
  spraying: Readonly<{ guesses: number; windowMs: number }>;
  bans: Readonly<{
    /** This many banned addresses of one network within the memory cause a ban of the network. */
    neighbours: number;
    ladderMs: readonly number[];
    /** Whether an offence past the last rung causes a permanent ban. */
    permanent: boolean;
    memoryMs: number;
    ipv6Prefix: number;
    /** The length of an administrator's ban if none is given. */
    manualMs: number;
  }>;
  /** From the settings. Entries added at run time are facts. */
  allow: readonly Prefix[];
  /**
   * When a report of a Fail2ban jail causes a ban: for all its offences, or only for those that the guard did not
   * decide on as they happened.
   */
  jailSentences: "unjudged" | "all";
  /** Whether port scans ban, although their addresses can be forged. */
  scansBan: boolean;
  /** Domains of large providers: deferred, never banned for volume. */
  providers: readonly string[];
  /** Local parts that spammers try everywhere. They only work if an account or an alias here has that name. */
  blockedRecipients: readonly string[];
  /** The `publicZone` of each DNS block list: only their listings count. */
  blockLists: readonly string[];
  greylist: boolean;
  /** Mail domains of this server. */
  domains: readonly string[];
  /** Whether everything is decided and recorded, but nothing takes effect. */
  simulate: boolean;
  /**
   * How many times a limit applies to an address from which an account signed in; also to connections of wanted servers, to bounces, and
   * to sign-ins from protected addresses.
   */
  knownFactor: number;
}>;

export const LOGIN_DELAY_SECONDS = 5;

/** Whether a forward-confirmed host name belongs to a large provider. */
export function isProvider(policy: Policy, clientName: string | null): boolean {
  return isWithin(policy.providers, clientName);
}

/** Whether a forward-confirmed host name is one of the domains, or below one. */
export function isWithin(domains: readonly string[], clientName: string | null): boolean {
  return clientName !== null && isNameOf(clientName.toLowerCase(), domains);
}
