import { printable } from "../core/text.ts";
import { lastWord } from "../daemon/set-up/last-words.ts";
import { lockHolder } from "../daemon/set-up/lock.ts";
import { supervised } from "../daemon/set-up/supervised.ts";
import { type Layout, serviceLog } from "../settings/layout.ts";
import { type CommandFailure, NOT_RUNNING } from "./call.ts";
import { notRunning } from "./no-server.ts";

const WORD_CHARACTERS = 1_000;

/**
 * Why no guard listens. While `npm start` runs, only the guard is missing: mail is accepted, and another `npm start`
 * would be refused.
 */
export function whyDown(layout: Layout): CommandFailure {
  const guard = supervised(layout.services, "guard");
  if (guard === null || lockHolder(layout.startPid) === null) return notRunning(layout);
  const service = `${layout.services}/guard`;
  if (guard.isStopped)
    return {
      ...NOT_RUNNING,
      message:
        "The guard was stopped, while the other services run: mail is accepted, but nothing is counted or banned.",
      next: `Start it with \`sv up ${service}\`.`,
    };
  const word = lastWord(layout, "guard");
  return {
    ...NOT_RUNNING,
    message: `The guard does not run: mail is accepted, but nothing is counted or banned.${
      word === null ? "" : ` Its last words: ${printable(word, WORD_CHARACTERS)}`
    }`,
    next: `It starts by itself once the cause is gone. Its log: ${serviceLog(layout, "guard")}`,
  };
}
