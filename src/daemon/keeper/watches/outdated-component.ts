import { statSync } from "node:fs";
import { PACKAGE_FILES, type PackageFiles, unpackedAt } from "../../../adapters/machine/packages.ts";
import { replacedIn } from "../../../adapters/machine/replaced-code.ts";
import { COMPONENTS, type Component } from "../../../render/components.ts";
import { withDescendants } from "../../set-up/running/read-processes.ts";
import { pidFile, pidOf } from "../../set-up/running/supervise.ts";

/** Where packages put programs and libraries. Other mapped files may be removed while they are used. */
const OF_PACKAGES = /^\/(?:usr|lib\w*|s?bin)\//;

/**
 * What was replaced since a component started: one of its packages, or a library that it has loaded. Null if nothing, or if it does
 * not run.
 */
export function replacedSinceStart(
  component: Component,
  services: string,
  files: PackageFiles = PACKAGE_FILES,
  ofPackages: RegExp = OF_PACKAGES,
): string | null {
  const pid = pidOf(services, component);
  if (pid === null) return null;
  const startedAt = statSync(pidFile(services, component), { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
  // After the clock was set back the times are unknown.
  const now = Date.now();
  const isNew = (name: string): boolean => {
    const at = unpackedAt(name, files);
    return at !== null && at > startedAt && at <= now;
  };
  const name = COMPONENTS[component].find(isNew);
  if (name !== undefined) return `package ${name}`;
  const gone = withDescendants(new Set([pid])).flatMap((one) => replacedIn(one.pid));
  return gone.find((file) => ofPackages.test(file)) ?? null;
}
