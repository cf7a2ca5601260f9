import { type SettingKey, variableOf } from "./schema.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that the first start writes into the file; the host name and the profile only if they are not the default. */
export const WRITTEN_FIRST = ["domains", "hostname", "profile"] as const satisfies readonly SettingKey[];

/** The settings whose values the first start wrote into the file, by the names that their variables then have. */
export const FIRST_VARIABLES: ReadonlyMap<string, SettingKey> = new Map(
  WRITTEN_FIRST.map((key) => [firstName(variableOf(key)), key]),
);

/**
 * Renames the variables that the file has taken over, so that they count only where the file says nothing: those of `written`, and those
 * with the same value as at the first start. Later edits of the file therefore take effect, even after a restart with the same environment.
 * A variable with another value wins over the file, as usual. `started`: the environment of the last start.
 */
export function takenOver(env: Environment, started: Environment, written: readonly string[] = []): Environment {
  const kept = Object.entries(started).filter(([name]) => FIRST_VARIABLES.has(name));
  const given = Object.entries(env).map(([name, value]): [string, string | undefined] => {
    const taken = firstName(name);
    return written.includes(name) || (value !== undefined && value === started[taken]) ? [taken, value] : [name, value];
  });
  return Object.fromEntries([...kept, ...given]);
}

function firstName(variable: string): string {
  return variable.replace("GHOSTINBOX_", "GHOSTINBOX_FIRST_");
}
