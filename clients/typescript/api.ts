// Made from the description of the API in /openapi.json by scripts/client-types.ts: change nothing here.

export type AccountState = {
  readonly name: string;
  readonly suspended: boolean;
  /** `command`: added or given a password here. `imported`: by `account import`. `listed`: its line is in the followed file. `unlisted`: its line has left that file. */
  readonly origin: "command" | "imported" | "listed" | "unlisted";
  /** From where it may sign in; empty: anywhere that `logins.networks` allows. */
  readonly networks: readonly string[];
  /** Null: as `mailboxes.quota` says. 0: no limit. */
  readonly quotaBytes: number | null;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
  /** Limits for new places while strangers guess its password; null unless they do. */
  readonly guarded: {
    readonly guesses: number;
    readonly windowMs: number;
  } | null;
  /** Null: its mail is not held. */
  readonly held: {
    readonly account: string;
    /** ISO 8601 in UTC. */
    readonly at: string;
    readonly ip: string;
    /** Strangers that it wrote to, or that refused its mail, depending on `key`. */
    readonly count: number;
    readonly limit: number;
    readonly windowMs: number;
    /** The setting of the limit. */
    readonly key: string;
  } | null;
  /** Places from which it may sign in while it is guarded, newest first. */
  readonly known: readonly string[];
};

export type AccountStory = {
  readonly account: string;
  /** The current state. Null: there is no such account. Absent: the guard did not answer. */
  readonly state?: AccountState | null | undefined;
  readonly addresses: readonly {
    readonly ip: string;
    readonly succeeded: number;
    readonly failed: number;
    readonly lastAt: Time;
  }[];
  /** Actions by the account and changes to it: the newest of each type that a search of one second finds, oldest first. */
  readonly own: readonly TimelineStep[];
  /** False if there is more: `timeline` and `addresses` cover only the newest events. */
  readonly complete: boolean;
  /** The oldest first. */
  readonly timeline: readonly TimelineStep[];
};

export type AddressStory = {
  readonly ban: Ban | null;
  readonly pastBans: readonly {
    readonly ip: string;
    readonly prefix: string;
    readonly level: "light" | "medium" | "heavy" | "permanent" | "manual";
    readonly code: string;
    readonly reason: string;
    readonly source: string;
    /** ISO 8601 in UTC. */
    readonly createdAt: string;
    /** Null: permanent. */
    readonly expiresAt: string | null;
    readonly offences: number;
    readonly endedAt: Time | null;
    readonly ended: string | null;
  }[];
  readonly offencesInMemory: number;
  readonly allowed: AllowEntry | null;
  /** Accounts that signed in from it or, for a network, from any part of it. */
  readonly knownAccounts: readonly string[];
  /** Totals of the lists that are cut: at most the newest 50 past bans and 50 accounts are listed. */
  readonly totals: {
    readonly pastBans: number;
    readonly knownAccounts: number;
  };
  readonly events: readonly Event[];
  /** The oldest first. */
  readonly timeline: readonly TimelineStep[];
  /** What forbids a ban now, such as `allow_listed` or `gateway`; null if nothing does, or if unknown. */
  readonly protection: string | null;
  /** True if the guard did not answer, so `protection` is unknown. */
  readonly protectionUnknown: boolean;
};

export type AllowEntry = {
  readonly prefix: string;
  readonly note: string;
  readonly by: string;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** Null: until it is removed. */
  readonly expiresAt: string | null;
};

export type Ban = {
  readonly ip: string;
  readonly prefix: string;
  readonly level: "light" | "medium" | "heavy" | "permanent" | "manual";
  readonly code: string;
  readonly reason: string;
  readonly source: string;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
  /** Null: permanent. */
  readonly expiresAt: string | null;
  readonly offences: number;
};

export type Event = {
  readonly id: number;
  readonly at: Time;
  readonly type: string;
  readonly service: string | null;
  readonly ip: string | null;
  readonly account: string | null;
  /** Envelope sender; empty: a bounce or an automatic reply. */
  readonly sender: string | null;
  readonly recipient: string | null;
  readonly queueId: string | null;
  readonly messageId: string | null;
  readonly helo: string | null;
  readonly sizeBytes: number | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  /** For a ban: the number of this offence. */
  readonly offence: number | null;
  readonly count: number | null;
  readonly limit: number | null;
  readonly windowMs: number | null;
  /** The setting that sets `limit`. */
  readonly limitKey: string | null;
  /** The verdict that would have applied, or `ban`, if `simulate` had not been set. Nothing was refused or banned. */
  readonly simulated: string | null;
  /** Who gave the command. */
  readonly actor: string | null;
  readonly details: string;
  readonly action: string;
};

/** A type of event. */
export type EventType =
  | "CONNECT"
  | "CONNECT_DEFERRED"
  | "CONNECT_REFUSED"
  | "RECIPIENT"
  | "GREYLIST_ASKED"
  | "EMAIL"
  | "EMAIL_ACCEPTED"
  | "EMAIL_HELD"
  | "EMAIL_BLOCKED"
  | "EMAIL_DEFERRED"
  | "SPAM_SCORED"
  | "EMAIL_QUEUED"
  | "EMAIL_DELIVERED"
  | "EMAIL_DELAYED"
  | "EMAIL_BOUNCED"
  | "BOUNCE_WITHHELD"
  | "SESSION_FAULT"
  | "TLS_FAILED"
  | "LOGIN_SUCCEEDED"
  | "LOGIN_FAILED"
  | "LOGIN_DELAYED"
  | "LOGIN_REFUSED"
  | "JAIL_REPORTED"
  | "SPARED"
  | "BAN"
  | "UNBAN"
  | "BAN_EXPIRED"
  | "BAN_REFUSED"
  | "ALLOW_ADDED"
  | "ALLOW_REMOVED"
  | "ALLOW_EXPIRED"
  | "ACCOUNT_ADDED"
  | "ACCOUNT_REMOVED"
  | "ACCOUNT_SUSPENDED"
  | "ACCOUNT_RESUMED"
  | "ACCOUNT_RELEASED"
  | "HELD_MAIL_DROPPED"
  | "QUEUE_HELD"
  | "QUEUE_RELEASED"
  | "QUEUE_DELETED"
  | "PASSWORD_CHANGED"
  | "NETWORKS_CHANGED"
  | "PLACES_FORGOTTEN"
  | "QUOTA_CHANGED"
  | "LEGAL_HOLD_SET"
  | "LEGAL_HOLD_LIFTED"
  | "MAIL_KEY_MADE"
  | "MAIL_KEYS_RECOVERED"
  | "ALIAS_ADDED"
  | "ALIAS_REMOVED"
  | "ALIAS_BLOCKED"
  | "ALIAS_UNBLOCKED"
  | "APP_PASSWORD_MADE"
  | "APP_PASSWORD_REMOVED"
  | "FORWARDING_CHANGED"
  | "VACATION_CHANGED"
  | "SPAM_ALLOW_ADDED"
  | "SPAM_ALLOW_REMOVED"
  | "TOKEN_CREATED"
  | "TOKEN_REVOKED"
  | "SESSION_ENDED"
  | "SESSION_PROVED"
  | "ADMIN_PASSWORD_CHANGED"
  | "FACTOR_ADDED"
  | "FACTOR_REMOVED"
  | "SECOND_FACTOR_ASKED"
  | "SECOND_FACTOR_FAILED"
  | "RECOVERY_CODES_MADE"
  | "RECOVERY_CODE_USED"
  | "PASSKEY_ADDED"
  | "PASSKEY_REMOVED"
  | "PASSKEY_REFUSED"
  | "ACCESS_REVIEWED"
  | "RECOVERY_KEY_MADE"
  | "SETTINGS_APPLIED"
  | "GREYLIST_PAUSED"
  | "GREYLIST_RESUMED"
  | "BREAK_GLASS"
  | "FIREWALL_TRIED"
  | "FIREWALL_CONFIRMED"
  | "FIREWALL_ROLLED_BACK"
  | "INCIDENT"
  | "COMMAND_REFUSED"
  | "CALLER_REFUSED"
  | "EVENTS_AGGREGATED"
  | "FIREWALL_LOST"
  | "PORTS_BLOCKED"
  | "CLOCK_JUMPED";

