import { readFileSync } from "node:fs";
import { messageOf } from "../../core/error.ts";
import { readWebSettings, type WebSettings } from "../../settings/for-web.ts";
import type { Layout } from "../../settings/layout.ts";

type Read = Readonly<{ ok: true; settings: WebSettings }> | Readonly<{ ok: false; reason: string }>;

/** The part of the settings that root wrote for the web (`settings/for-web.ts`). */
export function readSettings({ webSettings }: Layout): Read {
  let text: string;
  try {
    text = readFileSync(webSettings, "utf8");
  } catch (error) {
    return {
      ok: false,
      reason: `${webSettings} cannot be read: ${messageOf(error)}.`,
    };
  }
  const read = readWebSettings(text);
  return read.ok ? read : { ok: false, reason: read.problems.map(({ says }) => says).join(" ") };
}
