import { integer, text } from "../columns.ts";
import { openAccountsForReading } from "../open.ts";

/** An account, for comparison with the followed file. `followed` is null for an account made by command. */
export type FollowedRow = Readonly<{
  name: string;
  hash: string;
  quotaBytes: number | null;
  followed: string | null;
}>;

/** For root only, because it reads password hashes. Another process keeps the file open, so a reader may come and go. */
export function readFollowed(path: string): readonly FollowedRow[] {
  const db = openAccountsForReading(path);
  try {
    return db
      .prepare("SELECT name, password, quota_bytes, followed FROM account")
      .all()
      .map((row) => ({
        name: text(row["name"]),
        hash: text(row["password"]),
        quotaBytes: row["quota_bytes"] === null ? null : integer(row["quota_bytes"]),
        followed: row["followed"] === null ? null : text(row["followed"]),
      }));
  } finally {
    db.close();
  }
}
