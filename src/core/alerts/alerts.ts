import { notices } from "./notices.ts";

/** `critical` is told at any hour, `warning` outside quiet hours, `info` in a digest. */
export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a message to the owner is about. */
export const ALERT_KINDS = ["opened", "resolved", "digest", "test"] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

type ConditionText = Readonly<{
  severity: Severity;
  /** What happened. */
  says: string;
  /** Why it matters. */
  matters: string;
  /** What to do, with the command. */
  next: string;
}>;

/** What is told besides the notices. A code is never renamed or reused: receivers hold them. */
export const conditions = {
  failed_logins: {
    severity: "warning",
    says: "Many sign-ins fail.",
    matters: "Somebody may be guessing passwords; who guesses from one place is banned by itself.",
    next: "`events --type LOGIN_FAILED` shows them, `why IP` what was done about an address.",
  },
  dashboard_logins: {
    severity: "warning",
    says: "Sign-ins to the dashboard fail.",
    matters: "Who gets in there controls the server.",
    next: "If it was not you: keep the dashboard off the internet (http.address); `admin passwd` sets a new password.",
  },
  password_guessed: {
    severity: "critical",
    says: "A sign-in succeeded after many wrong passwords.",
    matters: "The password was probably guessed: its finder can read the mail and send spam in its owner's name.",
    next: "Ask the owner. If it was not them: `account passwd ADDRESS`, which ends open sessions too, or `account suspend ADDRESS`.",
  },
  account_guarded: {
    severity: "warning",
    says: "An account is being guessed at from many addresses.",
    matters:
      "Until that ends it can be used only from where it was used before; from a new place its owner is refused.",
    next: "`events --type LOGIN_REFUSED` shows from where; `allow add IP --for 1d` lets in an owner who is elsewhere just now.",
  },
  right_password_refused: {
    severity: "critical",
    says: "A sign-in with what seems the right password was refused.",
    matters:
      "The account is being guessed at and does not know the network: it is its owner, who is locked out there, or somebody who knows the password.",
    next: "If it was its owner, `allow add IP --for 1d`; otherwise `account passwd ADDRESS`.",
  },
  unusual_connections: {
    severity: "warning",
    says: "Unusually many networks connect at once.",
    matters: "So looks an attack that is spread over many machines, or a flood of spam.",
    next: "`stats` shows the busiest addresses, `ban NETWORK` shuts one out.",
  },
  volume_spike: {
    severity: "warning",
    says: "Far more happens than usual.",
    matters: "An attack, a flood of mail or an account that sends spam; the limits hold all the same.",
    next: "`stats` shows what and from where.",
  },
  spam_volume: {
    severity: "warning",
    says: "Much spam arrives.",
    matters: "What is marked fills the users' Junk, and what is not yet recognised comes with it.",
    next: "`events --type SPAM_SCORED` and `events --type EMAIL_BLOCKED` show it; spam.refuse_score refuses more at the door.",
  },
  many_bans: {
    severity: "warning",
    says: "Many addresses were banned within a short time.",
    matters: "An attack is going on. If your own users are among them, a limit is too low.",
    next: "`bans` lists them with their reasons, `unban IP` lifts one.",
  },
  repeated_violations: {
    severity: "info",
    says: "Addresses that had been banned came back and were banned again.",
    matters: "They do not give up by themselves.",
    next: "`bans` lists them; `ban NETWORK --permanent` ends it, bans.permanent does so by itself.",
  },
  mail_undelivered: {
    severity: "warning",
    says: "Mail that was taken here was not delivered: the server of an alias's target refuses it, or a mailbox does.",
    matters: "Its recipient does not get it, and its sender hears of it only where SPF proves who that is.",
    next: "`events --type EMAIL_BOUNCED` shows what was answered; `alias remove` takes a target away that is gone.",
  },
  web_overreach: {
    severity: "critical",
    says: "The web asked for what it may not.",
    matters:
      "It never does so by itself: somebody has probably taken over the program behind the dashboard and the API.",
    next: "`events --type COMMAND_REFUSED` shows what; keep the dashboard off the internet (http.address), `token list` and `token revoke`, then update.",
  },
  component_down: {
    severity: "critical",
    says: "A part of the server does not run.",
    matters: "Without Postfix or Dovecot there is no mail; without another one its protection is missing.",
    next: "`status` shows what runs; its log lies below log/ in the data directory.",
  },
} as const satisfies Record<string, ConditionText>;

export type ConditionCode = keyof typeof conditions;
type Noticed = keyof typeof notices;
/** Each notice is an alert for as long as it is raised. */
export type AlertCode = ConditionCode | Noticed;

/** A notice that does not stand here is a warning. */
const NOTICE_SEVERITY: Partial<Record<Noticed, Severity>> = {
  database_unwritable: "critical",
  disk_nearly_full: "critical",
  keeper_unreachable: "critical",
  connections_uncounted: "info",
  events_aggregated: "info",
};

/** Critical, but about an account: people must act, the server itself is well. */
const OF_ACCOUNTS: readonly AlertCode[] = ["password_guessed", "right_password_refused"];

/** Whether the server cannot be said to be well meanwhile. */
export function isServerIll(code: AlertCode): boolean {
  return alertText(code).severity === "critical" && !OF_ACCOUNTS.includes(code);
}

export function isCondition(code: string): code is ConditionCode {
  return Object.hasOwn(conditions, code);
}

export function isAlertCode(code: string): code is AlertCode {
  return isCondition(code) || Object.hasOwn(notices, code);
}

export function alertText(code: AlertCode): ConditionText {
  if (isCondition(code)) return conditions[code];
  // What a notice says includes what it means.
  return { severity: NOTICE_SEVERITY[code] ?? "warning", matters: "", ...notices[code] };
}

/** Something that is so now. `subject`: of which component or account; empty where there is but one. */
export type Holding = Readonly<{ code: AlertCode; subject: string; detail: string }>;

/** The same condition of the same subject is one alert, however often it recurs. */
export function keyOf({ code, subject }: Pick<Holding, "code" | "subject">): string {
  return `${code} ${subject}`;
}
