import type { Reader } from "../../reader.ts";

/** Every account, with what lets somebody else read its mail: a thief may have made it, and a new password removes a part. */
export function accountEvidence(reader: Reader) {
  const { items } = reader.accounts({ limit: 1_000_000, cursor: null });
  return items.map((row) => ({
    ...row,
    appPasswords: reader.appPasswords(row.name),
    forwarding: reader.forwarding(row.name),
    vacation: reader.vacation(row.name),
  }));
}
