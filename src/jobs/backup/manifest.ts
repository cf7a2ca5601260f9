import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod/mini";
import { parseAs } from "../../core/parse-as.ts";
import type { Layout } from "../../settings/layout.ts";

/** A snapshot's description of itself, at its top. */
export const MANIFEST = "backup.json";

/** The number of rows of a table, and the SHA-256 of all of them. */
const rows = z.object({ count: z.number(), sha256: z.string() });
const rowsSchema = z.object({ accounts: rows, aliases: rows, bans: rows, tokens: rows });
export type Rows = Readonly<z.output<typeof rowsSchema>>;

const schema = z.object({
  format: z.literal(1),
  at: z.number(),
  host: z.string(),
  version: z.string(),
  data: z.string(),
  /** Mails in mailboxes, and in the queue. */
  mails: z.number(),
  queued: z.number(),
  /** Mails of each account that has a mailbox. Missing in earlier snapshots. */
  accounts: z.exactOptional(z.record(z.string(), z.number())),
  /** Of the databases. Missing in earlier snapshots. */
  rows: z.exactOptional(rowsSchema),
  /** Variables that gave the server settings: no backup holds their values. Missing in earlier snapshots. */
  variables: z.exactOptional(z.array(z.string())),
});
export type Manifest = Readonly<z.output<typeof schema>>;

export function parseManifest(text: string): Manifest | null {
  return parseAs(schema, text);
}

/** A server's data in addition to mails and settings: each table with all its columns, including the hashes of passwords. */
const TABLES = {
  accounts: ["accountsDb", "account ORDER BY name"],
  aliases: ["accountsDb", "alias ORDER BY address, target"],
  bans: ["engineDb", "ban WHERE ended_at IS NULL ORDER BY id"],
  tokens: ["accountsDb", "token ORDER BY name"],
} as const satisfies Record<keyof Rows, readonly ["accountsDb" | "engineDb", string]>;

export const tables = z.keyof(rowsSchema).options;

/** For databases that no program changes at the same time. */
export function rowsOf(layout: Pick<Layout, "accountsDb" | "engineDb">): Rows {
  const read = (table: keyof Rows) => digest(layout[TABLES[table][0]], TABLES[table][1]);
  return { accounts: read("accounts"), aliases: read("aliases"), bans: read("bans"), tokens: read("tokens") };
}

function digest(path: string, from: string): z.output<typeof rows> {
  using db = new DatabaseSync(path, { readOnly: true });
  const statement = db.prepare(`SELECT * FROM ${from}`);
  statement.setReadBigInts(true);
  const printed = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  const hash = createHash("sha256");
  let count = 0;
  for (const row of statement.iterate()) {
    hash.update(`${JSON.stringify(row, printed)}\n`);
    count += 1;
  }
  return { count, sha256: hash.digest("hex") };
}
