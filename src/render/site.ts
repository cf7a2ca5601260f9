import type { Prefix } from "../core/ip.ts";
import type { Layout } from "../settings/layout.ts";
import type { Settings } from "../settings/schema.ts";

/** All that the configuration files of Postfix and Dovecot depend on. */
export type Site = Readonly<{
  layout: Layout;
  /** Fully qualified name of this machine. */
  hostname: string;
  /** Mail domains, the first is the main one; never empty. */
  domains: readonly string[];
  messageSizeBytes: number;
  limits: Readonly<{
    /** Connections of one address at once to each port of Postfix. */
    connectionsAtOnce: number;
    /** Mails of one address that Postfix takes within a minute. */
    mailsPerMinute: number;
    /** Whom neither of them concerns, besides loopback. */
    exempt: readonly Prefix[];
  }>;
  ports: Readonly<{ smtp: number; submission: number; submissions: number; imaps: number; loginPolicy: number }>;
  tls: Readonly<{ profile: Settings["tls.profile"] }>;
  outbound: Outbound;
  /** By this Dovecot proves to the guard that it is Dovecot. */
  loginPolicySecret: string;
  /** Owner of the Maildirs. */
  mailUser: Readonly<{ uid: number; gid: number }>;
  /** Whether the kernel speaks IPv6. */
  ipv6: boolean;
}>;

/** A file that rendering made, relative to its service's configuration directory. */
export type RenderedFile = Readonly<{ name: string; text: string; mode: number }>;

export const RENDERED_BY = "Rendered by GhostInbox from ghostinbox.toml. Changes made here are lost.";
