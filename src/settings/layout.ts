import { join } from "node:path";

/** Where everything lives below the data directory. Absolute paths. */
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
    /** What the web reads of the settings. */
    webSettings: at("conf", "web", "web.toml"),
    fail2banConf: at("conf", "fail2ban"),
    /** Filters of the owner's own; what passed the tests lies in `fail2banOwn`. */
    fail2banFilters: at("filter.d"),
    fail2banOwn: at("conf", "fail2ban-own"),
    fail2banSocket: at("run", "fail2ban", "fail2ban.sock"),
    fail2banPid: at("run", "fail2ban", "fail2ban.pid"),
    fail2banDb: at("lib", "fail2ban", "fail2ban.sqlite3"),
    /** Fail2ban's reports, for the guard to take. */
    fail2banSpool: at("spool", "fail2ban"),
    /** Where the web says whom it refused. */
    webLog: at("log", "web", "current"),
    tls: at("tls"),
    tlsCert: at("tls", "cert.pem"),
    tlsKey: at("tls", "key.pem"),
    /** What Postfix and Dovecot read: copies of files that belong together. */
    tlsServed: at("tls", "served"),
    secrets: at("secrets"),
    loginPolicySecret: at("secrets", "login-policy"),
    engineDb: at("db", "engine", "engine.db"),
    accountsDb: at("db", "accounts", "accounts.db"),
    mail: at("mail"),
    postfixQueue: at("spool", "postfix"),
    /** What chrooted programs of Postfix find as /etc: `etc` beside it is a link to it. */
    postfixEtc: at("spool", "postfix", "chroot-etc"),
    postfixData: at("lib", "postfix"),
    postgreyConf: at("conf", "postgrey"),
    postgreyData: at("lib", "postgrey"),
    /** Postgrey's, where a chrooted smtpd finds it too. */
    greylistSocket: at("spool", "postfix", "postgrey", "socket"),
    policySocket: at("spool", "postfix", "ghostinbox", "policy"),
    spamMilterSocket: at("spool", "postfix", "spam", "milter"),
    rspamdSocket: at("spool", "postfix", "rspamd", "milter"),
    /** What rspamd compiled for itself. */
    rspamdData: at("lib", "rspamd"),
    /** Private keys, one file each. */
    dkimKeys: at("lib", "dkim"),
    /** The word by which Rspamd tells Postfix that a mail's sender is proven (`render/proofs.ts`). */
    proofWord: at("lib", "proof", "word"),
    /** What SpamAssassin learned. */
    spamState: at("lib", "spamd"),
    spamdSocket: at("run", "spamd", "socket"),
    /** Where spamc asks: spamd behind it sees of a long mail the start of each part. */
    spamHead: at("program", "spam-head.py"),
    spamHeadSocket: at("run", "spamd", "head"),
    /** DOMAIN/LOCAL/user_prefs: whom a user's mail is let in from. */
    spamPreferences: at("db", "spam"),
    /** Who may send as whom, and the allow list: for Rspamd. */
    authorLists: at("db", "authors"),
    log: at("log"),
    mailLog: at("log", "mail", "mail.log"),
    /** Warnings and worse of it, and errors and worse. */
    mailWarn: at("log", "mail", "mail.warn"),
    mailErr: at("log", "mail", "mail.err"),
    run: at("run"),
    controlSocket: at("run", "guard", "control.sock"),
    webSocket: at("run", "guard", "web.sock"),
    /** Made by `break-glass` while the guard is down; the guard lifts all bans when it finds it, and removes it. */
    breakGlass: at("run", "guard", "break-glass"),
    keeperSocket: at("run", "keeper", "keeper.sock"),
    dovecotBase: at("run", "dovecot"),
    startPid: at("run", "start.pid"),
    environment: at("run", "environment"),
    services: at("service"),
  } as const;
}

/** Where svlogd(8) writes what a service says. */
export function serviceLog(layout: Layout, service: string): string {
  return join(layout.log, service, "current");
}

export const DEFAULT_DATA_DIRECTORY = "/var/lib/ghostinbox";

/** System users and groups; the only accounts that set-up adds to the machine. */
export const USERS = {
  guard: "ghostinbox",
  web: "ghostinbox-web",
  mail: "ghostinbox-mail",
  fail2ban: "ghostinbox-fail2ban",
  accountsGroup: "ghostinbox-accounts",
  /** Who may read the logs of mail and web. */
  logsGroup: "ghostinbox-logs",
  /** Who may read what the web shows; group `ghostinbox`, which reads the settings, is the guard's alone. */
  dataGroup: "ghostinbox-data",
} as const;
