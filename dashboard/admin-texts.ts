import { t as shared, textsOf } from "./messages.ts";
import type * as english from "./texts/english-admin.ts";

const admin = await textsOf<typeof english>({
  en: () => import("./texts/english-admin.ts"),
  de: () => import("./texts/german-admin.ts"),
});

export const t = { ...shared, ...admin };

/** A type that the page does not know yet is shown by its own name. */
export function eventName(type: string): string {
  const names: Readonly<Record<string, string>> = t.eventNames;
  return names[type] ?? type.replaceAll("_", " ").toLowerCase();
}

type Tone = "bad" | "warn" | "good" | "plain";

export function toneOf(type: string): Tone {
  if (type === "BAN" || type.endsWith("_REFUSED") || type.endsWith("_BLOCKED")) return "bad";
  if (type.endsWith("_FAILED") || type.endsWith("_DEFERRED") || type.endsWith("_HELD")) return "warn";
  if (type.endsWith("_SUCCEEDED") || type.endsWith("_ACCEPTED") || type.endsWith("_DELIVERED")) return "good";
  return "plain";
}
