import { existsSync } from "node:fs";
import type { Layout } from "../settings/layout.ts";
import { type CommandFailure, failed, NOT_RUNNING } from "./call.ts";

const HINT = "`--data` or GHOSTINBOX_DATA names the directory of a server.";

/** What to say where no server has its data: the directory may be a wrong one. Null where one has. */
export function noServerIn({ data, settings }: Layout): CommandFailure | null {
  return existsSync(settings) ? null : failed(`No server has its data in ${data}: it holds no ghostinbox.toml.`, HINT);
}

/** The same for what needs one that runs: a start would make a second one elsewhere. */
export function notRunning(layout: Layout): CommandFailure {
  const none = noServerIn(layout);
  if (none === null) return NOT_RUNNING;
  return { ...NOT_RUNNING, message: `${NOT_RUNNING.message} ${none.message}`, next: `${NOT_RUNNING.next} ${HINT}` };
}
