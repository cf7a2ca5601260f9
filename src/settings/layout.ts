import { join } from "node:path";

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
    /** The settings that the web reads. */
    webSettings: at("conf", "web", "web.toml"),
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
    secrets: at("secrets"),
    loginPolicySecret: at("secrets", "login-policy"),
    /** There once a start has come to its end. Root makes it; the guard may see that it is there. */
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
    policySocket: at("spool", "postfix", "ghostinbox", "policy"),
    spamMilterSocket: at("spool", "postfix", "spam", "milter"),
    rspamdSocket: at("spool", "postfix", "rspamd", "milter"),
    /** Files that rspamd compiled for itself. */
    rspamdData: at("lib", "rspamd"),
    /** Private keys, one file each. */
    dkimKeys: at("lib", "dkim"),
    /** The secret word with which Rspamd tells Postfix that a mail's sender is proven (`render/proofs.ts`). */
    proofWord: at("lib", "proof", "word"),
    /** What SpamAssassin learned. */
    spamState: at("lib", "spamd"),
    spamdSocket: at("run", "spamd", "socket"),
    /** The socket for spamc: of a long mail, spamd behind it sees the start of each part. */
    spamHead: at("program", "spam-head.py"),
    spamHeadSocket: at("run", "spamd", "head"),
    /** DOMAIN/LOCAL/user_prefs: the senders that a user lets in. */
    spamPreferences: at("db", "spam"),
    /** Who may send as whom, and the allow list: for Rspamd. */
    authorLists: at("db", "authors"),
    log: at("log"),
    /** What `npm start` says, for when its terminal is gone. */
    startLog: at("log", "start", "current"),
    mailLog: at("log", "mail", "mail.log"),
    /** Its warnings and errors; its errors. */
    mailWarn: at("log", "mail", "mail.warn"),
    mailErr: at("log", "mail", "mail.err"),
    run: at("run"),
    controlSocket: at("run", "guard", "control.sock"),
    webSocket: at("run", "guard", "web.sock"),
    /**
     * Made by `break-glass` while the guard is down. When the guard finds it, it lifts all bans and removes the file.
     */
    breakGlass: at("run", "guard", "break-glass"),
    keeperSocket: at("run", "keeper", "keeper.sock"),
    dovecotBase: at("run", "dovecot"),
    startPid: at("run", "start.pid"),
    environment: at("run", "environment"),
    services: at("service"),
  } as const;
}

/** The file into which svlogd(8) writes the output of a service. */
export function serviceLog(layout: Layout, service: string): string {
  return join(layout.log, service, "current");
}

export const DEFAULT_DATA_DIRECTORY = "/var/lib/ghostinbox";

/** System users and groups. Set-up adds no other accounts to the machine. */
export const USERS = {
  guard: "ghostinbox",
  web: "ghostinbox-web",
  mail: "ghostinbox-mail",
  fail2ban: "ghostinbox-fail2ban",
  accountsGroup: "ghostinbox-accounts",
  /** May read the logs of mail and web. */
  logsGroup: "ghostinbox-logs",
  /** May read what the web shows. The group `ghostinbox`, which reads the settings, is only the guard's. */
  dataGroup: "ghostinbox-data",
} as const;
