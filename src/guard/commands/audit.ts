import type { Page, PageRequest } from "../../admin/declare/paging.ts";
import type { AuditEntry } from "../../core/audit/chain.ts";
import type { Engine } from "../engine.ts";
import { recordDone } from "./record-first.ts";
import type { RunsOf } from "./run-of.ts";

type AuditCommandParts = Readonly<{
  engine: Pick<Engine, "audit">;
  /** Newest first; the cursor is an id. There is no total, because the web may ask often and up to 500,000 entries are kept. */
  audited: Readonly<{ entries(asked: PageRequest): Page<AuditEntry> }>;
}>;

export const AUDIT_RUNS = {
  /** Audits what root only reads, or does where the guard cannot write. A legal hold may be on a removed account. */
  record: ({ engine }, { type, subject }, by) => recordDone(engine, { type, subject, by }, { done: true }),
  audit_list: ({ audited }, asked) => ({ ok: true, result: audited.entries(asked) }),
} satisfies RunsOf<AuditCommandParts>;
