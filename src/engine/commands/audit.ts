import type { AuditEntry } from "../../core/audit/chain.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import type { Page, PageRequest } from "../../wire/control/paging.ts";

export type AuditCommandParts = Readonly<{
  /** Newest first; the cursor is an id. */
  audited: Readonly<{ entries(asked: PageRequest): Page<AuditEntry> }>;
}>;

type Asked = Extract<Command, { readonly verb: "audit_list" }>;

/** Lists what administrators did, a page at a time. Does not count the total: the web may ask often, and 100,000 entries are kept. */
export function auditList({ audited }: AuditCommandParts, asked: Asked): Reply<"audit_list"> {
  return { ok: true, result: audited.entries(asked) };
}
