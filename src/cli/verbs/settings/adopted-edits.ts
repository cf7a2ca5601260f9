import { SettingsUnreadable } from "../../../adapters/machine/settings-text.ts";
import { codeOf } from "../../../core/error.ts";
import { SCRIPT } from "../../../settings/script/adopt-edits.ts";
import type { CommandCall, CommandFailure } from "../../call.ts";
import { environmentOf, invalid } from "./server-settings.ts";

export type AdoptedEdits = Readonly<{
  ok: true;
  /** Sentences, each about an edit. */
  says: readonly string[];
  warnings: readonly Readonly<{ where: string; says: string }>[];
}>;

/** What was edited in `security/security.js` and in the owner's jail files: with `isTrial` only reported, else written to the settings file. */
export async function adoptedEdits(
  call: Pick<CommandCall, "layout" | "env">,
  { isTrial }: Readonly<{ isTrial: boolean }>,
): Promise<AdoptedEdits | CommandFailure> {
  const [{ adoptDestemail }, { adoptScript }, { CHECKOUT }] = await Promise.all([
    import("../../../daemon/set-up/adopt-destemail.ts"),
    import("../../../daemon/set-up/adopt-script.ts"),
    import("../../../daemon/set-up/checkout.ts"),
  ]);
  try {
    const adopted = adoptScript(CHECKOUT, call.layout, environmentOf(call), isTrial);
    if (!adopted.ok) return invalid(adopted.problems);
    const destemail = adoptDestemail(CHECKOUT, call.layout, environmentOf(call), isTrial);
    const warnings = [
      ...adopted.says.map((says) => ({ where: SCRIPT, says })),
      ...destemail.map((says) => ({ where: "alerts.email", says })),
    ];
    return { ok: true, says: warnings.map(({ says }) => says), warnings };
  } catch (error) {
    // What reads the settings next tells why they cannot be read.
    if (codeOf(error) !== "EACCES" && !(error instanceof SettingsUnreadable)) throw error;
    return { ok: true, says: [], warnings: [] };
  }
}
