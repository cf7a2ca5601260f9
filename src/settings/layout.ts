import { join } from "node:path";

/**
 * A file in a directory where another user writes. It isn't a string, so no function of node:fs accepts it: it may be a pipe, a link or an
 * endless file. `readForeign` reads it.
 */
export type ForeignFile = Readonly<{ foreign: string }>;

/** Every path below the data directory. Absolute paths. */
export type Layout = ReturnType<typeof layoutOf>;

export function layoutOf(dataDirectory: string) {
  const at = (...parts: readonly string[]): string => join(dataDirectory, ...parts);
  return {
    data: dataDirectory,
    settings: at("ghostinbox.toml"),
    program: at("program"),
    node: at("program", "node"),
    conf: at("conf"),
    postfixConf: at("conf", "postfix"),
    dovecotConf: at("conf", "dovecot", "dovecot.conf"),
    unboundConf: at("conf", "unbound", "unbound.conf"),
    spamAssassinConf: at("conf", "spamassassin"),
    spamMilterConf: at("conf", "spamass-milter"),
    rspamdConf: at("conf", "rspamd"),
    sieve: at("conf", "sieve"),
    webSettings: at("conf", "web", "web.toml"),
    /** The settings that the exporter reads, and how far it has delivered events. */
    exportSettings: at("conf", "export", "export.toml"),
    exportData: at("lib", "export"),
    exportRecord: foreign(at("lib", "export", "delivered")),
    fail2banConf: at("conf", "fail2ban"),
    /** The owner's own filters; those that passed the tests are in `fail2banOwn`. */
    fail2banFilters: at("filter.d"),
    fail2banOwn: at("conf", "fail2ban-own"),
    fail2banSocket: at("run", "fail2ban", "fail2ban.sock"),
    fail2banPid: at("run", "fail2ban", "fail2ban.pid"),
    fail2banDb: at("lib", "fail2ban", "fail2ban.sqlite3"),
    /** Fail2ban's reports for the guard. */
    fail2banSpool: at("spool", "fail2ban"),
    /** The log in which the web writes whom it refused. */
    webLog: at("log", "web", "current"),
    tls: at("tls"),
    tlsCert: at("tls", "cert.pem"),
    tlsKey: at("tls", "key.pem"),
    /** Copies of files that belong together; Postfix and Dovecot read them. */
    tlsServed: at("tls", "served"),
    /** Exists until Postfix and Dovecot have read the newest copy, even if the keeper exits before that. */
    tlsUnread: at("tls", "served-unread"),
    /** SHA-256 of the public keys that were ever served, one on each line. */
    servedKeys: at("tls", "served-keys"),
    secrets: at("secrets"),
    loginPolicySecret: at("secrets", "login-policy"),
    /** Exists once the dashboard's password is set, with the hash of one that was given. For root, but the guard may see that it exists. */
    firstStartDone: at("secrets", "admin-password-is-set"),
    engineDb: at("db", "engine", "engine.db"),
    accountsDb: at("db", "accounts", "accounts.db"),
    mail: at("mail"),
    postfixQueue: at("spool", "postfix"),
    /** /etc of the chrooted programs of Postfix: `etc` beside it is a link to it. */
    postfixEtc: at("spool", "postfix", "chroot-etc"),
    postfixData: at("lib", "postfix"),
    postgreyConf: at("conf", "postgrey"),
    postgreyData: at("lib", "postgrey"),
    /** Postgrey's socket, inside the chroot of smtpd. */
    greylistSocket: at("spool", "postfix", "postgrey", "socket"),
    /** Where Postfix asks the guard (`GUARD_QUESTION` in mail/postfix/main-cf.ts). */
    policySocket: at("spool", "postfix", "ghostinbox", "policy"),
    /** The guard's milter, which counts the header lines and parts of a mail. */
    guardMilterSocket: at("spool", "postfix", "ghostinbox", "milter"),
    spamMilterSocket: at("spool", "postfix", "spam", "milter"),
    rspamdSocket: at("spool", "postfix", "rspamd", "milter"),
    /** Files that rspamd compiled for itself. */
    rspamdData: at("lib", "rspamd"),
    /** Private keys, one file each. */
    dkimKeys: at("lib", "dkim"),
    /** The secret word with which Rspamd tells Postfix that a mail's sender is proven (`mail/rspamd/verified-headers.ts`). */
    proofWord: at("lib", "proof", "word"),
    /** The public key that encrypts arriving mail, and a mark that root has seen the private one. Backups have both, but no private key. */
    mailPublicKey: at("lib", "mail-crypt", "public.pem"),
    mailKeySeen: at("lib", "mail-crypt", "key-was-seen"),
    /** The public half of the owner's recovery key, and a private key that no mail is encrypted with (mail/dovecot/mail-crypt.ts). */
    mailRecoveryKey: at("lib", "mail-crypt", "recovery.pem"),
    mailNoKey: at("lib", "mail-crypt", "no-key.pem"),
    /** The private key, unless `mailboxes.encryption_key` names another file. No backup holds this directory. */
    mailPrivateKey: at("private", "mail.pem"),
    /** A link to the private key in use, and the settings of Dovecot that name it; both exist only while the key does. */
    mailKeyLink: at("conf", "dovecot", "mail-key.pem"),
    mailKeyConf: at("conf", "dovecot", "mail-key.conf"),
    /** Exists from before these settings change until Dovecot has restarted, even if the program that changed them exits before that. */
    mailKeyUnread: at("conf", "dovecot", "mail-key-unread"),
    /** Why the owner's settings of Dovecot are not used, or null. */
    ownDovecotUnused: at("conf", "own-dovecot-unused.json"),
    /** Only for root: the accounts that retention must not touch, its last run, and since when each folder has had its rule. */
    legalHolds: at("lib", "retention", "legal-holds.json"),
    retentionRecord: at("lib", "retention", "last.json"),
    retentionFolders: at("lib", "retention", "folders.json"),
    /** What SpamAssassin learned. */
    spamState: at("lib", "spamd"),
    /** What it learned from each user, and the list of these corrections, which belongs to spamd's user. */
    learnedByUsers: at("lib", "spamd", "users"),
    spamCorrections: foreign(at("lib", "spamd", "corrections")),
    /** Fetched rules; `current` leads to those in use. */
    spamRules: at("lib", "spamd", "rules"),
    /** The plugin that finds what was learned from a user. */
    perUserBayes: at("program", "per_user_bayes.pm"),
    spamdSocket: at("run", "spamd", "socket"),
    /** The program between spamc and spamd, and its socket. Of a long mail, it passes on only the start of each part. */
    spamHead: at("program", "spam-head.py"),
    spamHeadSocket: at("run", "spamd", "head"),
    /** Reports when spamd last answered about a mail. */
    spamPulseSocket: at("run", "spamd", "pulse"),
    /** DOMAIN/LOCAL/user_prefs: the senders that a user allows. */
    spamPreferences: at("db", "spam"),
    /** Who may send as whom, and the allow list: for Rspamd. */
    authorLists: at("db", "authors"),
    /** Only for root: a network-facing program can neither read nor delete a backup. */
    backup: at("backup"),
    backupKey: at("backup", "key"),
    /** Where backups go unless `backup.repository` names another place. */
    backupRepository: at("backup", "repository"),
    backupCache: at("backup", "cache"),
    /** The state that is backed up, as a tree like the data directory; exists only during a backup. */
    backupStage: at("backup", "stage"),
    /** The same if mail is a separate mount, because hard links to mails are possible only there. Only for root. */
    backupMailStage: at("mail", ".backup-stage"),
    backupRecord: at("backup", "last.json"),
    /** Where backups were made, by this server or the one that it was restored from. */
    backupPlaces: at("backup-places.json"),
    backupDrills: at("backup", "drills.json"),
    /** A restored snapshot; exists only during a restore drill. */
    backupDrill: at("backup", "drill"),
    backupLock: at("backup", "lock"),
    /** The queue of a restored server, perhaps empty, until the next start gives it to Postfix. Nothing else shows the restore. */
    backupQueue: at("backup", "queue"),
    /** Files of a restored server that its settings name and that lie elsewhere, each below its whole path. */
    backupOutside: at("backup", "outside"),
    /** Only for root: the databases and settings from before the last upgrade, and what a rollback set aside. */
    beforeUpgrade: at("before-upgrade"),
    upgradeSnapshot: at("before-upgrade", "snapshot.json"),
    rollback: at("before-upgrade", "rollback.json"),
    /** The schemas that the last rollback left. Until this file is deleted, no start upgrades the databases to them. */
    takenBack: at("before-upgrade", "taken-back.json"),
    /** Only for root: figures of the disk by day, and which reports were mailed. */
    report: at("report"),
    diskDays: at("report", "disk.json"),
    reportsMailed: at("report", "mailed.json"),
    /** The result of fetching rules of the spam filter. */
    spamRulesRecord: at("report", "rules.json"),
    /** What was edited in `security/security.js` and adopted into the settings. */
    adoptedScript: at("adopted-script.json"),
    checkRecord: at("checks", "last.json"),
    /** The records of incidents, with the evidence: only for root. */
    incidents: at("incidents"),
    /** Exists while the server is isolated. Not in a backup, so everyone can reach a restored server. */
    isolation: at("isolation.json"),
    /** What the strict firewall was confirmed to accept. Not in a backup, because SSH may differ on another machine. */
    strictFirewall: at("firewall.json"),
    log: at("log"),
    /** The output of `npm start`, in case its terminal is gone. */
    startLog: at("log", "start", "current"),
    /** Earlier ends of the audit's chain. Only root can read and write them. Backups have them with the other logs. */
    auditAnchors: at("log", "audit", "anchors"),
    mailLog: at("log", "mail", "mail.log"),
    /** Its warnings and errors; its errors. */
    mailWarn: at("log", "mail", "mail.warn"),
    mailErr: at("log", "mail", "mail.err"),
    run: at("run"),
    /** The text of the settings that the running programs use, whatever was edited since. Each start and `config apply` write it. */
    settingsInForce: at("run", "settings.toml"),
    controlSocket: at("run", "guard", "control.sock"),
    webSocket: at("run", "guard", "web.sock"),
    /** Of the stand-in, which answers while the guard is dead. A guard that starts takes over. */
    standIn: at("run", "guard", "stand-in.sock"),
    /** Made by `break-glass` if the guard is down or cannot write. The guard lifts all bans as soon as it can, and removes the file. */
    breakGlass: at("run", "guard", "break-glass"),
    keeperSocket: at("run", "keeper", "keeper.sock"),
    dovecotBase: at("run", "dovecot"),
    /** A file for each account that may create no folder (mail/dovecot/maildirs.ts). */
    folderLimits: at("run", "folder-limits"),
    startPid: at("run", "start.pid"),
    environment: at("run", "environment"),
    services: at("service"),
  } as const;
}

