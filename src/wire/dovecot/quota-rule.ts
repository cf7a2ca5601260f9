/** Kilobytes, unless a letter says otherwise. */
const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1024,
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/**
 * The size of a whole mailbox in a rule of Dovecot's quota plugin: `*:storage=1G`, `*:bytes=1048576`; 0: no limit. Rules for
 * a single folder and for the number of mails set no size: null. `unreadable`: not a rule.
 */
export function parseQuotaRule(rule: string): number | null | "unreadable" {
  const [folder, ...limits] = rule.trim().split(":");
  if (folder !== "*") return null;
  const limit = limits.find((each) => !/^(messages=\d+|ignore)$/.test(each));
  if (limit === undefined) return null;
  const [, resource = "", digits = "", unit = ""] = /^(storage|bytes)=(\d{1,15})([BKMGT]?)$/i.exec(limit) ?? [];
  const unitBytes =
    resource === "" ? undefined : resource === "bytes" && unit === "" ? 1 : UNIT_BYTES[unit.toUpperCase()];
  const bytes = unitBytes === undefined ? Number.NaN : Number(digits) * unitBytes;
  return Number.isSafeInteger(bytes) ? bytes : "unreadable";
}
