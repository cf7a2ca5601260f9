import { type SettingKey, type Settings, settingKeys } from "./schema.ts";

export type PortSetting = SettingKey & `ports.${string}`;

export function portSettings(): readonly PortSetting[] {
  return settingKeys().filter((key): key is PortSetting => key.startsWith("ports."));
}

export const PROXIED_KEYS = [
  "ports.proxied_smtp",
  "ports.proxied_submission",
  "ports.proxied_submissions",
  "ports.proxied_imaps",
] as const;

export type ProxiedPorts = Readonly<Record<"smtp" | "submission" | "submissions" | "imaps", number>>;
type ProxySettings = Pick<Settings, "proxy.networks" | (typeof PROXIED_KEYS)[number]>;

/** The ports that trust a PROXY header. Null if there is no proxy: then nothing listens on them. */
export function proxiedPorts(settings: ProxySettings): ProxiedPorts | null {
  if (settings["proxy.networks"].length === 0) return null;
  return {
    smtp: settings["ports.proxied_smtp"],
    submission: settings["ports.proxied_submission"],
    submissions: settings["ports.proxied_submissions"],
    imaps: settings["ports.proxied_imaps"],
  };
}

/** The address of `ports.sieve_mail`. Dovecot connects over IPv4, whose table in the kernel shows the connections' owners. */
export const SIEVE_MAIL_ADDRESS = "127.0.0.1";

/** RFC 8314: on this port TLS starts immediately. */
export const SUBMISSIONS = 465;

/** Reads `[smtp.example.net]:587`, as the settings of relays have it. */
export function hostAndPort(nextHop: string): Readonly<{ host: string; port: number }> {
  const [, host = "", port = ""] = /^\[(.+)\]:(\d+)$/.exec(nextHop) ?? [];
  return { host, port: Number(port) };
}

export type FirewallSettings = Pick<Settings, "firewall.enabled" | "firewall.mode">;

/** Whether all ports but the chosen ones are closed (docs/firewall.md). */
export function isStrict(settings: FirewallSettings): boolean {
  return settings["firewall.enabled"] && settings["firewall.mode"] === "strict";
}
