/** What fail2ban-client(1) says about a jail since Fail2ban was started. */
export type JailStatus = Readonly<{
  name: string;
  /** Addresses with too few offences for a report. */
  watched: number;
  /** Offences found. */
  found: number;
  /** Reports to the guard, which Fail2ban itself calls bans. */
  reports: number;
}>;

/** Of `fail2ban-client status`. */
export function parseJailNames(text: string): readonly string[] {
  const [, list = ""] = /Jail list:\s*(.*)$/m.exec(text) ?? [];
  return list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Of `fail2ban-client status JAIL`. */
export function parseJailStatus(name: string, text: string): JailStatus {
  const number = (label: string): number => Number(new RegExp(`${label}:\\s*(\\d+)`).exec(text)?.[1] ?? 0);
  return {
    name,
    watched: number("Currently failed"),
    found: number("Total failed"),
    reports: number("Total banned"),
  };
}
