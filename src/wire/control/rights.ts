import { type Origin, type Verb, verbs } from "./control.ts";

export function mayAsk(origin: Origin, verb: Verb): boolean {
  const from: readonly Origin[] = verbs.get(verb)?.from ?? [];
  return from.includes(origin);
}

const OWN = /^(?:web|watch)$/;
/** The format that `actorOf` of the API writes. */
const ON_BEHALF = /^(?:admin|token [A-Za-z0-9_.-]{1,64}) via [0-9a-f.:]{2,45}$/;

/**
 * The actor for the record. A name from the web stays behind `web:`, and only if it has the web's own format for
 * callers, so it cannot pass for another actor.
 */
export function actorFrom(origin: Origin, by: string): string {
  if (origin === "root") return by;
  return OWN.test(by) || ON_BEHALF.test(by) ? `web:${by}` : "web:unnamed";
}
