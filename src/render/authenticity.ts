import { join } from "node:path";
import { RENDERED_BY, type RenderedFile, type Site } from "./site.ts";

/** The key of one domain. */
export type DkimKey = Readonly<{ domain: string; selector: string; file: string }>;

/** RSA alone: with Ed25519 (RFC 8463) OpenDKIM 2.11 can sign only if it signs with nothing else, and few verify that. */
export function dkimKeys({
  layout,
  domains,
  dkimSelector: selector,
}: Pick<Site, "layout" | "domains" | "dkimSelector">): readonly DkimKey[] {
  return domains.map((domain) => ({ domain, selector, file: join(layout.dkimKeys, `${domain}.${selector}.pem`) }));
}

/**
 * opendkim.conf(5). One process for both doors: mail of a user who signed in (the macro {auth_type}) is signed, all
 * other is verified; no host is trusted by its address, since behind a proxy all the world may come from loopback.
 */
export function renderOpendkim(site: Site): readonly RenderedFile[] {
  const { layout, hostname, dns } = site;
  const directory = layout.opendkimConf;
  const keys = dkimKeys(site);
  const text = [
    `# ${RENDERED_BY}`,
    "Mode sv",
    "Background no",
    "Syslog no",
    `AuthservID ${hostname}`,
    "AlwaysAddARHeader yes",
    // Of the forms of a host that this accepts, one that no client can have.
    "InternalHosts 255.255.255.255",
    `KeyTable file:${join(directory, "KeyTable")}`,
    `SigningTable refile:${join(directory, "SigningTable")}`,
    "Canonicalization relaxed/relaxed",
    // Set-up sees to the owner and mode of every directory; this would also refuse one below a sticky /var/tmp.
    "RequireSafeKeys no",
    // A second From: header would break the signature (RFC 6376 section 8.15).
    "OversignHeaders From",
    // Whatever goes wrong here, the mail goes on.
    "On-Default accept",
    `Nameservers ${dns.address}`,
    "DNSTimeout 5",
    "UMask 0007",
    `Socket local:${layout.dkimSocket}`,
    "",
  ];
  const name = (key: DkimKey): string => `${key.selector}._domainkey.${key.domain}`;
  return [
    { name: "opendkim.conf", text: text.join("\n"), mode: 0o644 },
    {
      name: "KeyTable",
      text: lines(keys.map((key) => `${name(key)} ${key.domain}:${key.selector}:${key.file}`)),
      mode: 0o644,
    },
    { name: "SigningTable", text: lines(keys.map((key) => `*@${key.domain} ${name(key)}`)), mode: 0o644 },
  ];
}

/** opendmarc.conf(5). It has no setting for a resolver, so it lives in a directory whose resolv.conf names ours. */
export function renderOpendmarc({ layout, hostname }: Site): readonly RenderedFile[] {
  const text = [
    `# ${RENDERED_BY}`,
    "Background no",
    "Syslog no",
    `AuthservID ${hostname}`,
    `TrustedAuthservIDs ${hostname}`,
    "RejectFailures yes",
    "RejectString rejected by DMARC policy for %s",
    // It verifies SPF itself (RFC 7208) instead of believing a header.
    "SPFIgnoreResults yes",
    "SPFSelfValidate yes",
    `IgnoreHosts ${join(layout.opendmarcConf, "IgnoreHosts")}`,
    "PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat",
    `ChangeRootDirectory ${layout.dmarcRoot}`,
    "UserID opendmarc:postfix",
    "UMask 0007",
    `Socket local:${layout.dmarcSocket.slice(layout.dmarcRoot.length)}`,
    "",
  ];
  return [
    { name: "opendmarc.conf", text: text.join("\n"), mode: 0o644 },
    // Whose mail comes from loopback comes through a proxy that hides its clients: nothing can be said of them.
    { name: "IgnoreHosts", text: lines(["127.0.0.0/8", "::1"]), mode: 0o644 },
  ];
}

/** The resolv.conf of OpenDMARC's own root directory. */
export function renderDmarcEtc({ dns }: Site): readonly RenderedFile[] {
  const text = lines([`nameserver ${dns.address}`, "options timeout:2 attempts:2"]);
  return [{ name: "resolv.conf", text, mode: 0o644 }];
}

/** Where the milters listen, relative to Postfix's queue directory. */
export function milterPath(socket: string, { layout }: Site): string {
  return socket.slice(layout.postfixQueue.length + 1);
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
