/**
 * Limits on what an attacker who controls the web program could do with its commands. They are far above normal use of
 * the dashboard and of scripts. Root has no such limits.
 */
export const WEB_LIMITS = {
  /** The widest network that the web may ban or allow. */
  widest: { v4: 24, v6: 48 },
  /** Bans, and changes of bans and of the allow list, within an hour. */
  changes: 500,
  /** Tokens created or revoked, sessions ended, and changes of second factors and passkeys, within an hour. */
  access: 50,
  /** Changes of accounts and aliases within an hour; each account in a file counts. */
  accounts: 500,
  /**
   * Changes that lock a user out or take their mail, within an hour: removals, passwords, app passwords, suspensions, networks, quotas,
   * forwards, lost aliases.
   */
  shutOut: 50,
  /** Changes of the settings, and undone ones, within an hour. */
  settings: 20,
  /** Commands on the queue, held mail, greylisting and senders that accounts allow, within an hour. */
  mail: 500,
  /** Mails deleted, or returned to their senders, within an hour. */
  deleted: 1_000,
  /** Held mails released within a day: a thief may have written them. */
  released: 500,
  /** Tests of the alert channels within an hour: each sends the owner a message. */
  alertTests: 10,
  /** Dry runs within an hour that read all of Postfix's queue, as root, or a whole file of accounts. */
  trials: 500,
  /** Entries of the web on the allow list. */
  allowed: 50,
  /**
   * Addresses banned within an hour for failed sign-ins that the web reported. Strangers can cause this many:
   * further failures still count, and the sign-in is refused without a ban.
   */
  bannedSignIns: 100,
  /** Sign-ins to the dashboard that one address may try within a minute, and challenges that it may request. Other addresses have separate limits. */
  signInsEach: 300,
  /** Addresses of administrators that the web may report within half an hour; they are not banned in that time. */
  administrators: 32,
} as const;
