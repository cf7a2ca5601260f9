import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nullOn } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import { readIsolation } from "../../host/firewall/isolation.ts";
import { textOrNothing } from "../../host/machine/read-text.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { UnsafePath } from "../../host/root-files/directory.ts";
import { readNamed, readNamedText } from "../../host/root-files/files.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { jailsOf, ownJailOf } from "../../settings/jails.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import type { Sources } from "../../settings/load.ts";
import { proxiedPorts } from "../../settings/ports.ts";
import { EXPORT_KEYS, settingsFile, WEB_KEYS } from "../../settings/program-settings.ts";
import type { Settings } from "../../settings/schema.ts";
import { ownDovecotSettings } from "../dovecot/own-dovecot.ts";
import { filterNames as ownFilters, readFilter, STOCK_DIRECTORY, STOCK_FILTERS } from "../fail2ban/adopt-filters.ts";

/** Maximum size of the file of SpamAssassin's rules, or of the relay's password. */
const MOST_NAMED_BYTES = 1024 * 1024;

export type MailCryptSettings = Pick<Settings, "mailboxes.encryption" | "mailboxes.encryption_key">;

/** Everything on which the configuration files of Postfix and Dovecot depend. */
export type Site = Readonly<ReturnType<typeof readSite>>;
export type MailCrypt = NonNullable<Site["mailCrypt"]>;
export type Relay = NonNullable<Site["outbound"]["relay"]>;

/** The certificate authorities that Debian trusts (package ca-certificates). */
export const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

type NamedKey = "spam.rules" | "outbound.relay_password_file";
/** Returns what to use instead of a named file that cannot be read. Throws if there is nothing. */
type Missing = (key: NamedKey, reason: string) => string;

