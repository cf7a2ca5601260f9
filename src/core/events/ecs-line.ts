import type { ShownEvent } from "./columns.ts";
import { ecsOf } from "./ecs.ts";

/** One event as one line of JSON. Nested objects, because not every program splits names at their dots. */
export function ecsLine(event: ShownEvent): string {
  const root: Nested = {};
  for (const [name, value] of Object.entries(ecsOf(event))) put(root, name.split("."), value);
  return JSON.stringify(root).replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Characters that JSON allows but a terminal obeys, or a line reader takes for a line end. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

interface Nested {
  [name: string]: Nested | Leaf;
}
type Leaf = string | number | readonly string[];

function put(into: Nested, [first = "", ...rest]: readonly string[], value: Leaf): void {
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  const within = into[first];
  const inner = isNested(within) ? within : {};
  into[first] = inner;
  put(inner, rest, value);
}

function isNested(value: Nested | Leaf | undefined): value is Nested {
  return typeof value === "object" && !Array.isArray(value);
}
