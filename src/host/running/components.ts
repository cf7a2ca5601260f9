import type { ServiceName } from "./runit.ts";

/**
 * Debian packages whose programs and data a service runs, in addition to their libraries (scripts/setup). In the order in
 * which the services are restarted: those that others depend on first.
 */
export const COMPONENTS = {
  unbound: ["unbound", "dns-root-data"],
  spamd: ["spamd", "spamassassin", "libmail-spf-perl"],
  "spam-head": ["python3"],
  "spamass-milter": ["spamass-milter"],
  rspamd: ["rspamd"],
  postgrey: ["postgrey"],
  dovecot: ["dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-sqlite", "dovecot-sieve"],
  postfix: ["postfix", "postfix-sqlite"],
  fail2ban: ["fail2ban"],
} as const satisfies Partial<Record<ServiceName, readonly string[]>>;

export type Component = keyof typeof COMPONENTS;
