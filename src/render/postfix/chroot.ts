import { PROBE_ADDRESS } from "../../core/net/ip.ts";
import { type RenderedFile, type Site } from "../site.ts";

/**
 * Files that the C library of a chrooted smtpd or smtp reads below the queue directory (resolv.conf(5), nsswitch.conf(5)). So
 * they ask our resolver instead of the machine's.
 */
export function renderChroot({ dns }: Site): readonly RenderedFile[] {
  const file = (name: string, lines: readonly string[]): RenderedFile => ({
    name,
    text: `${lines.join("\n")}\n`,
    mode: 0o644,
  });
  return [
    // Up to 6 s for a name, less than any client's timeout. trust-ad keeps the information that an answer was validated.
    file("resolv.conf", [`nameserver ${dns.address}`, "options timeout:3 attempts:2 edns0 trust-ad"]),
    file("nsswitch.conf", ["hosts: files dns", "services: files", "passwd: files", "group: files"]),
    // The probe has a name, so that its greeting does not wait for the resolver.
    file("hosts", [
      "127.0.0.1 localhost",
      "::1 localhost ip6-localhost ip6-loopback",
      `${PROBE_ADDRESS} probe.localhost`,
    ]),
    file("services", ["smtp 25/tcp mail", "submission 587/tcp", "submissions 465/tcp ssmtp smtps", "domain 53/udp"]),
  ];
}
