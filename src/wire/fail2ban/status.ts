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

/** Of `fail2ban-client -i`, which was asked for the `status` of each jail. */
export function parseJails(text: string): readonly JailStatus[] {
  const [, ...jails] = text.split("Status for the jail: ");
  return jails.map(parseJail);
}

/** What follows those words. */
function parseJail(text: string): JailStatus {
  const number = (label: string): number => Number(new RegExp(`${label}:\\s*(\\d+)`).exec(text)?.[1] ?? 0);
  return {
    name: text.split("\n", 1)[0] ?? "",
    watched: number("Currently failed"),
    found: number("Total failed"),
    reports: number("Total banned"),
  };
}
