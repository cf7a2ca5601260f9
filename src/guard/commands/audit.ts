import type { Page, PageRequest } from "../../admin/declare/paging.ts";
import type { AuditEntry } from "../../core/audit/chain.ts";
import type { AccountCommandParts } from "./accounts/accounts.ts";
import { recordDone } from "./record-first.ts";
import type { RunOf } from "./refusals.ts";

/** Audits what root does where the guard cannot write, or only reads. A legal hold may be on a removed account. */
export const recordCommand: RunOf<"record", Pick<AccountCommandParts, "engine">> = async (
  { engine },
  { type, subject },
  by,
) => recordDone(engine, { type, subject, by }, { done: true });

export type AuditCommandParts = Readonly<{
  /** Newest first; the cursor is an id. Without a total: the web may ask often, and 100,000 entries are kept. */
  audited: Readonly<{ entries(asked: PageRequest): Page<AuditEntry> }>;
}>;
