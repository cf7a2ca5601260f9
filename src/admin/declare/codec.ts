import { parseJson, printable } from "../../core/text.ts";
import {
  type ControlLine,
  commandError,
  commandLine,
  type ParsedLine,
  type Reply,
  type Results,
  type Verb,
  verbs,
} from "./control.ts";
import { isObject, readFields } from "./fields.ts";

/** How much of an unknown verb the error shows. */
const VERB_CHARACTERS = 64;

/** Reads one line of the control socket: `{"by": …, "command": {"verb": …, …}}`. */
export function parseControlLine(line: string) {
  const json = parseJson(line);
  if (!isObject(json)) return malformed("The line is not a JSON object.");
  const whole = readFields(commandLine, json);
  if (!whole.ok) return malformed(whole.problem);
  const named = whole.value.command["verb"];
  const verb = typeof named === "string" && named.length <= VERB_CHARACTERS ? named : "";
  const entry = verbs.get(verb);
  if (entry === undefined) return malformed(`Unknown command "${printable(verb, VERB_CHARACTERS)}".`);
  const command = readFields(entry.schema(), whole.value.command);
  if (!command.ok) return malformed(command.problem);
  const value: ParsedLine = { ...whole.value, command: command.value };
  return { ok: true, value } as const;
}

/** A command, its reply, or a line of `watch`. */
export function printLine(line: ControlLine | Reply | Readonly<{ lastEventId: number }>): string {
  return `${JSON.stringify(line)}\n`;
}

/** Null if it is not a line of `watch`. */
export function parseWatchLine(line: string): number | null {
  const json = parseJson(line);
  if (!isObject(json)) return null;
  const id = json["lastEventId"];
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0 ? id : null;
}

/**
 * Null if it is not a reply to this verb. The rest of the result is trusted, because the guard is built from the same source and
 * no other program can listen in the socket's directory.
 */
export function parseReply<V extends Verb>(verb: V, line: string): Reply<V> | null {
  const json = parseJson(line);
  if (!isObject(json)) return null;
  const { ok, result } = json;
  if (ok === true && isResult(verb, result)) return { ok, result };
  const refused = readFields(commandError(), json);
  return refused.ok ? refused.value : null;
}

function isResult<V extends Verb>(verb: V, value: unknown): value is Results[V] {
  const answer = verbs.get(verb)?.gives.answer;
  return isObject(value) && (typeof answer !== "string" || Object.hasOwn(value, answer));
}

function malformed(message: string) {
  const next = "Use the command line and the guard of the same version.";
  return { ok: false, error: { ok: false, kind: "usage", message, next } } as const;
}
