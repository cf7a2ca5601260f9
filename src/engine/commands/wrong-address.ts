import { printable } from "../../core/text.ts";
import type { CommandError } from "../../wire/control/control.ts";

export function wrongAddress(text: string): CommandError {
  const shown = printable(text, 80);
  return {
    ok: false,
    kind: "usage",
    message: `“${shown}” is not a mail address.`,
    next: "Write it as alice@example.org.",
  };
}
