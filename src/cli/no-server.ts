import { existsSync } from "node:fs";
import type { Layout } from "../settings/layout.ts";
import { type CommandFailure, failed, NOT_RUNNING } from "./call.ts";

const HINT = "`--data` or GHOSTINBOX_DATA names a server's directory.";

/** The failure if the data directory has no server, because it may be the wrong one; null if it has one. */
export function noServerIn({ data, settings }: Layout): CommandFailure | null {
  return existsSync(settings) ? null : failed(`${data} has no server: it contains no ghostinbox.toml.`, HINT);
}

/** The same for commands that need a running server: a start would create a second one elsewhere. */
export function notRunning(layout: Layout): CommandFailure {
  const none = noServerIn(layout);
  if (none === null) return NOT_RUNNING;
  return { ...NOT_RUNNING, message: `${NOT_RUNNING.message} ${none.message}`, next: `${NOT_RUNNING.next} ${HINT}` };
}