export type Health = {
  readonly status: "ok" | "degraded" | "down";
  /** The most urgent condition; `tasks` means that everything works and needsYou has entries. */
  readonly headline:
    | "guard_down"
    | "down"
    | "degraded"
    | "disk_full"
    | "disk_read_only"
    | "isolated"
    | "ports_blocked"
    | "sign_ins_blocked"
    | "certificate_expired"
    | "domain_missing"
    | "dns_failing"
    | "mail_unstored"
    | "relay_refuses"
    | "outgoing_blocked"
    | "tasks"
    | "well";
  readonly components: readonly {
    readonly name: string;
    readonly status: "ok" | "degraded" | "down";
    readonly detail: string;
  }[];
  readonly notices: readonly {
    readonly code:
      | "database_unwritable"
      | "database_unflushed"
      | "database_log_held"
      | "database_set_aside"
      | "database_unsaved"
      | "sign_ins_blocked"
      | "domain_missing"
      | "dns_failing"
      | "export_failing"
      | "accounts_uncopied"
      | "engine_undigested"
      | "dashboard_password_unset"
      | "recovery_codes_few"
      | "accounts_unwritable"
      | "maintenance_down"
      | "firewall_unavailable"
      | "firewall_lost"
      | "ports_blocked"
      | "connections_uncounted"
      | "tracking_full"
      | "ports_crowded"
      | "dnsbl_set_aside"
      | "clock_jumped"
      | "events_aggregated"
      | "keeper_unreachable"
      | "all_clients_private"
      | "bans_in_force"
      | "bans_leak"
      | "detector_unread"
      | "simulating"
      | "proxy_not_trusted"
      | "alerts_undelivered"
      | "disk_read_only"
      | "disk_full"
      | "disk_nearly_full"
      | "database_reader"
      | "database_locked"
      | "certificate_unknown"
      | "transparency_failing"
      | "backup_failed"
      | "backup_old_kept"
      | "backup_overdue"
      | "backup_key_unseen"
      | "backup_drill_failed"
      | "backup_drill_overdue"
      | "check_failed"
      | "audit_broken"
      | "mail_locked"
      | "mail_unencrypted"
      | "recovery_key_missing"
      | "mail_key_unseen"
      | "settings_unread"
      | "dovecot_settings_unused"
      | "access_review_overdue"
      | "retention_failed"
      | "relay_refuses"
      | "mail_unstored"
      | "report_unsent"
      | "isolated"
      | "isolation_broken"
      | "firewall_unconfirmed"
      | "firewall_not_strict"
      | "greylist_silent"
      | "verifier_silent"
      | "resolver_silent"
      | "postfix_silent"
      | "dovecot_silent"
      | "fail2ban_silent"
      | "web_silent"
      | "service_unstable"
      | "process_stopped"
      | "certificate_refused"
      | "certificate_expiring"
      | "certificate_expired"
      | "accounts_file_refused"
      | "accounts_file_ignored"
      | "spam_filter_down"
      | "component_outdated"
      | "detector_stopped"
      | "spam_rules_old"
      | "disk_filling"
      | "disk_low"
      | "mailbox_overused";
    readonly since: Time;
    readonly says: string;
    readonly detail: string;
    readonly next: string;
    /** The checks, keys, files or channels that this notice is about, at most 20. Each has a separate alert. */
    readonly about?: readonly string[] | undefined;
  }[];
  /** What the owner must deal with: notices, alerts, held mail, missing DNS records, a guard that does not answer. */
  readonly needsYou: readonly {
    /** Where to deal with it. */
    readonly kind: "notice" | "held_mail" | "alert" | "dns";
    readonly code: string;
    readonly since: Time | null;
    readonly says: string;
    readonly action: string;
    /** The account that it is about; null if none. */
    readonly account: string | null;
  }[];
  readonly uptimeSeconds: number;
};

export type MailStory = {
  readonly asked: string;
  readonly queueIds: readonly string[];
  readonly messageIds: readonly string[];
  /** Queue ids of other mails with the same Message-ID, newest first, by which to ask for them. */
  readonly otherQueueIds: readonly string[];
  /** False if there are more events or mails than the newest ones shown. */
  readonly complete: boolean;
  /** The oldest first. */
  readonly timeline: readonly TimelineStep[];
};

export type Problem = {
  /** A URI for the kind of problem; `code` is more specific. */
  readonly type: string;
  /** The name of the status. */
  readonly title: string;
  readonly status: number;
  /** Stable; for scripts. */
  readonly code:
    | "unauthorized"
    | "login_refused"
    | "code_needed"
    | "too_many_wrong"
    | "not_allowed"
    | "proof_needed"
    | "foreign_origin"
    | "unknown_host"
    | "invalid_request"
    | "not_json"
    | "body_too_large"
    | "not_found"
    | "method_not_allowed"
    | "refused"
    | "key_reused"
    | "key_in_use"
    | "key_done"
    | "key_uncertain"
    | "too_many_keys"
    | "too_many_requests"
    | "guard_down"
    | "store_down"
    | "too_many_streams"
    | "busy"
    | "timeout"
    | "internal";
  /** One sentence for people. */
  readonly detail: string;
  /** What to do about it. */
  readonly next: string;
};

export type PublicHealth = {
  /** Of GhostInbox. */
  readonly version: string;
  readonly status: "ok" | "degraded" | "down";
  readonly components: readonly {
    readonly name: string;
    readonly status: "ok" | "degraded" | "down";
  }[];
};

export type Stats = {
  readonly generatedAt: Time;
  readonly bans: {
    /** How many are in force. */
    readonly active: number;
    /** In force, newest first; at most 3000. */
    readonly items: readonly Ban[];
    /** The cursor for the rest in `/api/v1/bans`; null if there is none. */
    readonly next: string | null;
  };
  readonly events: readonly Event[];
  readonly topIps: readonly {
    readonly ip: string;
    readonly mails: number;
    readonly connections: number;
    readonly rejected: number;
  }[];
  /** Events of the last 24 hours by type. */
  readonly counts: Readonly<Record<string, number>>;
  readonly health: Health;
};

/** ISO 8601 in UTC. */
export type Time = string;

export type TimelineStep = {
  readonly id: number;
  readonly at: Time;
  readonly type: string;
  readonly service: string | null;
  readonly ip: string | null;
  readonly account: string | null;
  /** Envelope sender; empty: a bounce or an automatic reply. */
  readonly sender: string | null;
  readonly recipient: string | null;
  readonly queueId: string | null;
  readonly messageId: string | null;
  readonly helo: string | null;
  readonly sizeBytes: number | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  /** For a ban: the number of this offence. */
  readonly offence: number | null;
  readonly count: number | null;
  readonly limit: number | null;
  readonly windowMs: number | null;
  /** The setting that sets `limit`. */
  readonly limitKey: string | null;
  /** The verdict that would have applied, or `ban`, if `simulate` had not been set. Nothing was refused or banned. */
  readonly simulated: string | null;
  /** Who gave the command. */
  readonly actor: string | null;
  readonly details: string;
  readonly action: string;
  readonly source:
    | "smtp"
    | "login"
    | "spam"
    | "delivery"
    | "web"
    | "fail2ban"
    | "detector"
    | "firewall"
    | "administrator";
  /** What was counted, within which time, and the limit; empty if nothing was counted. */
  readonly evidence: string;
  readonly meaning: string;
  /** What lifts or fixes it; null if nothing needs to be done. */
  readonly lift: string | null;
  /** The settings that would have prevented it. */
  readonly settings: readonly string[];
};

export type DryRun = {
  /** If `true`, the guard checks the command and returns what it would do; nothing is changed or recorded. */
  readonly dry_run?: boolean | undefined;
};

