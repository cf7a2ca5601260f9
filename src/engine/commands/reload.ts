import { isSettingKey, settingKeys, variableOf } from "../../settings/schema.ts";
import type { SettingProblem } from "../../settings/setting.ts";
import type { CommandError, Reply } from "../../wire/control/control.ts";
import type { Engine } from "../engine.ts";
import type { Outcome } from "../ports.ts";

type Failed = Extract<Outcome, { ok: false }>;

export type ReloadCommandParts = Readonly<{
  /** Reloads the settings and returns the names of changed ones. */
  reload: () => Readonly<{ ok: true; changed: readonly string[] }> | Failed;
  /** Returns what a reload would change, and the present value of each as text. */
  pending: () => Readonly<{ ok: true; changed: readonly string[]; inForce: readonly string[] }> | Failed;
  engine: Pick<Engine, "audit">;
}>;

export function pending({ pending: readSettings }: Pick<ReloadCommandParts, "pending">): Reply<"pending"> {
  const outcome = readSettings();
  if (!outcome.ok) return unreadable(outcome.reason);
  const { changed, inForce } = outcome;
  return { ok: true, result: { changed, inForce } };
}

export async function reload(
  { reload: readSettings, engine }: Pick<ReloadCommandParts, "reload" | "engine">,
  by: string,
): Promise<Reply<"reload">> {
  const outcome = readSettings();
  if (!outcome.ok) return unreadable(outcome.reason);
  const subject = outcome.changed.join(", ") || "nothing changed";
  const recorded = await engine.audit({ type: "SETTINGS_APPLIED", subject, by });
  // The settings are in force either way, and the caller must know which: it restarts programs with them.
  return { ok: true, result: { changed: outcome.changed, recorded } };
}

/** For the web, which may not see settings that the guard hides from it: only where the mistakes are, without the text there. */
export function wrongFile(problems: readonly SettingProblem[]): CommandError {
  const places = problems.map(({ where, line }) => {
    const named = isSettingKey(where) || isVariable(where) ? where : null;
    if (line === null) return named ?? "the file as a whole";
    return named === null ? `line ${line}` : `line ${line} (${named})`;
  });
  const message = `The settings file has mistakes: ${places.join(", ") || "the file as a whole"}.`;
  return { ...unreadable(message), next: "`config check` on the server tells what is wrong." };
}

function isVariable(name: string): boolean {
  return settingKeys().some((key) => variableOf(key) === name);
}

export function unreadable(message: string): CommandError {
  return { ok: false, kind: "failed", message, next: "`config check` lists every problem." };
}
