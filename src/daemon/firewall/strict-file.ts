import { removeFile } from "../../adapters/root-files/files.ts";
import { readRecord, writeRecord } from "../../adapters/root-files/record-file.ts";
import { type StrictState, strictState, UNCONFIRMED } from "../../core/firewall/strict.ts";
import type { Layout } from "../../settings/layout.ts";

type File = Pick<Layout, "strictFirewall">;

/** An invalid file counts as not confirmed: an open port is better than a lockout. */
export function readStrict({ strictFirewall: file }: File): StrictState {
  return readRecord<StrictState>(file, strictState, UNCONFIRMED);
}

export function keepStrict({ strictFirewall: file }: File, state: StrictState): void {
  if (state.confirmed === null && state.trial === null) removeFile(file);
  else writeRecord(file, state);
}