export type Routes = {
  /** Bans, recent events, busiest addresses and health; or, with `action=cleanup`, removes expired bans (scopes `read` and `ban`). */
  "GET /api/security": {
    readonly query: {
      /** What to do. */
      readonly action: "stats" | "cleanup";
    };
    readonly answer:
      | Stats
      | {
          readonly success: true;
          readonly action: "cleanup";
          readonly expired: number;
        };
  };

  /** Bans or unbans an address or a network. */
  "POST /api/security": {
    readonly query?: DryRun | undefined;
    readonly body:
      | {
          readonly action: "ban";
          /** An IP address, or a network such as 203.0.113.0/24. */
          readonly ip: string;
          /** The reason, for the record. */
          readonly reason?: string | undefined;
          /** How long: 30m, 2h, 7d, or permanent. The setting bans.manual if absent. */
          readonly for?: string | null | undefined;
        }
      | {
          readonly action: "unban";
          /** An IP address, or a network such as 203.0.113.0/24. */
          readonly ip: string;
          /** The reason, for the record. */
          readonly reason?: string | undefined;
        };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer:
      | {
          readonly success: true;
          readonly action: "ban";
          readonly ban: Ban;
        }
      | {
          readonly success: true;
          readonly action: "unban";
          readonly prefix: string;
        };
  };

  /** Signs in the administrator with the password (and a code if a second factor is set up) or a passkey, or the user of a mailbox with its address and password. The answer sets the session's cookie. */
  "POST /api/v1/login": {
    readonly body:
      | {
          readonly passkey: {
            /** The credential's id. */
            readonly id: string;
            /** `response.clientDataJSON`. */
            readonly clientData: string;
            /** `response.authenticatorData`, or `getAuthenticatorData()` of a new one. */
            readonly authenticatorData: string;
            /** `response.signature`. */
            readonly signature: string;
          };
        }
      | {
          readonly password: string;
          /** If a second factor is set up: a code of the authenticator app, or a recovery code. */
          readonly code?: string | undefined;
          /** The mailbox whose user signs in. Without it, the administrator does. */
          readonly account?: string | undefined;
        };
    readonly answer: {
      readonly name: string;
      readonly role: "owner" | "operator" | "viewer" | "mailbox";
      /** The mailbox whose user this is; null for an administrator's session or token. */
      readonly account: string | null;
      readonly scopes: readonly ("read" | "ban" | "allow" | "greylist" | "queue" | "admin")[];
      /** Until when the last proof counts as fresh. */
      readonly freshUntil: Time | null;
    };
  };

  /** A challenge for a passkey to sign, for a sign-in or a fresh proof; valid once and for two minutes. */
  "POST /api/v1/login/passkey": {
    readonly answer: {
      readonly challenge: string;
    };
  };

  /** Ends the session. */
  "POST /api/v1/logout": {
    readonly answer: undefined;
  };

  /** Whose session or token this is, what it may do, and until when its proof is fresh. */
  "GET /api/v1/session": {
    readonly answer: Routes["POST /api/v1/login"]["answer"];
  };

  /** Proves again who you are, with the password (and a code if one is needed) or a passkey. For 10 minutes this session may use routes that need a fresh proof. */
  "POST /api/v1/session/proof": {
    readonly body:
      | {
          readonly passkey: {
            /** The credential's id. */
            readonly id: string;
            /** `response.clientDataJSON`. */
            readonly clientData: string;
            /** `response.authenticatorData`, or `getAuthenticatorData()` of a new one. */
            readonly authenticatorData: string;
            /** `response.signature`. */
            readonly signature: string;
          };
        }
      | {
          readonly password: string;
          /** If a second factor is set up: a code of the authenticator app, or a recovery code. */
          readonly code?: string | undefined;
        };
    readonly answer: Routes["POST /api/v1/login"]["answer"];
  };

  /** Makes a token, which is shown once. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/tokens": {
    readonly query?: DryRun | undefined;
    readonly body: {
      readonly name: string;
      /** Scopes, and roles, which stand for several scopes. */
      readonly scopes: readonly (
        | "read"
        | "ban"
        | "allow"
        | "greylist"
        | "queue"
        | "admin"
        | "owner"
        | "operator"
        | "viewer"
      )[];
      /** How long it is valid, such as 90d; if absent, it does not expire. */
      readonly expires?: string | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly name: string;
      /** Empty in a dry run. */
      readonly token: string;
    };
  };

  /** The tokens by name, a page at a time; never the tokens themselves. */
  "GET /api/v1/tokens": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly name: string;
        readonly scopes: readonly ("read" | "ban" | "allow" | "greylist" | "queue" | "admin")[];
        /** ISO 8601 in UTC. */
        readonly createdAt: string;
        readonly createdBy: string;
        /** Null: it does not expire. */
        readonly expiresAt: string | null;
        /** To the minute; null if never used. */
        readonly usedAt: string | null;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
    };
  };

  /** Every setting: value, default, origin, what it does, and whether it may be changed here. */
  "GET /api/v1/settings": {
    readonly answer: {
      readonly items: readonly {
        readonly key: string;
        /** As the server uses it, as written in ghostinbox.toml. */
        readonly value: string;
        /** The value is not shown: a secret, or a text that could lead to one. */
        readonly isHidden: boolean;
        /** The value in the file, if that is not in force yet. */
        readonly inFile: string | null;
        /** `default`, `profile small`, `file`, or the environment variable. */
        readonly from: string;
        /** Its line in the file. */
        readonly line: number | null;
        /** As written in ghostinbox.toml. */
        readonly default: string;
        readonly says: string;
        readonly takes: string;
        readonly form: {
          readonly type: "switch" | "number" | "decimal" | "duration" | "size" | "choice" | "text" | "list";
          readonly least: string | null;
          readonly most: string | null;
          readonly choices: readonly string[];
          /** For a list: the form of its items. */
          readonly of: "switch" | "number" | "decimal" | "duration" | "size" | "choice" | "text" | "list" | null;
        };
        /** Why it cannot be changed here; null: it can. */
        readonly whyNot: string | null;
      }[];
      readonly digest: string;
      /** The last change over the web, while it can be undone. */
      readonly undo: {
        /** ISO 8601 in UTC. */
        readonly until: string;
        readonly keys: readonly string[];
        readonly by: string;
      } | null;
    };
  };

  /** Changes settings in the file, keeps its comments, and applies it. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/settings": {
    readonly body: {
      /** Values by the names of settings. */
      readonly changes: Readonly<Record<string, number | boolean | string | readonly (number | string)[] | null>>;
      /** The digest of the preview: the file must be unchanged since. */
      readonly digest: string;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly changed: readonly string[];
      /** What was reloaded. */
      readonly detail: string;
      readonly restarts: readonly string[];
      readonly undoUntil: string | null;
      /** False: it is in force, but no record of it could be stored. */
      readonly recorded: boolean;
    };
  };

  /** What changed settings would do: problems, the lines of the file, and what the limits would have done recently. */
  "POST /api/v1/settings/preview": {
    readonly body: {
      /** Values by the names of settings. */
      readonly changes: Readonly<Record<string, number | boolean | string | readonly (number | string)[] | null>>;
    };
    readonly answer: {
      /** If there are any, everything else is empty. */
      readonly problems: readonly {
        readonly key: string;
        readonly says: string;
      }[];
      readonly lines: readonly {
        readonly key: string;
        readonly line: number | null;
        readonly removed: readonly string[];
        readonly added: readonly string[];
      }[];
      readonly values: readonly {
        readonly key: string;
        /** As written in ghostinbox.toml. */
        readonly was: string;
        /** As written in ghostinbox.toml. */
        readonly is: string;
      }[];
      /** Programs that restart because of the changes. */
      readonly restarts: readonly string[];
      readonly warnings: readonly string[];
      readonly digest: string;
      /** What these limits would have done in the last 7 days; null if they affect no decision. */
      readonly trial: {
        readonly outcome: "done" | "too_long" | "busy";
        readonly events: number;
        readonly from: string | null;
        readonly to: string | null;
        /** There were more events, so the oldest ones were skipped. */
        readonly cut: boolean;
        /** Addresses that would have been banned, but were not. */
        readonly banned: {
          readonly total: number;
          /** At most 20. */
          readonly items: readonly {
            readonly ip: string;
            readonly bans: number;
            readonly reason: string | null;
            /** ISO 8601 in UTC. */
            readonly firstAt: string;
          }[];
        };
        /** Addresses that were banned, but would not have been. */
        readonly notBanned: {
          readonly total: number;
          /** At most 20. */
          readonly items: readonly {
            readonly ip: string;
            readonly bans: number;
            readonly reason: string | null;
            /** ISO 8601 in UTC. */
            readonly firstAt: string;
          }[];
        };
        /** Accounts of this server that would have been refused or delayed, but were not. */
        readonly accounts: {
          readonly total: number;
          /** At most 20. */
          readonly items: readonly {
            readonly account: string;
            readonly ip: string;
            readonly events: number;
            readonly reason: string | null;
          }[];
        };
      } | null;
    };
  };

  /** Adds an account. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/accounts": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** The account, such as anna@example.org. */
      readonly name: string;
      /** Without it the server generates one and returns it once. */
      readonly password?: string | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly name: string;
      /** The generated password, shown once; null if the request had one. */
      readonly password: string | null;
    };
  };

  /** Accounts by name, a page at a time: all, or those that contain a text. Never a password. */
  "GET /api/v1/accounts": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 100; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
          /** Only those with this in their name. */
          readonly text?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly name: string;
        readonly suspended: boolean;
        /** `command`: added or given a password here. `imported`: by `account import`. `listed`: its line is in the followed file. `unlisted`: its line has left that file. */
        readonly origin: "command" | "imported" | "listed" | "unlisted";
        /** From where it may sign in; empty: anywhere that `logins.networks` allows. */
        readonly networks: readonly string[];
        /** Null: as `mailboxes.quota` says. 0: no limit. */
        readonly quotaBytes: number | null;
        /** ISO 8601 in UTC. */
        readonly createdAt: string;
        /** Null if none is remembered. `from`: an address, or an IPv6 network. */
        readonly lastSignIn: {
          /** ISO 8601 in UTC. */
          readonly at: string;
          readonly from: string;
        } | null;
        /** Strangers are guessing its password, so sign-ins from new places are limited. */
        readonly guarded: boolean;
        /** Its mail is held. */
        readonly held: boolean;
        /** How many aliases lead to it. */
        readonly aliases: number;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
      /** Each account has a key for its mail, so accounts and passwords can be made only on the server. */
      readonly passwordsOnServer: boolean;
    };
  };

  /** Adds the accounts of a file in the format of postfix-accounts.cf; all its lines must be valid. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/accounts/import": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** Lines such as `anna@example.org|{SHA512-CRYPT}$6$…`. */
      readonly file: string;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly added: readonly string[];
      /** Accounts that were not imported. */
      readonly skipped: readonly {
        readonly name: string;
        readonly why: string;
      }[];
      /** Further fields of the lines, which are ignored. */
      readonly ignored: readonly {
        readonly line: number;
        readonly name: string;
        readonly fields: readonly string[];
      }[];
      /** Imported with a clear-text password that is easy to guess. */
      readonly weak: readonly {
        readonly name: string;
        readonly why: string;
      }[];
      /** Imported with a clear-text password that was not checked for lack of time. */
      readonly unjudged: readonly string[];
    };
  };

  /** Sets a new password and ends the account's open sessions. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/accounts/{name}/password": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly body: {
      /** Without it the server generates one and returns it once. */
      readonly password?: string | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: Routes["POST /api/v1/accounts"]["answer"];
  };

  /** Sign-ins to the mailbox by any protocol, successful and failed, newest first, a page at a time. */
  "GET /api/v1/me/sign-ins": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: number | string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly at: Time;
        readonly ip: string | null;
        /** Such as `imap`, `submission`, `dashboard`. */
        readonly service: string | null;
        readonly isRight: boolean;
        /** `slowed`: it had to wait; `refused`: its password was not checked. */
        readonly what: "signed_in" | "wrong_password" | "slowed" | "refused";
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
    };
  };

  /** What happened to one mail that the user sent, or that was sent to the user. */
  "GET /api/v1/me/mail": {
    readonly query: {
      /** A Message-ID, with or without its brackets, or a queue id. */
      readonly id: string;
    };
    readonly answer: {
      /** The result of the last step. */
      readonly state:
        | "accepted"
        | "queued"
        | "held"
        | "put_off"
        | "refused"
        | "spam"
        | "delivered"
        | "waiting"
        | "returned"
        | "deleted";
      readonly steps: readonly {
        readonly at: Time;
        readonly what:
          | "accepted"
          | "queued"
          | "held"
          | "put_off"
          | "refused"
          | "spam"
          | "delivered"
          | "waiting"
          | "returned"
          | "deleted";
        readonly says: string;
      }[];
    };
  };

  /** The settings to type into a mail program. */
  "GET /api/v1/me/client": {
    readonly answer: {
      readonly account: string;
      readonly imap: {
        readonly host: string;
        readonly port: number;
        readonly tls: "implicit";
      };
      readonly smtp: {
        readonly host: string;
        readonly port: number;
        readonly tls: "implicit";
      };
      /** The step in words. */
      readonly text: string;
    };
  };

  /** The settings for a mail program as a profile for iPhone, iPad and Mac, without a password. */
  "GET /api/v1/me/client.mobileconfig": {
    readonly answer: unknown;
  };

  /** Sets a new password for the mailbox, and ends its other sessions, including those of mail programs. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/me/password": {
    readonly body: {
      readonly password: string;
    };
    readonly answer: {
      readonly done: true;
    };
  };

  /** Health of every component, and current notices. */
  "GET /api/v1/status": {
    readonly answer: Health;
  };

  /** The same as `/api/security?action=stats`. */
  "GET /api/v1/stats": {
    readonly answer: Stats;
  };

  /** Numbers of mails, refusals, sign-ins and bans over time, for charts. */
  "GET /api/v1/figures": {
    readonly query?:
      | {
          /** 24 hours before `to` if absent; at most 400 days ago. */
          readonly from?: string | undefined;
          /** Now if absent; rounded up to a whole hour if more than two days ago. */
          readonly to?: string | undefined;
          /** Length of a step in seconds. Lengthened if there would be too many steps, and to whole hours if `from` is more than two days ago. */
          readonly step?: number | string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly from: Time;
      readonly to: Time;
      readonly stepSeconds: number;
      /** Counts for each step. `refused`: mails and connections; `bans`: new bans. */
      readonly series: {
        readonly connections: readonly number[];
        readonly mails_in: readonly number[];
        readonly mails_out: readonly number[];
        readonly refused: readonly number[];
        readonly deferred: readonly number[];
        readonly logins: readonly number[];
        readonly logins_failed: readonly number[];
        readonly bans: readonly number[];
      };
    };
  };

  /** The busiest addresses, by mails, refusals or failed sign-ins. */
  "GET /api/v1/top": {
    readonly query?:
      | {
          /** What to rank by; `mails` if absent. Mails sent or attempted; refusals and deferrals; failed or refused sign-ins. */
          readonly by?: "mails" | "refusals" | "failures" | undefined;
          /** 24 hours ago if absent; at most 30 days ago. */
          readonly from?: string | undefined;
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly by: "mails" | "refusals" | "failures";
      readonly from: Time;
      /** Highest count first. */
      readonly items: readonly {
        readonly ip: string;
        readonly count: number;
      }[];
    };
  };

  /** Bans in force, newest first, a page at a time: all, or those that contain a text. */
  "GET /api/v1/bans": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: number | string | undefined;
          /** Only bans with this in their network, reason or source, such as `203.0.113.`. */
          readonly text?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly Ban[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly active: number;
    };
  };

  /** Bans an address or a network. */
  "POST /api/v1/bans": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** An IP address, or a network such as 203.0.113.0/24. */
      readonly ip: string;
      /** The reason, for the record. */
      readonly reason?: string | undefined;
      /** How long: 30m, 2h, 7d, or permanent. The setting bans.manual if absent. */
      readonly for?: string | null | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly ban: Ban;
    };
  };

  /** An account explained: its state now, sign-ins, mail, changes, and what would lift or prevent a decision. */
  "GET /api/v1/why/account/{account}": {
    readonly params: {
      /** An account, or a name that was tried. */
      readonly account: string;
    };
    readonly answer: AccountStory;
  };

  /** One mail, followed by its queue id or its Message-ID. */
  "GET /api/v1/why/message/{message}": {
    readonly params: {
      /** A queue id, or a Message-ID with or without its angle brackets. */
      readonly message: string;
    };
    readonly answer: MailStory;
  };

  /** Everything about an address: ban, past bans, offences, what protects it, allow list, decisions. */
  "GET /api/v1/why/{ip}": {
    readonly params: {
      /** An IP address or a network. */
      readonly ip: string;
    };
    readonly answer: AddressStory;
  };

  /** Mails from strangers that were greylisted within the last 6 hours and have not been accepted since. */
  "GET /api/v1/greylist/waiting": {
    readonly answer: {
      /** The latest first, 100 at most. */
      readonly items: readonly {
        /** Envelope sender; empty: a bounce or an automatic reply. */
        readonly sender: string;
        readonly recipient: string;
        /** The address of its last try. */
        readonly ip: string | null;
        /** Its first try within the last 6 hours. */
        readonly since: string;
        /** ISO 8601 in UTC. */
        readonly lastTryAt: string;
        readonly tries: number;
        /** `retry`: the sender's server must try again. `crowd`: too many new senders are writing at the moment. */
        readonly waitsFor: "retry" | "crowd";
      }[];
      /** How many wait, among the events that were searched. */
      readonly total: number;
      /** False if there were too many events, so that only the newest were searched. */
      readonly complete: boolean;
    };
  };

  /** What the spam filter scored, newest first, a page at a time; with the first page, how much was spam each day. */
  "GET /api/v1/spam": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: number | string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly id: number;
        /** ISO 8601 in UTC. */
        readonly at: string;
        /** Null if there are several, or if unknown. */
        readonly recipient: string | null;
        readonly messageId: string | null;
        readonly isSpam: boolean;
        /** Null if an older version recorded it. */
        readonly score: number | null;
        /** The score from which a mail is spam. */
        readonly required: number | null;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      /** The newest first, 14 at most; empty on later pages. */
      readonly days: readonly {
        /** In UTC. */
        readonly day: string;
        readonly scored: number;
        readonly spam: number;
      }[];
      /** False if there were too many to count, so the oldest day is incomplete. */
      readonly complete: boolean;
    };
  };

  /** Events, newest first, in pages. */
  "GET /api/v1/events": {
    readonly query?:
      | {
          /** An IP address or a network. */
          readonly ip?: string | undefined;
          /** What an account did, the mail that it received, and changes to it. */
          readonly account?: string | undefined;
          /** Only events of this type; repeat it for several. */
          readonly type?: readonly EventType[] | undefined;
          /** Only events whose displayed text contains this, ignoring case. */
          readonly text?: string | undefined;
          /** Only events of this time or later. */
          readonly from?: string | undefined;
          /** Only events of this time or earlier. */
          readonly to?: string | undefined;
          /** `next` of the page before. */
          readonly cursor?: number | string | undefined;
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
        }
      | undefined;
    readonly answer: {
      /** Newest first. */
      readonly items: readonly Event[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      /** The time of the oldest event that was searched; null on the last page. */
      readonly searchedTo: Time | null;
    };
  };

  /** Events as they are stored (server-sent events); resumes after Last-Event-ID. */
  "GET /api/v1/events/stream": {
    readonly query?:
      | {
          /** An IP address or a network. */
          readonly ip?: string | undefined;
          /** Only events of this type. */
          readonly type?: EventType | undefined;
          /** Start after this id, as Last-Event-ID does. */
          readonly after?: number | string | undefined;
        }
      | undefined;
    readonly answer: ReadableStream<Uint8Array>;
  };

  /** Everything that a page updates live (server-sent events): events, bans, health, figures, and a heartbeat. */
  "GET /api/v1/stream": {
    readonly query?:
      | {
          /** Start after this id, as Last-Event-ID does. */
          readonly since?: number | string | undefined;
        }
      | undefined;
    readonly answer: ReadableStream<Uint8Array>;
  };

  /** Lifts a ban; the offence is forgiven. */
  "DELETE /api/v1/bans/{network}": {
    readonly params: {
      /** An IP address, or a network such as 203.0.113.0/24. */
      readonly network: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly prefix: string;
      /** The wider network whose ban still includes it. */
      readonly around?: string | undefined;
      /** Bans within it that are still in force. */
      readonly within?: number | undefined;
    };
  };

  /** Puts an address or a network on the allow list and lifts the bans within it. */
  "POST /api/v1/allow": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** An IP address, or a network such as 203.0.113.0/24. */
      readonly network: string;
      /** The reason, for the record. */
      readonly note?: string | undefined;
      /** How long: 30m, 2h, 7d, or permanent. Permanent if absent. */
      readonly for?: string | null | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly prefix: string;
      /** Bans that ended with it, 50 at most. */
      readonly lifted: readonly string[];
      readonly liftedTotal: number;
      /** The end of the previous entry, if later than requested. */
      readonly keptEnd?: string | null | undefined;
      /** The previous note, if none was given. */
      readonly keptNote?: string | undefined;
    };
  };

  /** The allow list, a page at a time: the settings' entries first, then those of commands. */
  "GET /api/v1/allow": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly prefix: string;
        readonly note: string;
        readonly by: string;
        /** ISO 8601 in UTC. */
        readonly at: string;
        /** Null: until it is removed. */
        readonly expiresAt: string | null;
        readonly from: "settings" | "command";
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
    };
  };

  /** Removes a network from the allow list. */
  "DELETE /api/v1/allow/{network}": {
    readonly params: {
      /** An IP address, or a network such as 203.0.113.0/24. */
      readonly network: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly prefix: string;
    };
  };

  /** One account: its state, its last sign-in, how full its mailbox is, and its aliases. */
  "GET /api/v1/accounts/{name}": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly answer: {
      readonly name: string;
      readonly suspended: boolean;
      /** `command`: added or given a password here. `imported`: by `account import`. `listed`: its line is in the followed file. `unlisted`: its line has left that file. */
      readonly origin: "command" | "imported" | "listed" | "unlisted";
      /** From where it may sign in; empty: anywhere that `logins.networks` allows. */
      readonly networks: readonly string[];
      /** Null: as `mailboxes.quota` says. 0: no limit. */
      readonly quotaBytes: number | null;
      /** ISO 8601 in UTC. */
      readonly createdAt: string;
      /** Limits for new places while strangers guess its password; null unless they do. */
      readonly guarded: {
        readonly guesses: number;
        readonly windowMs: number;
      } | null;
      /** Null: its mail is not held. */
      readonly held: {
        readonly account: string;
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly ip: string;
        /** Strangers that it wrote to, or that refused its mail, depending on `key`. */
        readonly count: number;
        readonly limit: number;
        readonly windowMs: number;
        /** The setting of the limit. */
        readonly key: string;
      } | null;
      /** Places from which it may sign in while it is guarded, newest first. */
      readonly known: readonly string[];
      /** Null if none is remembered. `from`: an address, or an IPv6 network. */
      readonly lastSignIn: {
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly from: string;
      } | null;
      /** The first aliases that lead to it. */
      readonly aliases: readonly {
        readonly address: string;
        readonly targets: readonly string[];
        readonly blocked: boolean;
      }[];
      readonly aliasesTotal: number;
      /** Null: it is not known now. */
      readonly use: {
        readonly usedBytes: number;
        readonly mails: number;
      } | null;
      /** The setting `mailboxes.quota`; 0: no limit. */
      readonly usualQuotaBytes: number;
      /** Its mail has its own key, or gets one with a password, so its password can be set only on the server. */
      readonly passwordsOnServer: boolean;
    };
  };

  /** Removes an account, and takes it out of aliases and others' forwards; its mail stays on the disk. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/accounts/{name}": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly name: string;
      readonly forwardsEnded: readonly string[];
    };
  };

  /** Who can read each account's mail, and where it is forwarded: all accounts, or those that contain a text. */
  "GET /api/v1/access": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 100; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
          /** Only those with this in their name. */
          readonly text?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly name: string;
        readonly suspended: boolean;
        /** From where it may sign in; empty: anywhere that `logins.networks` allows. */
        readonly networks: readonly string[];
        /** ISO 8601 in UTC. */
        readonly createdAt: string;
        /** Addresses whose mail it receives: its own and aliases, the first 100. */
        readonly addresses: readonly string[];
        /** The names of its app passwords. */
        readonly appPasswords: readonly string[];
        /** Null if none is remembered. `from`: an address, or an IPv6 network. */
        readonly lastSignIn: {
          /** ISO 8601 in UTC. */
          readonly at: string;
          readonly from: string;
        } | null;
        /** Where its mail is forwarded, and by what: `account forward` or the file of a Sieve script. */
        readonly forwards: readonly {
          readonly to: readonly string[];
          readonly by: string;
        }[];
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
    };
  };

  /** Suspends an account: sign-ins fail, mail still arrives, and its own mail that is still in the queue is held. */
  "POST /api/v1/accounts/{name}/suspend": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly name: string;
      /** Mails of the account that wait on hold in the queue. */
      readonly held: number;
    };
  };

  /** Lets a suspended account sign in again. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/accounts/{name}/resume": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly name: string;
      /** Mails of the account that wait on hold in the queue. */
      readonly held: number;
      /** Further mail of the account is held. */
      readonly isHeld: boolean;
    };
  };

  /** Sets the quota of an account, or restores that of the settings. */
  "PUT /api/v1/accounts/{name}/quota": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly body: {
      /** 0: no limit. Null: as `mailboxes.quota` says. */
      readonly quotaBytes: number | null;
    };
    readonly answer: {
      readonly name: string;
      readonly quotaBytes: number | null;
    };
  };

  /** Adds networks from which the account may sign in, and ends its open sessions. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/accounts/{name}/networks": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly body: {
      readonly networks: readonly string[];
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly name: string;
      readonly networks: readonly string[];
    };
  };

  /** Removes a network; without any, the account may sign in from anywhere that `logins.networks` allows. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/accounts/{name}/networks/{network}": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
      /** An IP address, or a network such as 203.0.113.0/24. */
      readonly network: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly name: string;
      readonly networks: readonly string[];
    };
  };

  /** Accounts whose mail the guard holds, and that mail; for one account, also what it sent. */
  "GET /api/v1/held": {
    readonly query?:
      | {
          /** Only this account. */
          readonly account?: string | undefined;
        }
      | undefined;
    readonly answer: {
      /** Accounts whose mail is held: the newest 100. */
      readonly accounts: readonly {
        readonly account: string;
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly ip: string;
        /** Strangers that it wrote to, or that refused its mail, depending on `key`. */
        readonly count: number;
        readonly limit: number;
        readonly windowMs: number;
        /** The setting of the limit. */
        readonly key: string;
      }[];
      /** Their mails on hold: the newest 100. */
      readonly held: readonly {
        readonly queueId: string;
        readonly account: string;
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly ip: string | null;
        readonly recipientCount: number;
        /** Some of them. */
        readonly recipients: readonly string[];
      }[];
      readonly heldTotal: number;
      /** What else `account` sent within 24 hours: the newest 100. Empty without `account`. */
      readonly sent: readonly {
        readonly queueId: string | null;
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly ip: string;
        readonly recipientCount: number;
        /** Null: there are several. */
        readonly recipient: string | null;
      }[];
      readonly sentTotal: number;
      /** Whether `account` is suspended or removed. False without `account`. */
      readonly suspended: boolean;
    };
  };

  /** Sends the account's held mail, and stops holding new mail. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/held/{account}/release": {
    readonly params: {
      /** The account whose mail is held. */
      readonly account: string;
    };
    readonly query?: DryRun | undefined;
    readonly body: {
      /** Leaves mail that was held later: give the newest `at` of the list. */
      readonly until?: string | undefined;
      /** As in the list. If false, a suspension since then stops the command. */
      readonly suspended?: boolean | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly name: string;
      readonly released: number;
      /** There is more: repeat the request. */
      readonly isMore: boolean;
    };
  };

  /** Deletes the account's held mail, or returns it to its senders. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/held/{account}/drop": {
    readonly params: {
      /** The account whose mail is held. */
      readonly account: string;
    };
    readonly query?: DryRun | undefined;
    readonly body: {
      /** Return the mail to its senders as undeliverable. */
      readonly bounce?: boolean | undefined;
      /** Only these mails. */
      readonly ids?: readonly string[] | undefined;
      /** Leaves mail that was held later: give the newest `at` of the list. */
      readonly until?: string | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly name: string;
      readonly dropped: number;
      /** There is more: repeat the request. */
      readonly isMore: boolean;
      /** Further mail of the account is held. */
      readonly isHeld: boolean;
    };
  };

  /** Mail in Postfix's queue, oldest first, a page at a time: all, or what matches. */
  "GET /api/v1/queue": {
    readonly query?:
      | {
          /** Mail of this account, sent from any of its addresses. Excludes `sender`. */
          readonly account?: string | undefined;
          /** The envelope sender; empty for bounces and automatic replies. */
          readonly sender?: string | undefined;
          /** Mail that still waits for this recipient. */
          readonly recipient?: string | undefined;
          /** Where it waits: deferred, on hold, or being delivered now. */
          readonly state?: "deferred" | "hold" | "active" | undefined;
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
        }
      | undefined;
    readonly answer: {
      /** The oldest first. */
      readonly items: readonly {
        readonly queueId: string;
        /** deferred, hold, active, or another as Postfix names it. */
        readonly queue: string;
        /** The account whose mail the guard holds, or `root` if this mail was put on hold by hand; null if it is not held. */
        readonly heldFor: string | null;
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly sizeBytes: number;
        /** Envelope sender; empty: a bounce or an automatic reply. */
        readonly sender: string;
        readonly recipientCount: number;
        /** Some of those still waiting for delivery; the reason is the other server's reply at the last try. */
        readonly recipients: readonly {
          readonly address: string;
          readonly reason: string | null;
        }[];
        readonly nextTryAt: string | null;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      /** How many match, on all pages. */
      readonly total: number;
      /** When the newest matching mail arrived. */
      readonly newestAt?: string | undefined;
    };
  };

  /** Puts mail on hold: it is not delivered before it is released. Without `ids` it needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/queue/hold": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** Only these mails. */
      readonly ids?: readonly string[] | undefined;
      /** Mail of this account, sent from any of its addresses. Excludes `sender`. */
      readonly account?: string | undefined;
      /** The envelope sender; empty for bounces and automatic replies. */
      readonly sender?: string | undefined;
      /** Mail that still waits for this recipient. */
      readonly recipient?: string | undefined;
      /** Where it waits: deferred, on hold, or being delivered now. */
      readonly state?: "deferred" | "hold" | "active" | undefined;
      /** Leaves mail that arrived later: give `newestAt` of the list. */
      readonly until?: string | undefined;
      /** Select all mail. */
      readonly all?: true | undefined;
      /** `next` of the page before. */
      readonly cursor?: string | null | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly changed: number;
      /** Mail that the guard holds for these accounts, which was left unchanged. */
      readonly kept: readonly {
        readonly account: string;
        readonly mails: number;
      }[];
      /** The `cursor` with which to repeat the request for the rest; null if nothing is left. */
      readonly next: string | null;
    };
  };

  /** Releases mail that was put on hold by hand, 500 a day at most, together with held mail. Without `ids` it needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/queue/release": {
    readonly query?: DryRun | undefined;
    readonly body: Routes["POST /api/v1/queue/hold"]["body"];
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: Routes["POST /api/v1/queue/hold"]["answer"];
  };

  /** Tries deferred mail again now. */
  "POST /api/v1/queue/flush": {
    readonly query?: DryRun | undefined;
    readonly body: Routes["POST /api/v1/queue/hold"]["body"];
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: Routes["POST /api/v1/queue/hold"]["answer"];
  };

  /** Deletes mail permanently, 1,000 an hour at most, without notifying its sender. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/queue/delete": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** Only these mails. */
      readonly ids?: readonly string[] | undefined;
      /** Mail of this account, sent from any of its addresses. Excludes `sender`. */
      readonly account?: string | undefined;
      /** The envelope sender; empty for bounces and automatic replies. */
      readonly sender?: string | undefined;
      /** Mail that still waits for this recipient. */
      readonly recipient?: string | undefined;
      /** Where it waits: deferred, on hold, or being delivered now. */
      readonly state?: "deferred" | "hold" | "active" | undefined;
      /** Leaves mail that arrived later: give `newestAt` of the list. */
      readonly until?: string | undefined;
      /** `next` of the page before. */
      readonly cursor?: string | null | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: Routes["POST /api/v1/queue/hold"]["answer"];
  };

  /** Returns mail to its senders as undeliverable; counts as deleted. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/queue/return": {
    readonly query?: DryRun | undefined;
    readonly body: Routes["POST /api/v1/queue/delete"]["body"];
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: Routes["POST /api/v1/queue/hold"]["answer"];
  };

  /** The account's app passwords: who made each, and when it was last used. */
  "GET /api/v1/accounts/{name}/app-passwords": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly answer: {
      readonly items: readonly {
        readonly id: string;
        readonly name: string;
        /** ISO 8601 in UTC. */
        readonly made: string;
        /** To the minute. */
        readonly lastUsed: string | null;
        /** Who made it, and from where; hidden from the user of the mailbox. */
        readonly madeBy?: string | undefined;
      }[];
    };
  };

  /** Makes an app password for the account, which is shown once. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/accounts/{name}/app-passwords": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly body: {
      /** The name of the device. */
      readonly name: string;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly id: string;
      readonly name: string;
      readonly password: string;
    };
  };

  /** The mailbox's app passwords, and when each was last used. */
  "GET /api/v1/me/app-passwords": {
    readonly answer: Routes["GET /api/v1/accounts/{name}/app-passwords"]["answer"];
  };

  /** Makes an app password for the mailbox, which is shown once. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/me/app-passwords": {
    readonly body: {
      /** The name of the device. */
      readonly name: string;
    };
    readonly answer: Routes["POST /api/v1/accounts/{name}/app-passwords"]["answer"];
  };

  /** Removes an app password, and ends the account's open sessions. */
  "DELETE /api/v1/accounts/{name}/app-passwords/{id}": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
      /** The name of the device. */
      readonly id: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly id: string;
    };
  };

  /** Removes an app password, and ends the open sessions of mail programs. */
  "DELETE /api/v1/me/app-passwords/{id}": {
    readonly params: {
      /** The name of the device. */
      readonly id: string;
    };
    readonly answer: {
      readonly id: string;
    };
  };

  /** Where the account's mail is forwarded. */
  "GET /api/v1/accounts/{name}/forwarding": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly answer: {
      /** Empty: mail stays in the mailbox. */
      readonly to: readonly string[];
      /** Whether a copy stays in the mailbox. */
      readonly keep: boolean;
    };
  };

  /** Forwards the account's mail to these addresses. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "PUT /api/v1/accounts/{name}/forwarding": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly body: {
      readonly to: readonly string[];
      readonly keep: boolean;
    };
    readonly answer: {
      readonly name: string;
      /** Empty: mail stays in the mailbox. */
      readonly to: readonly string[];
      /** Whether a copy stays in the mailbox. */
      readonly keep: boolean;
    };
  };

  /** Stops forwarding the account's mail. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/accounts/{name}/forwarding": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: Routes["PUT /api/v1/accounts/{name}/forwarding"]["answer"];
  };

  /** Where the mail of the mailbox is forwarded. */
  "GET /api/v1/me/forwarding": {
    readonly answer: Routes["GET /api/v1/accounts/{name}/forwarding"]["answer"];
  };

  /** Forwards the mail of the mailbox to these addresses. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "PUT /api/v1/me/forwarding": {
    readonly body: {
      readonly to: readonly string[];
      readonly keep: boolean;
    };
    readonly answer: Routes["PUT /api/v1/accounts/{name}/forwarding"]["answer"];
  };

  /** Stops forwarding. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/me/forwarding": {
    readonly answer: Routes["PUT /api/v1/accounts/{name}/forwarding"]["answer"];
  };

  /** The reply that the account sends while its user is away. */
  "GET /api/v1/accounts/{name}/vacation": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly answer: {
      /** Null if no reply is stored. A reply that has ended stays stored. */
      readonly vacation: {
        /** Empty: the reply has the subject of the mail. */
        readonly subject: string;
        readonly text: string;
        /** Null: until someone ends it. */
        readonly until: string | null;
      } | null;
    };
  };

  /** Replies to the account's mail while its user is away, to each proven sender once in seven days. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "PUT /api/v1/accounts/{name}/vacation": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly body: {
      /** Empty: the reply has the subject of the mail. */
      readonly subject?: string | undefined;
      /** It may have several lines. */
      readonly text: string;
      /** An ISO time, or a day, which means its end in UTC. Null: until someone ends it. */
      readonly until?: string | null | undefined;
    };
    readonly answer: {
      readonly name: string;
      /** Null if no reply is stored. A reply that has ended stays stored. */
      readonly vacation: {
        /** Empty: the reply has the subject of the mail. */
        readonly subject: string;
        readonly text: string;
        /** Null: until someone ends it. */
        readonly until: string | null;
      } | null;
    };
  };

  /** Turns off the account's vacation reply. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/accounts/{name}/vacation": {
    readonly params: {
      /** The account, such as anna@example.org. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: Routes["PUT /api/v1/accounts/{name}/vacation"]["answer"];
  };

  /** The reply that is sent while the user is away. */
  "GET /api/v1/me/vacation": {
    readonly answer: Routes["GET /api/v1/accounts/{name}/vacation"]["answer"];
  };

  /** Replies to mail while the user is away, to each proven sender once in seven days. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "PUT /api/v1/me/vacation": {
    readonly body: Routes["PUT /api/v1/accounts/{name}/vacation"]["body"];
    readonly answer: Routes["PUT /api/v1/accounts/{name}/vacation"]["answer"];
  };

  /** Turns off the vacation reply. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/me/vacation": {
    readonly answer: Routes["PUT /api/v1/accounts/{name}/vacation"]["answer"];
  };

  /** Adds an alias, or more targets to an existing one. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/aliases": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** A mail address. */
      readonly address: string;
      /** Where its mail goes. */
      readonly targets: readonly string[];
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly address: string;
      readonly targets: readonly string[];
      readonly blocked: boolean;
    };
  };

  /** Aliases by address, a page at a time: all, or those with a text in the address or a target. */
  "GET /api/v1/aliases": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 100; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
          /** Only those with this in their address or a target. */
          readonly text?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly address: string;
        readonly targets: readonly string[];
        readonly blocked: boolean;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
    };
  };

  /** Removes an alias with all its targets. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/aliases/{address}": {
    readonly params: {
      /** A mail address. */
      readonly address: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly address: string;
      readonly forwardsEnded: readonly string[];
    };
  };

  /** Refuses mail for an alias, which keeps its targets. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/aliases/{address}/block": {
    readonly params: {
      /** A mail address. */
      readonly address: string;
    };
    readonly query?: DryRun | undefined;
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly address: string;
    };
  };

  /** Accepts mail for an alias again. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/aliases/{address}/unblock": {
    readonly params: {
      /** A mail address. */
      readonly address: string;
    };
    readonly query?: DryRun | undefined;
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly address: string;
    };
  };

  /** Pauses greylisting for a recipient who waits for a mail. */
  "POST /api/v1/greylist/pauses": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** Who is waiting for a mail, such as one with a code. */
      readonly recipient: string;
      /** How long, 30 days at most; 15m if absent. */
      readonly for?: string | null | undefined;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly target: string;
      /** ISO 8601 in UTC. */
      readonly until: string;
      readonly by: string;
    };
  };

  /** Recipients for whom greylisting is paused, a page at a time. */
  "GET /api/v1/greylist/pauses": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly target: string;
        /** ISO 8601 in UTC. */
        readonly until: string;
        readonly by: string;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
    };
  };

  /** Accepts mail from strangers to the mailbox at once, for a while. */
  "POST /api/v1/me/greylist-pause": {
    readonly body: {
      /** How long, 30 days at most; 15m if absent. */
      readonly for?: string | null | undefined;
    };
    readonly answer: Routes["POST /api/v1/greylist/pauses"]["answer"];
  };

  /** Ends the pause. */
  "DELETE /api/v1/me/greylist-pause": {
    readonly answer: {
      readonly done: true;
    };
  };

  /** Ends a pause of greylisting. */
  "DELETE /api/v1/greylist/pauses/{recipient}": {
    readonly params: {
      /** Who is waiting for a mail, such as one with a code. */
      readonly recipient: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly target: string;
    };
  };

  /** Mail proven to be from the sender is not spam for the account. */
  "POST /api/v1/spam/senders": {
    readonly query?: DryRun | undefined;
    readonly body: {
      /** The account, such as anna@example.org. */
      readonly account: string;
      /** An address, or all of a domain: *@example.org. */
      readonly sender: string;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly account: string;
      readonly sender: string;
    };
  };

  /** Mail of the sender to the account is scored again. */
  "DELETE /api/v1/spam/senders": {
    readonly query: DryRun & {
      /** The account, such as anna@example.org. */
      readonly account: string;
      /** An address, or all of a domain: *@example.org. */
      readonly sender: string;
    };
    readonly answer: {
      readonly account: string;
      readonly sender: string;
    };
  };

  /** Allowed senders of accounts, a page at a time: mail proven to be theirs is not spam. */
  "GET /api/v1/spam/senders": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly account: string;
        readonly sender: string;
        readonly by: string;
        /** ISO 8601 in UTC. */
        readonly at: string;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
    };
  };

  /** Mail proven to be from the sender is not spam in the mailbox. */
  "POST /api/v1/me/senders": {
    readonly body: {
      /** An address, or all of a domain: *@example.org. */
      readonly sender: string;
    };
    readonly answer: {
      readonly account: string;
      readonly sender: string;
    };
  };

  /** Mail of the sender to the mailbox is scored again. */
  "DELETE /api/v1/me/senders": {
    readonly query: {
      /** An address, or all of a domain: *@example.org. */
      readonly sender: string;
    };
    readonly answer: {
      readonly account: string;
      readonly sender: string;
    };
  };

  /** Allowed senders of the mailbox: mail proven to be theirs is not spam. */
  "GET /api/v1/me/senders": {
    readonly answer: {
      readonly items: readonly {
        readonly sender: string;
        /** ISO 8601 in UTC. */
        readonly at: string;
      }[];
    };
  };

  /** Alerts, open ones first, newest first of each, a page at a time; and the channels that send them. */
  "GET /api/v1/alerts": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly code: string;
        /** The component or account; empty if there is only one. */
        readonly subject: string;
        readonly severity: "info" | "warning" | "critical";
        readonly says: string;
        readonly detail: string;
        /** What to do. */
        readonly next: string;
        /** ISO 8601 in UTC. */
        readonly openedAt: string;
        /** Null while it is open. */
        readonly resolvedAt: string | null;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
      readonly channels: readonly {
        readonly name: string;
        /** Why it has failed several times in a row; null if it works. */
        readonly failing: string | null;
      }[];
      /** Whether news that mail does not flow can reach the owner without this server's own mail queue: by another channel or the heartbeat. */
      readonly leadOut: boolean;
    };
  };

  /** Sends a test to each alert channel, and says whether it was accepted. At most ten times an hour. */
  "POST /api/v1/alerts/test": {
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: {
      readonly results: readonly {
        readonly channel: string;
        readonly ok: boolean;
        /** Why it failed; empty if not. */
        readonly detail: string;
      }[];
    };
  };

  /** Administrators' actions, newest first, a page at a time. */
  "GET /api/v1/audit": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 100; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: number | string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly id: number;
        /** ISO 8601 in UTC. */
        readonly at: string;
        /** Who did it, such as `root` or `web:admin via 198.51.100.9`. */
        readonly actor: string;
        readonly type: string;
        readonly subject: string;
        /** The JSON that was hashed. */
        readonly detail: string;
        /** The hash of the entry before. */
        readonly previous: string;
        /** SHA-256 in hexadecimal. */
        readonly hash: string;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
    };
  };

  /** What root's last check of the audit found: whether the chain is whole, and matches root's anchors. */
  "GET /api/v1/audit/verify": {
    readonly answer: {
      /** Null if it was not checked since the server started. */
      readonly audit: {
        /** ISO 8601 in UTC. Root checks each hour, and each minute while it is inconsistent. */
        readonly checkedAt: string;
        /** The entries run from `first` to `last`; both are 0 if there are none. */
        readonly first: number;
        readonly last: number;
        /** The newest entry that an anchor of root confirms, and the time of the anchor; null if none. */
        readonly anchored: {
          readonly id: number;
          readonly at: string;
        } | null;
        /** Lines of the anchors that cannot be read. */
        readonly unreadableAnchors: number;
        /** The first inconsistent entry, and why; null: there is none. */
        readonly fault: {
          readonly id: number;
          readonly says: string;
        } | null;
      } | null;
    };
  };

  /** Incidents, the timeline of the open one, and whether the server is isolated. */
  "GET /api/v1/incidents": {
    readonly answer: {
      /** The newest first, at most 100. */
      readonly incidents: readonly {
        readonly id: string;
        readonly title: string;
        /** ISO 8601 in UTC. */
        readonly openedAt: string;
        /** When it may have started. */
        readonly since: string;
        /** Null while it is open. */
        readonly closedAt: string | null;
        /** How many steps its timeline has. */
        readonly steps: number;
      }[];
      /** The last 500 steps of the open incident, oldest first; empty without one. */
      readonly timeline: readonly {
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly by: string;
        readonly step:
          | "open"
          | "note"
          | "isolate"
          | "assess"
          | "contain"
          | "drop"
          | "investigate"
          | "tell"
          | "recover"
          | "report"
          | "close";
        readonly says: string;
        /** Whether the audit has it too; false if the guard was down. */
        readonly audited: boolean;
      }[];
      /** Null: the server is not isolated. */
      readonly isolation: {
        readonly incident: string;
        /** ISO 8601 in UTC. */
        readonly since: string;
        /** Who can still connect. */
        readonly allow: readonly string[];
        /** What has not been lifted yet. */
        readonly shut: readonly ("receive" | "sign-in" | "send")[];
      } | null;
    };
  };

  /** What the firewall accepts now. */
  "GET /api/v1/firewall": {
    readonly answer: {
      /** `off`: there is no firewall; `bans`: it only drops banned addresses, by the settings (`/api/v1/status` says whether it works); `trial`: waits for a confirmation; `confirmed`: as it should be; `unconfirmed`: it should be strict, but was not confirmed; `broken`: someone changed it; `unknown`: it cannot be read. */
      readonly state: "off" | "bans" | "trial" | "confirmed" | "unconfirmed" | "broken" | "unknown";
      /** Such as `25/tcp`, or `22/tcp4` over IPv4 only. Null: every port is open. */
      readonly open: readonly string[] | null;
      /** Interfaces from which everything gets in. */
      readonly trusted: readonly string[];
      /** Seconds until the trial is undone; null without one. */
      readonly confirmWithinSeconds: number | null;
      /** Why it is `broken`. */
      readonly faults: readonly string[];
    };
  };

  /** The results of the last run of the checks of the whole server. Starts no check. */
  "GET /api/v1/checks": {
    readonly answer: {
      /** When they last ran; null: never yet. */
      readonly at: string | null;
      /** Their results. The evidence stays on the server. */
      readonly checks: readonly {
        /** As `./ghostinbox check` names it, such as `tls.certificate`. */
        readonly id: string;
        readonly state: "ok" | "unknown" | "warning" | "wrong";
        /** When it was last `ok`; null: never yet. */
        readonly passedAt: string | null;
      }[];
    };
  };

  /** The jails of Fail2ban and what they found. Fail2ban is asked once a minute. */
  "GET /api/v1/fail2ban": {
    readonly answer: {
      readonly enabled: boolean;
      /** The setting `fail2ban.sentences`: which reports ban. */
      readonly sentences: "unjudged" | "all";
      /** Counts since Fail2ban was started, at most a minute old. */
      readonly jails: readonly {
        readonly name: string;
        /** Addresses with too few offences for a report. */
        readonly watched: number;
        /** Offences found. */
        readonly found: number;
        /** Reports to the guard. */
        readonly reports: number;
      }[];
      /** The owner's filters that failed the test; `file` without its directory. */
      readonly refused: readonly {
        readonly file: string;
        readonly reason: string;
      }[];
    };
  };

  /** Whether mail is encrypted on the disk, whether it can be read, and which accounts have their own keys. */
  "GET /api/v1/encryption": {
    readonly answer: {
      /** Whether new mail is encrypted. */
      readonly encrypts: boolean;
      /** Each account has its own key, which its password opens. */
      readonly byAccount: boolean;
      /** The server's private key is there; null: the server has no key. */
      readonly readable: boolean | null;
      /** SHA-256 of the server's public key. */
      readonly fingerprint: string | null;
      readonly accounts: {
        /** How many have their own key. */
        readonly own: number;
        /** Some accounts that get one when their password is set. */
        readonly without: readonly string[];
        /** How many get none: their passwords come from the accounts file. */
        readonly ofFile: number;
        /** Some accounts with older mail that their password does not decrypt. */
        readonly closed: readonly string[];
      };
    };
  };

  /** When old mail is next removed, what the last run removed, and whose mail is under legal hold. */
  "GET /api/v1/retention": {
    readonly answer: {
      /** Null while it is paused. */
      readonly nextRunAt: string | null;
      /** What the last run removed; null if there was none yet. */
      readonly lastRun: {
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly mails: number;
        readonly bytes: number;
      } | null;
      /** Why a later run removed nothing or only a part; it is retried each hour. */
      readonly failure: {
        /** ISO 8601 in UTC. */
        readonly at: string;
        readonly reason: string;
      } | null;
      /** Why retention is paused after a clock jump; null if it is not. */
      readonly paused: string | null;
      /** Accounts whose mail must be kept, including removed ones. */
      readonly legalHolds: readonly {
        readonly account: string;
        /** ISO 8601 in UTC. */
        readonly since: string;
      }[];
    };
  };

  /** The results of the last backup, restore drill, checks, report and the like. */
  "GET /api/v1/upkeep": {
    readonly answer: {
      readonly items: readonly {
        readonly name: "backup" | "drill" | "checks" | "updates" | "report" | "audit" | "spam_rules";
        readonly state: "ok" | "degraded" | "down" | "unknown";
        /** When it was done last (ISO 8601); null: not yet, or not known. */
        readonly at: string | null;
        /** The result. */
        readonly says: string;
        /** The command on the server that shows or does more. */
        readonly command: string;
      }[];
    };
  };

  /** The certificate of the mail ports: its names, its end, and which ports give it. */
  "GET /api/v1/certificate": {
    readonly answer: {
      readonly names: readonly string[];
      readonly issuer: string;
      readonly isSelfSigned: boolean;
      /** ISO 8601 in UTC, as is `notAfter`. */
      readonly notBefore: string;
      readonly notAfter: string;
      /** SHA-256, as browsers show it. */
      readonly fingerprint: string;
      /** Why newer files are not in use, or that it expires soon; null if neither. */
      readonly trouble: string | null;
      readonly ports: readonly {
        readonly port: number;
        /** Whether the port serves this certificate; null if it served none. */
        readonly isServed: boolean | null;
      }[];
    };
  };

  /** The DNS records of a mail domain as they should be, and whether they are published. */
  "GET /api/v1/dns": {
    readonly query?:
      | {
          /** A mail domain of the server; the first one without it. */
          readonly domain?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly domain: string;
      /** All domains that can be requested. */
      readonly domains: readonly string[];
      /** The resolver is asked at most once a minute. */
      readonly checkedAt: string;
      readonly records: readonly {
        readonly name: string;
        readonly type: "MX" | "A" | "AAAA" | "TXT" | "SRV" | "PTR";
        /** The expected value as in a zone file; a TXT record in one piece. Empty: any value. */
        readonly value: string;
        /** What it is for. */
        readonly says: string;
        /** Mail does not work well without it. */
        readonly required: boolean;
        readonly status: "ok" | "missing" | "wrong" | "unknown";
        /** What is published. */
        readonly detail: string;
      }[];
    };
  };

  /** Valid sessions: the administrator's, then those of mailboxes, each newest first. */
  "GET /api/v1/sessions": {
    readonly query?:
      | {
          /** Maximum number of items: 1 to 500; 50 if absent. */
          readonly limit?: number | string | undefined;
          /** `next` of the page before. */
          readonly cursor?: string | undefined;
        }
      | undefined;
    readonly answer: {
      readonly items: readonly {
        readonly id: string;
        /** As the browser describes itself. */
        readonly device: string;
        readonly ip: string;
        /** ISO 8601 in UTC. */
        readonly startedAt: string;
        /** To the minute. */
        readonly usedAt: string;
        /** Whether this is the session that made the request. */
        readonly isOwn: boolean;
        /** The mailbox; null: the administrator's. */
        readonly account: string | null;
      }[];
      /** The cursor of the next page; null on the last. */
      readonly next: string | null;
      readonly total: number;
    };
  };

  /** Ends all sessions of the administrator but the caller's own. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/sessions": {
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly ended: number;
    };
  };

  /** Ends a session, of the administrator or of a mailbox. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/sessions/{id}": {
    readonly params: {
      /** As in the list of sessions. */
      readonly id: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly ended: number;
    };
  };

  /** Revokes a token. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/tokens/{name}": {
    readonly params: {
      /** The token's name. */
      readonly name: string;
    };
    readonly query?: DryRun | undefined;
    readonly answer: {
      readonly name: string;
    };
  };

  /** Restores the settings file from before the last change here. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/settings/undo": {
    readonly body: {
      /** The digest of the list that showed the change: the file must be unchanged since. */
      readonly digest: string;
    };
    /** `Idempotency-Key`: the request may be sent again with it. */ readonly key?: string | undefined;
    readonly answer: Routes["POST /api/v1/settings"]["answer"];
  };

  /** Which second factors and passkeys the sign-in has. */
  "GET /api/v1/factors": {
    readonly answer: {
      /** Whether an authenticator app is set up. */
      readonly totp: boolean;
      /** How many recovery codes are left. */
      readonly recoveryLeft: number;
      readonly passkeys: readonly {
        readonly id: string;
        readonly name: string;
        /** ISO 8601 in UTC. */
        readonly created: string;
        /** Its last use for a sign-in or a proof; null if never used. */
        readonly lastUsed: string | null;
      }[];
    };
  };

  /** A new secret for an authenticator app. It takes effect once the app's first code is confirmed. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/factors/totp": {
    readonly answer: {
      /** In base32, to be typed into the app. */
      readonly secret: string;
      /** The secret as a URI, which apps read from a QR code. */
      readonly uri: string;
    };
  };

  /** Removes the authenticator app and its recovery codes. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/factors/totp": {
    readonly answer: {
      readonly done: true;
    };
  };

  /** Confirms the app with its first code, in the same session within 10 minutes. Shows the recovery codes once. */
  "POST /api/v1/factors/totp/confirm": {
    readonly body: {
      readonly code: string;
    };
    readonly answer: {
      /** Each replaces the app's code at one sign-in. They are not shown again. */
      readonly recoveryCodes: readonly string[];
    };
  };

  /** Replaces the recovery codes; the new ones are shown once. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/factors/recovery": {
    readonly answer: {
      /** Each replaces the app's code at one sign-in. They are not shown again. */
      readonly recoveryCodes: readonly string[];
    };
  };

  /** The passkeys that sign in, oldest first. */
  "GET /api/v1/factors/passkeys": {
    readonly answer: {
      readonly items: readonly {
        readonly id: string;
        readonly name: string;
        /** ISO 8601 in UTC. */
        readonly created: string;
        /** Its last use for a sign-in or a proof; null if never used. */
        readonly lastUsed: string | null;
      }[];
    };
  };

  /** What a browser needs to make a passkey, within two minutes and in this session. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/factors/passkeys": {
    readonly answer: {
      readonly challenge: string;
      /** The name by which the owner recognizes it: `user.name`. */
      readonly name: string;
      /** The user handle: `user.id`. */
      readonly user: string;
      /** Passkeys that already exist: `excludeCredentials`. */
      readonly known: readonly string[];
    };
  };

  /** Adds the passkey that the browser made. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "POST /api/v1/factors/passkeys/confirm": {
    readonly body: {
      /** The credential's id. */
      readonly id: string;
      /** `response.clientDataJSON`. */
      readonly clientData: string;
      /** `response.authenticatorData`, or `getAuthenticatorData()` of a new one. */
      readonly authenticatorData: string;
      /** `response.getPublicKey()`: SPKI in DER. */
      readonly publicKey: string;
      readonly name: string;
    };
    readonly answer: {
      readonly name: string;
    };
  };

  /** Removes a passkey, even the last one. Needs a fresh proof: the password or a passkey, given to `/api/v1/session/proof` within the last 10 minutes. Tokens cannot give one. */
  "DELETE /api/v1/factors/passkeys/{id}": {
    readonly params: {
      /** The credential's id. */
      readonly id: string;
    };
    readonly answer: {
      readonly name: string;
    };
  };

  /** The mailbox of the user who asks: how full it is, its other addresses, and from where it signs in. */
  "GET /api/v1/me": {
    readonly answer: {
      readonly account: string;
      /** 0: no limit. */
      readonly quotaBytes: number;
      /** Null: it is not known now. */
      readonly usedBytes: number | null;
      /** Null: it is not known now. */
      readonly mails: number | null;
      /** Other addresses whose mail it receives, 100 at most. */
      readonly aliases: readonly string[];
      /** From where it may sign in; empty: anywhere that `logins.networks` allows. */
      readonly networks: readonly string[];
      /** Strangers are guessing its password, so sign-ins from new places are limited. */
      readonly guarded: boolean;
      readonly greylistPausedUntil: string | null;
      /** The password is changed only on the server, which makes a key for mail. */
      readonly passwordOnServer: boolean;
    };
  };

  /** Where the user is signed in to the dashboard, most recently used first. */
  "GET /api/v1/me/sessions": {
    readonly answer: {
      readonly items: readonly {
        readonly id: string;
        /** As the browser describes itself. */
        readonly device: string;
        readonly ip: string;
        /** ISO 8601 in UTC. */
        readonly startedAt: string;
        /** To the minute. */
        readonly usedAt: string;
        /** Whether this is the session that made the request. */
        readonly isOwn: boolean;
      }[];
    };
  };

  /** Ends all sessions of the user but the caller's own. */
  "DELETE /api/v1/me/sessions": {
    readonly answer: {
      readonly ended: number;
    };
  };

  /** Names and states of the components; 503 if an essential one is down. */
  "GET /healthz": {
    readonly answer: PublicHealth;
  };

  /** Answers 200 as long as the web program runs. */
  "GET /healthz/live": {
    readonly answer: {
      readonly status: "ok";
    };
  };

  /** 200 if the guard and the database can be reached, otherwise 503. */
  "GET /healthz/ready": {
    readonly answer: PublicHealth;
  };

  /** Metrics for Prometheus. */
  "GET /metrics": {
    readonly answer: string;
  };

  /** This description. */
  "GET /openapi.json": {
    readonly answer: unknown;
  };
};
