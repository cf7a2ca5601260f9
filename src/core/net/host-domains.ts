/** More labels than any mail server's name has. */
const MOST_LABELS = 10;

/** The domains that a host belongs to, in lower case: of `mx1.bank.test` that name and `bank.test`, not `test`. */
export function domainsOf(hostName: string): readonly string[] {
  const labels = hostName.toLowerCase().split(".").slice(-MOST_LABELS);
  return labels.slice(0, -1).map((_, i) => labels.slice(i).join("."));
}
