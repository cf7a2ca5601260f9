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

export function toneOf(type: string): "bad" | "warn" | "good" | "plain" {
  if (/^BAN$|_(REFUSED|BLOCKED)$/.test(type)) return "bad";
  if (/_(FAILED|DEFERRED|HELD)$/.test(type)) return "warn";
  return /_(SUCCEEDED|ACCEPTED|DELIVERED)$/.test(type) ? "good" : "plain";
}