function foreign(path: string): ForeignFile {
  return { foreign: path };
}

/** The file into which svlogd(8) writes the output of a service. */
export function serviceLog(layout: Layout, service: string): string {
  return join(layout.log, service, "current");
}

export const DEFAULT_DATA_DIRECTORY = "/var/lib/ghostinbox";

/** The layout of the data directory that a program's environment names. */
export function layoutFrom(env: Readonly<Record<string, string | undefined>>): Layout {
  return layoutOf(env["GHOSTINBOX_DATA"] ?? DEFAULT_DATA_DIRECTORY);
}

/** System users and groups. Set-up adds no other accounts to the machine. */
export const USERS = {
  guard: "ghostinbox",
  web: "ghostinbox-web",
  export: "ghostinbox-export",
  mail: "ghostinbox-mail",
  fail2ban: "ghostinbox-fail2ban",
  accountsGroup: "ghostinbox-accounts",
  /** May read the logs of mail and web. */
  logsGroup: "ghostinbox-logs",
  /** May read the events. Only the guard is in the group `ghostinbox`, which reads the settings. */
  dataGroup: "ghostinbox-data",
} as const;

/** The user as which Dovecot asks the guard about sign-ins (its default_internal_user). */
export const LOGIN_USER = "dovecot";
/** Users created by Debian's packages. */
export const CONTENT_USERS = { spamd: "debian-spamd", spamMilter: "spamass-milter", rspamd: "_rspamd" } as const;
export const POSTGREY_USER = "postgrey";
