import { SettingsUnreadable } from "../../adapters/machine/settings-text.ts";
import { codeOf } from "../../core/error.ts";
import { SCRIPT } from "../../settings/script/adopt-edits.ts";
import type { CommandCall, CommandFailure } from "../call.ts";
import { environmentOf, invalid } from "./server-settings.ts";

export type AdoptedScript = Readonly<{
  ok: true;
  /** Sentences, each about an edit. */
  says: readonly string[];
  warnings: readonly Readonly<{ where: string; says: string }>[];
}>;

/** What was edited in `security/security.js`: with `isTrial` only told, else written to the settings file. */
export async function adoptedScript(
  call: Pick<CommandCall, "layout" | "env">,
  { isTrial }: Readonly<{ isTrial: boolean }>,
): Promise<AdoptedScript | CommandFailure> {
  const [{ adoptScript }, { CHECKOUT }] = await Promise.all([
    import("../../daemon/set-up/adopt-script.ts"),
    import("../../daemon/set-up/checkout.ts"),
  ]);
  try {
    const adopted = adoptScript(CHECKOUT, call.layout, environmentOf(call), isTrial);
    if (!adopted.ok) return invalid(adopted.problems);
    const { says } = adopted;
    return { ok: true, says, warnings: says.map((one) => ({ where: SCRIPT, says: one })) };
  } catch (error) {
    // What reads the settings next tells why they cannot be read.
    if (codeOf(error) !== "EACCES" && !(error instanceof SettingsUnreadable)) throw error;
    return { ok: true, says: [], warnings: [] };
  }
}
