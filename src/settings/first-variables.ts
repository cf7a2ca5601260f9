import { type SettingKey, variableOf } from "./schema.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that the first start writes into the file; the profile only if it is not the default. */
export const WRITTEN_FIRST = ["domains", "hostname", "profile"] as const satisfies readonly SettingKey[];

const PREFIX = "GHOSTINBOX_";
const FIRST_PREFIX = "GHOSTINBOX_FIRST_";

/** By their names for programs: the variables whose values the first start wrote into the file. */
export const FIRST_VARIABLES: ReadonlyMap<string, SettingKey> = new Map(
  WRITTEN_FIRST.map((key) => [firstName(variableOf(key)), key]),
);

/**
 * The environment in which a variable of `written`, and one with the same value as at the first start, counts only where
 * the file says nothing: the file has taken it over. So later edits of the file hold, even after a restart with the same
 * environment. With another value it wins over the file, as any variable does. `started`: of the last start.
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
  return variable.replace(PREFIX, FIRST_PREFIX);
}
