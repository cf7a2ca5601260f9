import { DAY_MS, HOUR_MS, SECOND_MS } from "../../core/time.ts";
import { duration, flag, listOf, oneOf, port, size, wholeNumber } from "../kinds/kind.ts";
import {
  address,
  hostName,
  keyHash,
  loopback,
  network,
  path,
  resolver,
  stubZone,
  systemUser,
  systemUserOrId,
} from "../kinds/texts.ts";
import { byDefault, GB, KB, MB, optional, optionalList, type Setting } from "../setting.ts";

/** Where the server listens, which resolver it uses, and what it keeps. */
export const machine = {
  "checks.weekly": byDefault(true, flag).says(
    "Run every check of `check` ten minutes after the first start, then, despite the name, each day. A check that passed before and now fails is reported.",
  ),

  "tls.cert": optional(path).says("Certificate chain (PEM); empty means a self-signed one."),
  "tls.key": optional(path).says("Private key of `tls.cert` (PEM)."),
  "tls.profile": byDefault("modern", oneOf("modern", "seed")).says(
    "Ciphers for TLS 1.2 on every port. `modern`: only forward secrecy and authenticated encryption. `seed`: the list of examples/investra.toml. Versions below TLS 1.2 are off.",
    { source: "RFC 9325 section 4.2" },
  ),

  "dns.address": byDefault("127.71.9.53", loopback).says(
    "Loopback address where our resolver answers this server's programs, on port 53.",
  ),
  "dns.cache": byDefault("12MB", size(MB, GB)).says("Memory for the resolver's cache.", {
    source: "unbound.conf(5), msg-cache-size and rrset-cache-size",
  }),
  "dns.root_hints": optional(path).says("File with the root's name servers; empty means the internet's root.", {
    source: "unbound.conf(5), root-hints",
  }),
  "dns.trust_anchor": optional(path).says(
    "File with the root's keys, which validate answers; empty means the internet's.",
    { source: "RFC 4035; unbound.conf(5), trust-anchor-file" },
  ),
  "dns.stub": optionalList(stubZone, 100).says("Zones that your own server answers, without signatures.", {
    source: "unbound.conf(5), stub-zone",
  }),
  "dns.forward": optionalList(resolver, 10).says(
    "Resolvers to ask for all names except those of `dns.stub`, for a machine that cannot reach the internet's name servers. Answers are still validated here. Instead of a resolver on this machine, such as 127.0.0.53, name those that it asks: `resolvectl dns`. Block lists refuse public resolvers.",
    { source: "unbound.conf(5), forward-zone" },
  ),

  "ports.smtp": byDefault(25, port).says("Mail from other servers.", { source: "RFC 5321" }),
  "ports.submission": byDefault(587, port).says("Mail from users, with STARTTLS.", { source: "RFC 6409" }),
  "ports.submissions": byDefault(465, port).says("Mail from users, with TLS.", { source: "RFC 8314" }),
  "ports.imaps": byDefault(993, port).says("Mailboxes, with TLS.", { source: "RFC 8314" }),
  "ports.http": byDefault(3000, port).says("Dashboard and API, on `http.address`."),
  "ports.login_policy": byDefault(10_025, port).says("Where Dovecot asks the guard about sign-ins, on loopback only."),
  "ports.sieve_mail": byDefault(26, port).says(
    "Where Dovecot hands over mail that Sieve scripts send, on loopback only: automatic replies, and what a script redirects. No other user of the machine can send there. Above 1023, a user could take the port, and Postfix would not start.",
    { source: "RFC 5228, RFC 5230" },
  ),
  "ports.proxied_smtp": byDefault(325, port).says(
    "As `ports.smtp`, only for `proxy.networks`. Above 1023, a user of this machine could take the port, and Postfix would not start.",
  ),
  "ports.proxied_submission": byDefault(387, port).says("As `ports.submission`, only for `proxy.networks`."),
  "ports.proxied_submissions": byDefault(365, port).says("As `ports.submissions`, only for `proxy.networks`."),
  "ports.proxied_imaps": byDefault(393, port).says("As `ports.imaps`, only for `proxy.networks`."),

  "proxy.networks": optionalList(network, 100).says(
    "Proxies for mail, such as HAProxy, whose PROXY header is trusted. Only they may connect to the ports `ports.proxied_*`; while the list is empty, these ports are closed.",
    { source: "The PROXY protocol, versions 1 and 2; postconf(5), smtpd_upstream_proxy_protocol" },
  ),
  "proxy.user": byDefault("haproxy", systemUser).says(
    "User of a proxy that runs on this machine. Other users' programs cannot connect to the ports `ports.proxied_*`.",
  ),

  "http.address": byDefault("127.0.0.1", address).says(
    "Address of the dashboard and the API. They speak plain HTTP, so put a proxy with TLS in front.",
  ),
  "http.mailboxes": byDefault(true, flag).says(
    "Whether users of mailboxes can sign in to the dashboard with their address and password, and see the page of their mailbox.",
  ),
  "http.names": optionalList(hostName, 100).says(
    "More names under which browsers reach the dashboard. `hostname`, the domains and names below them are always accepted.",
  ),
  "http.trusted_proxies": optionalList(network, 100).says(
    "Proxies whose X-Forwarded-For header is trusted; on this machine, only while they run as one of `http.proxy_users`.",
  ),
  "http.proxy_users": byDefault(
    ["root", "www-data", "nginx", "caddy", "haproxy", "traefik"],
    listOf(systemUserOrId, 20),
  ).says(
    "Users that proxies of `http.trusted_proxies` on this machine run as, by name, or by id if they have no name here, as in a container. The header of a program that runs as any other local user is ignored, and such a user may have 64 connections open. Users that do not exist are skipped.",
  ),

  "events.max_rows": byDefault(1_000_000, wholeNumber(100, 1_000_000_000)).says(
    "Maximum number of events kept. Above it, the oldest are removed, and their hourly sums are kept.",
  ),
  "events.max_size": byDefault("512MB", size(MB, 1024 * GB)).says(
    "Size of the event database above which the oldest events are removed; their hourly sums are kept.",
  ),
  "events.max_age": byDefault("90d", duration(SECOND_MS, 3_650 * DAY_MS)).says("How long an event is kept."),

  "audit.review_every": byDefault("90d", duration(0, 3_650 * DAY_MS)).says(
    "How long after `access review --sign` the next access review becomes overdue; `0s` means never.",
  ),

  "logs.max_size": byDefault("50MB", size(16 * KB, 10 * GB)).says(
    "Size at which mail.log, mail.warn and mail.err are rotated.",
  ),
  "logs.max_age": byDefault("1d", duration(HOUR_MS, 3_650 * DAY_MS)).says(
    "Age at which they are rotated, unless they are empty.",
  ),
  "logs.keep": byDefault(14, wholeNumber(1, 10_000)).says(
    "How many rotated files of each are kept, compressed after a day. After a flood more are kept, within this many times `logs.max_size` and `logs.max_age`.",
  ),
} as const satisfies Record<string, Setting<unknown>>;

/** Which certificates for our domains are ours (RFC 9162, Certificate Transparency). */
export const certificates = {
  "certificates.log": optional(path).says(
    "File in which the hook of certspotter notes each certificate that it finds for a domain; empty: none is read.",
    { source: "certspotter-script(8)" },
  ),
  "certificates.files": optionalList(path, 100).says(
    "Certificates (PEM) of your other services on this machine, such as a web server: they count as yours, also after each renewal.",
  ),
  "certificates.known": optionalList(keyHash, 1_000).says(
    "SHA-256 of more public keys that are yours, in hexadecimal digits, as a notice names them.",
  ),
} as const satisfies Record<string, Setting<unknown>>;
