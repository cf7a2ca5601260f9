/** A Debian package that is unpacked here, as dpkg(1) knows it. */
export type Package = Readonly<{
  name: string;
  provides: readonly string[];
  /** Its dependencies: one of each group. Versions are left to apt. */
  needs: readonly (readonly string[])[];
}>;

/** For dpkg-query(1), one line for each package. */
export const PACKAGE_FORMAT = "${db:Status-Status}\t${Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n";
const WITHOUT_PROGRAMS = ["not-installed", "config-files"];

/** Lines of `PACKAGE_FORMAT`. */
export function parsePackages(text: string): readonly Package[] {
  return text.split("\n").flatMap((line): readonly Package[] => {
    const [status = "", name = "", provides = "", needs = ""] = line.split("\t");
    if (name === "" || WITHOUT_PROGRAMS.includes(status)) return [];
    return [{ name, provides: namesIn(provides, ","), needs: needs.split(",").map((group) => namesIn(group, "|")) }];
  });
}

/** Lines of `PACKAGE_FORMAT` again: removed packages of which only the configuration is here. */
export function onlyConfigured(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => /^config-files\t([^\t]+)\t/.exec(line)?.[1] ?? []);
}

/** The candidates that no remaining package needs. */
export function removable(candidates: readonly string[], here: readonly Package[]): readonly string[] {
  const going = new Set(candidates.filter((name) => here.some((one) => one.name === name)));
  const offers = Map.groupBy(
    here.flatMap(({ name, provides }) => [name, ...provides].map((offered) => ({ offered, name }))),
    ({ offered }) => offered,
  );
  // A package that is kept has dependencies too, so the queue grows.
  const staying = here.filter(({ name }) => !going.has(name));
  for (const { needs } of staying)
    for (const group of needs) {
      const offering = group.flatMap((wanted) => offers.get(wanted) ?? []).map(({ name }) => name);
      if (offering.some((name) => !going.has(name))) continue;
      for (const name of offering) {
        going.delete(name);
        staying.push(...here.filter((one) => one.name === name));
      }
    }
  return [...going];
}

/** For apt-get(8): it lists its actions, and does nothing. A simulation (-s) takes half as long again. */
export const AS_LISTS = ["--print-uris", "-o", "quiet=1", "-o", "APT::Get::Show-Versions=false"];

/** The packages that apt would remove, from its lists. */
export function listedAsRemoved(plan: string): readonly string[] {
  const list = /^The following packages will be REMOVED:\n((?: .*\n)+)/m.exec(plan)?.[1] ?? "";
  // A star means that its configuration is removed too.
  return [...list.matchAll(/[^\s*]+/g)].map(([name]) => name);
}

/** Names without version and architecture (deb-control(5)): `libc6:any (>= 2.34)`. */
function namesIn(text: string, separator: string): readonly string[] {
  return text.split(separator).flatMap((part) => /^\s*([a-z0-9][a-z0-9+.-]+)/.exec(part)?.[1] ?? []);
}
