import { DAY_MS, SECOND_MS } from "../../core/time.ts";
import {
  address,
  duration,
  hostName,
  listOf,
  loopback,
  network,
  oneOf,
  orEmpty,
  path,
  port,
  size,
  stubZone,
  wholeNumber,
} from "../kinds.ts";
import { GB, KB, MB, type Setting } from "../setting.ts";

/** Where the server listens, whom it asks, and what it keeps. */
export const machine = {
  "tls.cert": {
    kind: orEmpty(path),
    byDefault: "",
    says: "Certificate chain in PEM; empty stands for a self-signed one.",
  },
  "tls.key": { kind: orEmpty(path), byDefault: "", says: "Private key of `tls.cert` in PEM." },
  "tls.profile": {
    kind: oneOf("modern", "seed"),
    byDefault: "modern",
    says: "Ciphers up to TLS 1.2 on every port: `modern` has forward secrecy and authenticated encryption only, `seed` is the seed's list; below TLS 1.2 nothing is spoken.",
    source: "RFC 9325 section 4.2",
  },

  "dns.address": {
    kind: loopback,
    byDefault: "127.71.9.53",
    says: "Loopback address on which our own resolver answers this server's programs, on port 53.",
  },
  "dns.root_hints": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File with the root's name servers; empty stands for the internet's root.",
    source: "unbound.conf(5), root-hints",
  },
  "dns.trust_anchor": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File with the root's keys, by which answers are validated; empty stands for the internet's.",
    source: "RFC 4035; unbound.conf(5), trust-anchor-file",
  },
  "dns.stub": {
    kind: listOf(stubZone, 100),
    byDefault: [],
    says: "Zones that are asked of a server of their own, and believed unsigned.",
    source: "unbound.conf(5), stub-zone",
  },

  "ports.smtp": { kind: port, byDefault: 25, says: "Mail from other servers.", source: "RFC 5321" },
  "ports.submission": {
    kind: port,
    byDefault: 587,
    says: "Mail from the users, with STARTTLS.",
    source: "RFC 6409",
  },
  "ports.submissions": { kind: port, byDefault: 465, says: "Mail from the users, with TLS.", source: "RFC 8314" },
  "ports.imaps": { kind: port, byDefault: 993, says: "Mailboxes, with TLS.", source: "RFC 8314" },
  "ports.http": { kind: port, byDefault: 3000, says: "Dashboard and API, on `http.address`." },
  "ports.login_policy": {
    kind: port,
    byDefault: 10_025,
    says: "Where Dovecot asks the guard about logins, on loopback only.",
  },

  "http.address": {
    kind: address,
    byDefault: "127.0.0.1",
    says: "Address on which dashboard and API listen; it speaks plain HTTP, so put a proxy with TLS before it.",
  },
  "http.names": {
    kind: listOf(hostName, 100),
    byDefault: [],
    says: "More names by which browsers call the dashboard; `hostname`, the domains and all below them are known anyway.",
  },
  "http.trusted_proxies": {
    kind: listOf(network, 100),
    byDefault: [],
    says: "Proxies whose X-Forwarded-For header is believed.",
  },

  "events.max_rows": {
    kind: wholeNumber(100, 1_000_000_000),
    byDefault: 1_000_000,
    says: "Events that are kept; past it new ones are summed up and old ones removed.",
  },
  "events.max_size": {
    kind: size(MB, 1024 * GB),
    byDefault: "512MB",
    says: "Size of the event database past which new events are summed up and old ones removed.",
  },
  "events.max_age": { kind: duration(SECOND_MS, 3_650 * DAY_MS), byDefault: "90d", says: "How long an event is kept." },

  "logs.max_size": {
    kind: size(16 * KB, 10 * GB),
    byDefault: "50MB",
    says: "Size at which mail.log, mail.warn and mail.err are set aside and begun anew.",
  },
  "logs.max_age": {
    kind: duration(SECOND_MS, 3_650 * DAY_MS),
    byDefault: "1d",
    says: "Age at which they are set aside, if anything stands in them.",
  },
  "logs.keep": {
    kind: wholeNumber(1, 10_000),
    byDefault: 14,
    says: "How many of each are kept; those older than a day are compressed.",
  },
} as const satisfies Record<string, Setting<unknown>>;
