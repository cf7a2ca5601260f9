import * as z from "zod/mini";
import { rowsSchema } from "./rows.ts";

/** A snapshot's description of itself, at its top. */
export const MANIFEST = "backup.json";

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
  /** For the databases. Missing in earlier snapshots. */
  rows: z.exactOptional(rowsSchema),
});
export type Manifest = Readonly<z.output<typeof schema>>;

export function parseManifest(text: string): Manifest | null {
  try {
    const read = z.safeParse(schema, JSON.parse(text));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
