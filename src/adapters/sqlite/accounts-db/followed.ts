import { text } from "../columns.ts";
import { openAccountsForReading } from "../open.ts";

/** An account as a followed file must be compared with it. `followed` is null for one made by command. */
export type FollowedRow = Readonly<{ name: string; hash: string; followed: string | null }>;

/** For root alone: it holds the passwords' hashes. Another process holds the file open, so a reader may come and go. */
export function readFollowed(path: string): readonly FollowedRow[] {
  const db = openAccountsForReading(path);
  try {
    return db
      .prepare("SELECT name, password, followed FROM account")
      .all()
      .map((row) => ({
        name: text(row["name"]),
        hash: text(row["password"]),
        followed: row["followed"] === null ? null : text(row["followed"]),
      }));
  } finally {
    db.close();
  }
}