/** Collects what rendering needs from the settings and from this machine. */
export function readSite(
  { settings, sources }: Readonly<{ settings: Settings; sources: Sources }>,
  layout: Layout,
  missing: Missing = refuseMissing,
) {
  const ownDovecot = ownDovecotSettings(settings["mailboxes.dovecot"]);
  const proxied = proxiedPorts(settings);
  const rootHints = settings["dns.root_hints"];
  return {
    layout,
    hostname: settings.hostname,
    domains: settings.domains,
    messageSizeBytes: settings["limits.mail.max_size"],
    mailboxQuotaBytes: settings["mailboxes.quota"],
    recipientsPerMail: settings["limits.mail.recipients"],
    /** Null: mail was never encrypted. */
    mailCrypt: mailCryptOf(settings, layout),
    /** The owner's Dovecot settings, which override all others. */
    ownDovecot: ownDovecot.text,
    /** Why their file is not used; null if it is used or missing. */
    ownDovecotUnused: ownDovecot.unused,
    greylist: { enabled: settings["greylist.enabled"], delaySeconds: wholeSeconds(settings["greylist.delay"]) },
    limits: {
      connectionsAtOnce: settings["limits.connections.concurrent"],
      connectionsOfKnown: Math.max(settings["limits.connections.concurrent"], settings["limits.connections.known"]),
      mailsPerMinute: settings["limits.mail.postfix_per_minute"],
      /** Connections that each port of Postfix, and that of Dovecot, serves at once. */
      smtpPlaces: settings["limits.connections.smtp_places"],
      imapPlaces: settings["limits.connections.imap_places"],
      exempt: settings["allow.networks"],
    },
    ports: {
      smtp: settings["ports.smtp"],
      submission: settings["ports.submission"],
      submissions: settings["ports.submissions"],
      imaps: settings["ports.imaps"],
      loginPolicy: settings["ports.login_policy"],
      sieveMail: settings["ports.sieve_mail"],
    },
    /** The ports to which proxies of these networks connect. Null if there are none. */
    proxied: proxied === null ? null : { networks: settings["proxy.networks"], ports: proxied },
    tls: { profile: settings["tls.profile"] },
    outbound: {
      /** Maximum parallel deliveries of an account's mails to one domain, and of all mails to mailboxes. */
      atOnce: settings["outbound.at_once"],
      queueLifetimeSeconds: wholeSeconds(settings["outbound.queue_lifetime"]),
      bounceLifetimeSeconds: wholeSeconds(settings["outbound.bounce_lifetime"]),
      delayWarningSeconds: wholeSeconds(settings["outbound.delay_warning"]),
      relay: relayOf(settings, missing),
    },
    /** Functions that an isolated server stops; empty if the server is not isolated. */
    isolated: readIsolation(layout)?.shut ?? [],
    /** Debian's copies of the root's addresses and keys (package dns-root-data) are used unless set. */
    dns: {
      /** The port is 53, because resolv.conf(5) cannot name another. */
      address: settings["dns.address"],
      cacheBytes: settings["dns.cache"],
      rootHints: rootHints || "/usr/share/dns/root.hints",
      trustAnchor: settings["dns.trust_anchor"] || "/usr/share/dns/root.key",
      /** Whether it uses a root other than the internet's. */
      ownRoot: rootHints !== "",
      stubs: settings["dns.stub"],
      forward: settings["dns.forward"],
    },
    spam: spamOf(settings, missing),
    fail2ban: {
      enabled: settings["fail2ban.enabled"],
      /** Debian's filters, unchanged, because ours and the owner's include them. */
      stock: STOCK_FILTERS.map((name) => readFilter(STOCK_DIRECTORY, name)),
      /** The owner's filters, already tested. */
      own: ownFilters(layout.fail2banOwn).map((name) => readFilter(layout.fail2banOwn, name)),
      jails: jailsOf(settings),
      /** The jail of each of the owner's filters. */
      ownJail: ownJailOf(settings),
    },
    verify: settings["dkim.verify"],
    dkimSelector: settings["dkim.selector"],
    webSettings: settingsFile(WEB_KEYS, sources),
    exportSettings: settingsFile(EXPORT_KEYS, sources),
    /** The secret with which Dovecot proves to the guard that it is Dovecot. */
    loginPolicySecret: readFileSync(layout.loginPolicySecret, "utf8").trim(),
    /** The secret with which Rspamd proves to Postfix that it has verified a sender. */
    proofWord: readFileSync(layout.proofWord, "utf8").trim(),
    /** Owner of the Maildirs. */
    mailUser: userIds(USERS.mail),
    /** A kernel without IPv6, or a namespace with it disabled, lists no address here. */
    ipv6: textOrNothing("/proc/net/if_inet6") !== "",
  };
}

/** Null if mail was never encrypted. Once it was, Dovecot must be able to read it. */
export function mailCryptOf(settings: MailCryptSettings, layout: Pick<Layout, "mailPublicKey" | "mailPrivateKey">) {
  const how = settings["mailboxes.encryption"];
  const encrypts = how !== "off";
  if (!encrypts && !existsSync(layout.mailPublicKey)) return null;
  const privateKey = settings["mailboxes.encryption_key"] || layout.mailPrivateKey;
  // `byAccount`: with the account's own key, if it has one.
  return { encrypts, byAccount: how === "account", publicKey: layout.mailPublicKey, privateKey };
}

/** Null if mail is sent directly to its recipients' servers. Throws SetUpFailure if the file has no password. */
export function relayOf(settings: Settings, missing: Missing = refuseMissing) {
  const nextHop = settings["outbound.relay"];
  if (nextHop === "") return null;
  const user = settings["outbound.relay_user"];
  return {
    /** As transport(5) writes it: `[smtp.example.net]:587`. */
    nextHop,
    login: user === "" ? null : { user, password: relayPassword(settings, missing) },
    authorities: settings["outbound.relay_ca"] || SYSTEM_AUTHORITIES,
  };
}

function spamOf(settings: Settings, missing: Missing) {
  return {
    enabled: settings["spam.enabled"],
    /** Whether its programs run: they start and end with the server. */
    runs: settings["spam.enabled"],
    requiredScore: settings["spam.required_score"],
    // spamass-milter compares whole points: never refuse mail below the setting.
    refuseScore: Math.ceil(settings["spam.refuse_score"]),
    crowdScore: settings["spam.crowd_score"],
    allowFrom: settings["spam.allow_from"],
    onFailure: settings["spam.on_failure"],
    ownRules: settings["spam.rules"] === "" ? "" : textIn(settings, "spam.rules", missing),
    updates: { channel: settings["spam.update_channel"], keyFile: settings["spam.update_key_file"] },
  };
}

