import { join } from "node:path";
import { RENDERED_BY, type RenderedFile, type Site } from "./site.ts";
import { NOTHING_SPECIAL } from "./unbound.ts";

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
  const { layout, hostname } = site;
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
    ...(asksOurs(site) ? [`ResolverConfiguration ${join(directory, "resolver.conf")}`] : []),
    "DNSTimeout 5",
    `FinalPolicyScript ${join(directory, "final.lua")}`,
    "UMask 0007",
    `Socket local:${layout.dkimSocket}`,
    "",
  ];
  const file = (name: string, contents: string): RenderedFile => ({ name, text: contents, mode: 0o644 });
  const name = (key: DkimKey): string => `${key.selector}._domainkey.${key.domain}`;
  return [
    file("opendkim.conf", text.join("\n")),
    file("resolver.conf", resolverConf(site)),
    file("final.lua", FINAL_LUA),
    file("KeyTable", lines(keys.map((key) => `${name(key)} ${key.domain}:${key.selector}:${key.file}`))),
    file("SigningTable", lines(keys.map((key) => `*@${key.domain} ${name(key)}`))),
  ];
}

/**
 * OpenDKIM asks the DNS through libunbound, from the root down. Only where names are served that the root does not know
 * is it led to our resolver: it reads the file for that anew for each mail, and libunbound's parser is not made for
 * threads, so that mails at the same time can end it. Postfix then lets them pass unverified until it is back.
 */
function asksOurs({ dns }: Site): boolean {
  return dns.ownRoot || dns.stubs.length > 0;
}

/**
 * For libunbound (unbound.conf(5)). OpenDKIM's own setting for a name server does not do: libunbound asks nobody on
 * loopback unless told to, and answers for some names by itself.
 */
function resolverConf({ dns }: Site): string {
  const names = [
    ...(dns.ownRoot ? NOTHING_SPECIAL : []),
    ...dns.stubs.map(({ zone }) => `local-zone: "${zone}." nodefault`),
  ];
  return lines([
    "server:",
    "  do-not-query-localhost: no",
    ...names.map((line) => `  ${line}`),
    "forward-zone:",
    '  name: "."',
    `  forward-addr: ${dns.address}`,
  ]);
}

/**
 * A key that cannot be looked up now says nothing of the mail, but to DMARC it would look forged, and be refused for
 * good. So it comes again, if the author's own domain signed it and no other signature holds (RFC 6376 section 6.1.2).
 * OpenDKIM 2.11 has On-DNSError for this, which does nothing (its issue 176).
 */
const FINAL_LUA = `-- ${RENDERED_BY}
local KEY_CANNOT_BE_READ = 24 -- DKIM_SIGERROR_KEYFAIL of libopendkim's dkim.h
local author = "." .. (odkim.get_fromdomain(ctx) or ""):lower()
local unread = false
for i = 1, odkim.get_sigcount(ctx) or 0 do
  local signature = odkim.get_sighandle(ctx, i - 1)
  local result = odkim.sig_result(signature)
  if result == 0 then return end
  if result == KEY_CANNOT_BE_READ then
    -- Not before: OpenDKIM tries the script without a mail when it starts, and dies of asking nothing for its domain.
    local signer = "." .. odkim.sig_getdomain(signature):lower()
    if author:sub(-#signer) == signer then unread = true end
  end
end
if unread then
  odkim.set_reply(ctx, "451", "4.7.5", "The key of the signature cannot be looked up now, try again later")
  odkim.set_result(ctx, SMFIS_TEMPFAIL)
end
`;

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
