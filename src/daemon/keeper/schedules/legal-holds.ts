import { existsSync, readFileSync } from "node:fs";
import * as z from "zod/mini";
import { writeRecord } from "../../../adapters/root-files/record-file.ts";

const hold = z.object({
  account: z.string(),
  /** ISO 8601, UTC. */
  since: z.string(),
  /** Empty if none was given. */
  reason: z.string(),
});
const schema = z.object({ holds: z.readonly(z.array(hold)) });

/** An account whose mail retention must keep. `account` in lower case. */
export type LegalHold = Readonly<z.output<typeof hold>>;

/** Without a file there are none. Throws if it cannot be read: the caller must not assume then that there are none. */
export function readLegalHolds(path: string): readonly LegalHold[] {
  if (!existsSync(path)) return [];
  try {
    return z.parse(schema, JSON.parse(readFileSync(path, "utf8"))).holds;
  } catch {
    throw new Error(`${path} cannot be read, so that it is not known which accounts are under legal hold`);
  }
}

export function legalHoldOf(path: string, account: string): LegalHold | null {
  return readLegalHolds(path).find((one) => one.account === account.toLowerCase()) ?? null;
}

/** An existing hold keeps its time. */
export function setLegalHold(path: string, { account, since, reason }: LegalHold): void {
  const name = account.toLowerCase();
  const holds = readLegalHolds(path);
  const before = holds.find((one) => one.account === name);
  const others = holds.filter((one) => one.account !== name);
  const kept = {
    account: name,
    since: before?.since ?? since,
    reason: reason === "" ? (before?.reason ?? "") : reason,
  };
  writeRecord(path, { holds: [...others, kept] });
}

export function liftLegalHold(path: string, account: string): void {
  writeRecord(path, { holds: readLegalHolds(path).filter((one) => one.account !== account.toLowerCase()) });
}
