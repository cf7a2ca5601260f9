import type { Jail } from "../../core/decide/jails.ts";
import type { Shut } from "../../core/incident/incident.ts";
import type { Ip, Prefix } from "../../core/net/ip.ts";
import type { JailInForce } from "../../settings/jails.ts";
import type { StubZone } from "../../settings/kinds/texts.ts";
import type { Layout } from "../../settings/layout.ts";
import type { ProxiedPorts } from "../../settings/ports.ts";
import type { Settings } from "../../settings/schema.ts";

/** Everything on which the configuration files of Postfix and Dovecot depend. */
export type Site = Readonly<{
  layout: Layout;
  /** Fully qualified name of this machine. */
  hostname: string;
  /** Mail domains, the first is the main one; never empty. */
  domains: readonly string[];
  messageSizeBytes: number;
  /** The quota of an account without one; 0: none. */
  mailboxQuotaBytes: number;
  recipientsPerMail: number;
  /** Null: mail was never encrypted. */
  mailCrypt: MailCrypt | null;
  /** The owner's Dovecot settings, which override all others. */
  ownDovecot: string;
  /** Why their file is not used; null if it is used or missing. */
  ownDovecotUnused: string | null;
  greylist: Readonly<{ enabled: boolean; delaySeconds: number }>;
  limits: Readonly<{
    /** Open connections of one address; Postfix counts them for each port. */
    connectionsAtOnce: number;
    /** The same for a known address, on the ports where users send. */
    connectionsOfKnown: number;
    /** Mails that Postfix accepts from one address within a minute. */
    mailsPerMinute: number;
    /** Connections that each port of Postfix, and that of Dovecot, serves at once. */
    smtpPlaces: number;
    imapPlaces: number;
    /** Networks that are exempt from the limits of one address, in addition to loopback. */
    exempt: readonly Prefix[];
  }>;
  ports: Readonly<{
    smtp: number;
    submission: number;
    submissions: number;
    imaps: number;
    loginPolicy: number;
    sieveMail: number;
  }>;
  /** Where the proxies of these networks connect. Null: there are none. */
  proxied: Readonly<{ networks: readonly Prefix[]; ports: ProxiedPorts }> | null;
  tls: Readonly<{ profile: Settings["tls.profile"] }>;
  outbound: Outbound;
  /** Functions that an isolated server stops; empty for any other. */
  held: readonly Shut[];
  dns: DnsSite;
  spam: SpamSite;
  fail2ban: Fail2banSite;
  /** Whether mail from others is verified (DKIM, SPF, DMARC). */
  verify: boolean;
  dkimSelector: string;
  /** The file of settings that the web reads. */
  webSettings: string;
  /** The file of settings that the exporter reads. */
  exportSettings: string;
  /** The secret with which Dovecot proves to the guard that it is Dovecot. */
  loginPolicySecret: string;
  /** The secret with which Rspamd proves to Postfix that it has verified a sender. */
  proofWord: string;
  /** Owner of the Maildirs. */
  mailUser: Readonly<{ uid: number; gid: number }>;
  /** Whether the kernel speaks IPv6. */
  ipv6: boolean;
}>;

/**
 * `encrypts`: new mail is encrypted; otherwise existing encrypted mail stays readable. `byAccount`: with the account's own key,
 * if it has one. Absolute paths.
 */
export type MailCrypt = Readonly<{ encrypts: boolean; byAccount: boolean; publicKey: string; privateKey: string }>;

/** How mail is sent. Durations in whole seconds. */
export type Outbound = Readonly<{
  /** Mails of an account to one domain, or mails into mailboxes, at once. */
  atOnce: number;
  queueLifetimeSeconds: number;
  bounceLifetimeSeconds: number;
  delayWarningSeconds: number;
  /** Null: directly to the recipients' servers. */
  relay: Relay | null;
}>;

export type Relay = Readonly<{
  /** As transport(5) writes a next hop: `[smtp.example.net]:587`. */
  nextHop: string;
  login: Readonly<{ user: string; password: string }> | null;
  /** PEM file of certificate authorities for it. */
  authorities: string;
}>;

/** The certificate authorities that Debian trusts (package ca-certificates). */
export const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

export type SpamSite = Readonly<{
  enabled: boolean;
  requiredScore: number;
  /** In whole points; 0 refuses nothing. */
  refuseScore: number;
  /** Added to the score of a first mail while unusually many new senders write. */
  crowdScore: number;
  /** Sender patterns that are trusted without proof. */
  allowFrom: readonly string[];
  onFailure: "pass" | "wait";
  /** The owner's SpamAssassin configuration; empty if there is none. */
  ownRules: string;
  /** Where rules come from; an empty file: signed by SpamAssassin's own key. */
  updates: Readonly<{ channel: string; keyFile: string }>;
}>;

/** A filter of Fail2ban: its text, and the name of its file without `.conf`, which becomes the jail's name. */
export type Filter = Readonly<{ name: string; text: string }>;

export type Fail2banSite = Readonly<{
  enabled: boolean;
  /** Debian's, unchanged: ours and the owner's include them. */
  stock: readonly Filter[];
  /** The owner's filters, tested. */
  own: readonly Filter[];
  jails: readonly JailInForce[];
  /** The jail of each of the owner's filters. */
  ownJail: Omit<Jail, "name">;
}>;

/** Configuration of our resolver. */
export type DnsSite = Readonly<{
  /** Its loopback address. The port is 53, because resolv.conf(5) cannot name another. */
  address: string;
  cacheBytes: number;
  /** Absolute paths. */
  rootHints: string;
  trustAnchor: string;
  /** Whether it uses a root other than the internet's. */
  ownRoot: boolean;
  stubs: readonly StubZone[];
  /** Resolvers that are asked for everything else; empty: the name servers of the internet. */
  forward: readonly Ip[];
}>;

/** A file that rendering made, relative to its service's configuration directory. */
export type RenderedFile = Readonly<{ name: string; text: string; mode: number }>;

export const RENDERED_BY = "Rendered by GhostInbox from ghostinbox.toml. Changes made here are lost.";

/** A file of settings, in which `#` starts a comment. */
export function rendered(name: string, text: string, mode = 0o644): RenderedFile {
  return { name, text: `# ${RENDERED_BY}\n${text}`, mode };
}

/** A program that sh(1) runs. */
export function renderedScript(name: string, text: string): RenderedFile {
  return { name, text: `#!/bin/sh\n# ${RENDERED_BY}\n${text}`, mode: 0o755 };
}
