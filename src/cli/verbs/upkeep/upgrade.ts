import { basename } from "node:path";
import { waitingUpdates } from "../../../adapters/machine/updates.ts";
import { type Schema, schemasOf, unusableSchema } from "../../../adapters/sqlite/schemas.ts";
import type { Unless, UpdateFigures } from "../../../core/report/facts.ts";
import { inMb, plural } from "../../../core/text.ts";
import { COMPONENTS } from "../../../render/components.ts";
import { type CommandCall, type CommandOutcome, done, failed, PROGRAM, wrongUsage } from "../../call.ts";
import { columns } from "../../print/text.ts";
import { configCheck } from "../settings/config.ts";

/** What a restart with the version that is here would change. */
export type UpgradePlan = Readonly<{
  /** Of the programs that the server runs, null if they note none; and of those here. */
  version: Readonly<{ installed: string | null; here: string | null }>;
  /** Files of the programs that would be replaced. */
  programs: readonly string[];
  databases: readonly Readonly<{ name: string; schema: number; becomes: number }>[];
  /** How much room the snapshot and the new schemas take; null if no schema changes. */
  neededBytes: number | null;
  components: readonly Readonly<{ service: string; packages: readonly string[] }>[];
  /** How many other packages wait; null if apt cannot be asked. */
  otherPackages: number | null;
  /** Why the start would fail. */
  obstacles: readonly string[];
}>;

/** `upgrade --check`. */
export async function upgrade(call: CommandCall): Promise<CommandOutcome> {
  if (!call.flag("check"))
    return wrongUsage("`upgrade` only tells what would change: give --check.", `\`${PROGRAM} restart\` upgrades.`);
  if (process.getuid?.() !== 0) return failed("Only root can look at that.", `Try: sudo ${PROGRAM} upgrade --check`);
  const plan = await planUpgrade(call);
  const lines = printPlan(plan);
  if (plan.obstacles.length > 0)
    return {
      ...failed("The new version would not start.", `Settle that, then \`${PROGRAM} upgrade --check\` again.`),
      found: { lines: [...lines.split("\n"), ...plan.obstacles.map((one) => `- ${one}`)], json: plan },
    };
  return isUpToDate(plan) ? done(plan, lines) : done(plan, lines, `${PROGRAM} restart`);
}

async function planUpgrade(call: CommandCall): Promise<UpgradePlan> {
  const { layout } = call;
  const [{ CHECKOUT }, { changedPrograms }, { whyNotAgain }, { isOld, lackOfSpace, spaceNeeded }, { releaseIn }] =
    await Promise.all([
      import("../../../daemon/set-up/checkout.ts"),
      import("../../../daemon/set-up/build/program.ts"),
      import("../../../daemon/set-up/upgrade/taken-back.ts"),
      import("../../../daemon/set-up/upgrade/upgrade-snapshot.ts"),
      import("../../../daemon/set-up/build/version-in.ts"),
    ]);
  const schemas = schemasOf(layout);
  // As `restart` checks them: the variables given here do not reach the server.
  const [programs, updates, settings] = await Promise.all([
    changedPrograms(CHECKOUT, layout),
    waitingUpdates(),
    configCheck({ ...call, env: {} }),
  ]);
  const found = settings.ok ? [] : (settings.found?.lines ?? []);
  const wrong = settings.ok || found.length > 0 ? found : [settings.message];
  const ofData = [unusableSchema(schemas), whyNotAgain(layout, schemas), lackOfSpace(layout, schemas)].filter(
    (one) => one !== null,
  );
  return {
    version: { installed: releaseIn(layout.program), here: releaseIn(CHECKOUT) },
    programs,
    databases: schemas.map(databaseOf),
    neededBytes: schemas.some(isOld) ? spaceNeeded(layout) : null,
    ...waitingOf(updates),
    obstacles: [...ofData, ...wrong.map((line) => line.replace(/^- /, ""))],
  };
}

function databaseOf({ path, version, known }: Schema): UpgradePlan["databases"][number] {
  return { name: basename(path), schema: version, becomes: known };
}

/** Exported for its test. */
export function waitingOf(updates: Unless<UpdateFigures>): Pick<UpgradePlan, "components" | "otherPackages"> {
  if (!updates.known) return { components: [], otherPackages: null };
  const waiting = new Map(updates.packages.map((one) => [one.name, `${one.name} ${one.version}`]));
  const components = Object.entries(COMPONENTS).flatMap(([service, names]) => {
    const packages = names.flatMap((name) => waiting.get(name) ?? []);
    return packages.length === 0 ? [] : [{ service, packages }];
  });
  const others = waiting.size - components.flatMap(({ packages }) => packages).length;
  return { components, otherPackages: others };
}

function isUpToDate({ programs, databases }: UpgradePlan): boolean {
  return programs.length === 0 && databases.every(({ schema, becomes }) => schema === becomes);
}

/** Exported for its test. */
export function printPlan(plan: UpgradePlan): string {
  const { version, programs, databases, neededBytes, components, otherPackages } = plan;
  const versions = `${version.installed ?? "an unknown version"} is installed, ${version.here ?? "an unknown version"} is here`;
  const program = programs.length === 0 ? "nothing changes" : `${plural(programs.length, "file")} would be replaced`;
  const rows = [
    ["Programs", `${versions}: ${program}`],
    ...databases.map(({ name, schema, becomes }) => [
      name,
      schema === becomes ? `schema ${schema} stays` : `schema ${schema} becomes ${becomes}`,
    ]),
    ...(neededBytes === null
      ? []
      : [["Snapshot", `made before, for \`${PROGRAM} rollback\`; ${inMb(neededBytes)} MB are needed`]]),
    ...components.map(({ service, packages }) => [
      service,
      `waits for \`apt-get --with-new-pkgs upgrade\`: ${packages.join(", ")}`,
    ]),
    [
      "Debian",
      otherPackages === null ? "apt-get cannot be asked" : `${plural(otherPackages, "other package")} waiting`,
    ],
    ["Restart", isUpToDate(plan) ? "not needed" : "every service, once; mail programs connect again"],
  ];
  return columns(rows);
}
