import assert from "node:assert/strict";
import { parseSenderPattern, type SenderPattern } from "../../src/core/net/address.ts";
import type { Relay, Site } from "../../src/mail/configuration/site.ts";
import { jailsOf, ownJailOf } from "../../src/settings/jails.ts";
import { layoutOf } from "../../src/settings/layout.ts";
import { loadValid } from "./loaded-settings.ts";
import { ip } from "./samples.ts";

/** A server like a reader's own, for tests. */
export function sampleSite(changes: Partial<Site> = {}): Site {
  const layout = layoutOf("/srv/mail");
  return {
    layout,
    hostname: "mail.example.org",
    domains: ["example.org", "example.net"],
    messageSizeBytes: 10_485_760,
    mailboxQuotaBytes: 5_368_709_120,
    recipientsPerMail: 100,
    mailCrypt: null,
    greylist: { enabled: true, delaySeconds: 300 },
    limits: {
      connectionsAtOnce: 10,
      connectionsOfKnown: 50,
      mailsPerMinute: 30,
      smtpPlaces: 100,
      imapPlaces: 400,
      exempt: [],
    },
    ports: { smtp: 25, submission: 587, submissions: 465, imaps: 993, loginPolicy: 10_025, sieveMail: 26 },
    proxied: null,
    tls: { profile: "modern" },
    outbound: {
      atOnce: 20,
      queueLifetimeSeconds: 432_000,
      bounceLifetimeSeconds: 86_400,
      delayWarningSeconds: 14_400,
      relay: null,
    },
    isolated: [],
    dns: {
      address: ip("127.71.9.53"),
      cacheBytes: 12_582_912,
      rootHints: "/usr/share/dns/root.hints",
      trustAnchor: "/usr/share/dns/root.key",
      ownRoot: false,
      stubs: [],
      forward: [],
    },
    ownDovecot: "",
    ownDovecotUnused: null,
    spam: {
      enabled: true,
      requiredScore: 5,
      refuseScore: 15,
      crowdScore: 2,
      allowFrom: [],
      runs: true,
      onFailure: "pass",
      ownRules: "",
      updates: { channel: "updates.spamassassin.org", keyFile: "" },
    },
    fail2ban: { enabled: true, stock: [], own: [], ...shippedJails() },
    verify: true,
    exportSettings: "",
    webSettings: 'domains = ["example.org"]\n',
    dkimSelector: "ghostinbox",
    loginPolicySecret: "5".repeat(64),
    proofWord: "7".repeat(32),
    mailUser: { uid: 990, gid: 991 },
    ipv6: true,
    ...changes,
  };
}

export function senders(...patterns: readonly string[]): readonly SenderPattern[] {
  return patterns.map((text) => parseSenderPattern(text) ?? assert.fail(text));
}

/** A relay without a login. */
export const RELAY: Relay = { nextHop: "[smtp.example.net]:587", login: null, authorities: "/x.pem" };

/** The ports for proxies by the default settings. */
export const PROXIED_PORTS = { smtp: 325, submission: 387, submissions: 365, imaps: 393 };

/** The jails by the default settings. */
export function shippedJails(): Pick<Site["fail2ban"], "jails" | "ownJail"> {
  const settings = loadValid(null).settings;
  return { jails: jailsOf(settings), ownJail: ownJailOf(settings) };
}

/** `name = value` lines as a table; a duplicate name is a mistake in every format that we render. */
export function assignments(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^([a-z0-9_]+) =(?: (.*))?$/i.exec(line) ?? [];
    if (name === "") continue;
    if (found.has(name)) throw new Error(`${name} is set twice`);
    found.set(name, value);
  }
  return found;
}
