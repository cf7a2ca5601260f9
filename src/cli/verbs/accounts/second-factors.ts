import { plural } from "../../../core/text.ts";
import type { FactorsReset } from "../../../wire/control/results.ts";
import { type CommandCall, type CommandOutcome, done, PROGRAM } from "../../call.ts";

/** `admin reset-2fa`: for an owner without the phone, and after somebody else may have set up a factor. */
export async function adminResetFactors(call: CommandCall): Promise<CommandOutcome> {
  const asked = await call.guard.ask<"factors_reset">({ verb: "factors_reset" });
  if (!asked.ok) return asked;
  const sessions = `${plural(asked.result.ended, "session")} ended.`;
  return done(asked.result, `${factorsRemoved(asked.result)} ${sessions} The password alone signs in now.`);
}

export function factorsRemoved({ factors, passkeyNames: passkeys }: FactorsReset): string {
  if (factors === 0) return "The dashboard had no second factor.";
  return [
    ...(factors > passkeys.length ? ["The dashboard's second factor was removed."] : []),
    ...(passkeys.length > 0 ? [`Passkeys removed: ${passkeys.join(", ")}.`] : []),
  ].join(" ");
}

/** What to know after a new password; empty: the password alone signs in. */
export async function stayingFactors({ guard }: CommandCall): Promise<string> {
  const asked = await guard.ask<"factor_list">({ verb: "factor_list" });
  if (!asked.ok) return "";
  const { totp } = asked.result;
  const passkeys = asked.result.passkeys.map(({ name }) => name);
  const app = totp ? ["The second factor stays."] : [];
  const keys = passkeys.length > 0 ? [`These passkeys stay, and need no password: ${passkeys.join(", ")}.`] : [];
  if (app.length + keys.length === 0) return "";
  return ` ${[...app, ...keys].join(" ")} \`${PROGRAM} admin reset-2fa\` removes ${keys.length === 0 ? "it" : "them"}.`;
}
