import type { ParsedCommandOf } from "../../admin/declare/control.ts";
import type { Page, PageRequest } from "../../admin/declare/paging.ts";
import type { AuditEntry } from "../../core/audit/chain.ts";
import type { Audit } from "../../core/events/command.ts";
import { printable } from "../../core/text.ts";
import type { AccountCommandParts } from "./accounts/accounts.ts";
import { recordDone } from "./record-first.ts";
import type { RunOf } from "./refusals.ts";

type RecordCommand = ParsedCommandOf<"legal_hold" | "access_reviewed" | "recovery_key_made" | "firewall_changed">;

const FIREWALL = {
  tried: "FIREWALL_TRIED",
  confirmed: "FIREWALL_CONFIRMED",
  rolled_back: "FIREWALL_ROLLED_BACK",
} as const;

/**
 * Audits what root does where the guard cannot write, or only reads. A legal hold may be on a removed
 * account.
 */
export const recordCommand: RunOf<RecordCommand["verb"], Pick<AccountCommandParts, "engine">> = async (
  { engine },
  command,
  by,
) => {
  if (command.verb !== "legal_hold") return recordDone(engine, { ...seenOf(command), by }, { done: true });
  const { name } = command;
  const type = command.isOn ? "LEGAL_HOLD_SET" : "LEGAL_HOLD_LIFTED";
  return recordDone(engine, { type, subject: name, by }, { name });
};

function seenOf(command: Exclude<RecordCommand, { readonly verb: "legal_hold" }>): Pick<Audit, "type" | "subject"> {
  switch (command.verb) {
    case "access_reviewed":
      return { type: "ACCESS_REVIEWED", subject: command.summary };
    case "recovery_key_made":
      return { type: "RECOVERY_KEY_MADE", subject: command.fingerprint };
    case "firewall_changed":
      return { type: FIREWALL[command.step], subject: command.opening };
  }
}

/** Records what root did about an incident, so that it is part of the audit's chain. */
export const incidentNote: RunOf<"incident_note", Pick<AccountCommandParts, "engine">> = async (
  { engine },
  { incident, step, says },
  by,
) => {
  const subject = printable(`${incident} ${step}: ${says}`, 600);
  return recordDone(engine, { type: "INCIDENT", subject, by }, { done: true });
};

export type AuditCommandParts = Readonly<{
  /** Newest first; the cursor is an id. Without a total: the web may ask often, and 100,000 entries are kept. */
  audited: Readonly<{ entries(asked: PageRequest): Page<AuditEntry> }>;
}>;
