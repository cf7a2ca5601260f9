import { printable } from "../../core/text.ts";
import type { Command, Reply } from "../../wire/control/control.ts";
import type { Engine } from "../engine.ts";
import { UNRECORDED } from "./unrecorded.ts";

/** Records what root did about an incident, so that it is part of the audit's chain. */
export async function incidentNote(
  { engine }: Readonly<{ engine: Engine }>,
  { incident, step, says }: Extract<Command, { readonly verb: "incident_note" }>,
  by: string,
): Promise<Reply<"incident_note">> {
  const subject = printable(`${incident} ${step}: ${says}`, 600);
  return (await engine.audit({ type: "INCIDENT", subject, by })) ? { ok: true, result: { done: true } } : UNRECORDED;
}
