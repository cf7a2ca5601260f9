/**
 * Indented JSON in which an object of plain values inside a list is on one line, so `grep ADDRESS` shows the whole ban
 * or event.
 */
export function printJson(value: unknown): string {
  return print(value, "", false);
}

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** JSON on one line. Escapes what would control a terminal, which changes no value. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value ?? null).replace(UNPRINTABLE, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

function print(value: unknown, indent: string, listed: boolean): string {
  if (!isObject(value)) return jsonLine(value);
  const members = membersOf(value);
  const flat = listed && members.every(([, member]) => isPlain(member));
  if (flat || members.length === 0) return onOneLine(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const lines = members.map(
    ([key, member]) => inner + (isList ? "" : `${jsonLine(key)}: `) + print(member, inner, isList),
  );
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

function onOneLine(value: unknown): string {
  if (!isObject(value)) return jsonLine(value);
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(", ")}]`;
  const members = membersOf(value).map(([key, member]) => `${jsonLine(key)}: ${onOneLine(member)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function membersOf(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).filter(([, member]) => member !== undefined);
}

/** A scalar or a list of scalars. */
function isPlain(value: unknown): boolean {
  return !isObject(value) || (Array.isArray(value) && !value.some(isObject));
}
