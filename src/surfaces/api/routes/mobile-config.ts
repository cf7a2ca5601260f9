import { createHash } from "node:crypto";
import type { MyClient } from "../../../admin/me.ts";
import { domainOf } from "../../../core/net/address.ts";

export const MOBILE_CONFIG_TYPE = "application/x-apple-aspen-config";

/**
 * A mailbox's settings for iPhone, iPad and Mac (Apple, Configuration Profile Reference: Mail payload), without a password. The ids
 * in it depend only on the mailbox, so a second profile replaces the first.
 */
export function mobileConfig({ account, host, imapPort, smtpPort }: MyClient): string {
  const mail = {
    PayloadType: "com.apple.mail.managed",
    PayloadVersion: 1,
    PayloadIdentifier: `${reversed(domainOf(account))}.mail.${uuidOf(account)}`,
    PayloadUUID: uuidOf(`mail ${account}`),
    PayloadDisplayName: account,
    EmailAccountDescription: account,
    EmailAccountName: account,
    EmailAccountType: "EmailTypeIMAP",
    EmailAddress: account,
    ...server("Incoming", { host, port: imapPort, account }),
    ...server("Outgoing", { host, port: smtpPort, account }),
    OutgoingPasswordSameAsIncomingPassword: true,
  };
  const profile = {
    PayloadType: "Configuration",
    PayloadVersion: 1,
    PayloadIdentifier: `${reversed(domainOf(account))}.${uuidOf(account)}`,
    PayloadUUID: uuidOf(`profile ${account}`),
    PayloadDisplayName: `${account} (${host})`,
    PayloadContent: [mail],
  };
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${printed(profile)}
</plist>
`;
}

export function clientText({ account, host, imapPort, smtpPort }: MyClient): string {
  return [
    `User name: ${account}`,
    `Receiving: IMAP, ${host}, port ${imapPort}, SSL/TLS`,
    `Sending: SMTP, ${host}, port ${smtpPort}, SSL/TLS`,
    "Password: that of the mailbox or an app password, for both",
  ].join("\n");
}

type Value = string | number | boolean | Value[] | { [key: string]: Value };

function server(side: "Incoming" | "Outgoing", of: Readonly<{ host: string; port: number; account: string }>) {
  return {
    [`${side}MailServerHostName`]: of.host,
    [`${side}MailServerPortNumber`]: of.port,
    [`${side}MailServerUseSSL`]: true,
    [`${side}MailServerUsername`]: of.account,
    [`${side}MailServerAuthentication`]: "EmailAuthPassword",
  };
}

/** A property list in XML (plist(5)). */
function printed(value: Value): string {
  if (typeof value === "string") return `<string>${escaped(value)}</string>`;
  if (typeof value === "number") return `<integer>${value}</integer>`;
  if (typeof value === "boolean") return value ? "<true/>" : "<false/>";
  if (Array.isArray(value)) return `<array>${value.map(printed).join("")}</array>`;
  const entries = Object.entries(value).map(([key, one]) => `<key>${escaped(key)}</key>${printed(one)}`);
  return `<dict>\n${entries.join("\n")}\n</dict>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A UUID derived from a name (RFC 9562, 5.8). */
function uuidOf(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-8$3-8$4-$5").toUpperCase();
}

function reversed(host: string): string {
  return host.split(".").toReversed().join(".");
}