/** Returns a sentence about a missing file that rendering reads, or null. Only root can check. */
export function whyFilesMissing(settings: Settings, missing: Missing = refuseMissing): string | null {
  if (process.getuid?.() !== 0) return null;
  try {
    relayOf(settings, missing);
    spamOf(settings, missing);
    return null;
  } catch (error) {
    if (error instanceof SetUpFailure) return error.message;
    throw error;
  }
}

export function refuseMissing(_key: NamedKey, reason: string): never {
  throw new SetUpFailure(reason);
}

/** Returns and reports the file's text from the configuration in force. Throws SetUpFailure if it has none, or only for another login. */
export function textInForce(settings: Settings, layout: Layout, say: (line: string) => void): Missing {
  const start = `${settings["outbound.relay"]} ${settings["outbound.relay_user"]}:`;
  const passwordIn = (logins: string | null): string | null =>
    logins
      ?.split("\n")
      .find((one) => one.startsWith(start))
      ?.slice(start.length) ?? null;
  const read = (...path: readonly string[]): string | null =>
    nullOn(["ENOENT"], () => readNamed(join(...path), MOST_NAMED_BYTES).toString());
  return (key, reason) => {
    const inForce =
      key === "spam.rules"
        ? read(layout.spamAssassinConf, OWN_RULES)
        : passwordIn(read(layout.postfixConf, RELAY_LOGIN));
    if (inForce === null) return refuseMissing(key, reason);
    say(`${reason} Its last readable contents stay in use.`);
    return inForce;
  };
}

function textIn(settings: Settings, key: NamedKey, missing: Missing): string {
  const file = settings[key];
  try {
    return readNamedText(file, MOST_NAMED_BYTES);
  } catch (error) {
    const why = error instanceof UnsafePath ? `cannot be used: ${error.message}` : "does not exist or cannot be read.";
    return missing(key, `The file ${file} of ${key} ${why}`);
  }
}

/** The first line of the relay's password file. Throws SetUpFailure if there is none. */
function relayPassword(settings: Settings, missing: Missing): string {
  const key = "outbound.relay_password_file";
  const [line = ""] = textIn(settings, key, missing).split("\n");
  const password = line.replace(/\r$/, "");
  if (password !== "" && password === password.trim()) return password;
  const reason = `The first line of ${settings[key]} must be the password for the relay, without spaces around it.`;
  return missing(key, reason);
}

/** Postfix counts in seconds: never less than the setting. */
function wholeSeconds(durationMs: number): number {
  return Math.ceil(durationMs / SECOND_MS);
}

/** Rendered files: the owner's rules for SpamAssassin, and the login at the relay. */
export const OWN_RULES = "own.cf";
export const RELAY_LOGIN = "relay-login";

/** A file that rendering made, relative to its service's configuration directory. */
export type RenderedFile = Readonly<{ name: string; text: string; mode: number }>;

export const RENDERED_BY = "Rendered by GhostInbox from ghostinbox.toml. Changes made here are lost.";

export function verbatim(name: string, text: string): RenderedFile {
  return { name, text, mode: 0o644 };
}

/** A file of settings, in which `#` starts a comment. */
export function rendered(name: string, text: string, mode = 0o644): RenderedFile {
  return { name, text: `# ${RENDERED_BY}\n${text}`, mode };
}

/** Matches these domains (regexp_table(5)); must be put into parentheses. */
export function domainPattern(domains: readonly string[]): string {
  return domains.map((domain) => domain.replaceAll(".", "\\.")).join("|");
}

/** A program that sh(1) runs. */
export function renderedScript(name: string, text: string): RenderedFile {
  return { name, text: `#!/bin/sh\n# ${RENDERED_BY}\n${text}`, mode: 0o755 };
}
