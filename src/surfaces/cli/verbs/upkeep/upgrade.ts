import { basename } from "node:path";
import { messageOf } from "../../../../core/error.ts";
import { formatBytes, type Unless, type UpdateFigures } from "../../../../core/report/figures.ts";
import { RENEW_IMAGE } from "../../../../core/report/todo.ts";
import { inMb, plural } from "../../../../core/text.ts";
import { COMPONENTS } from "../../../../host/debian/packages.ts";
import { waitingUpdates } from "../../../../host/debian/updates.ts";
import { textOrNothing } from "../../../../host/machine/read-text.ts";
import { bytesBelow } from "../../../../host/root-files/walk.ts";
import { CHECKOUT, IS_IMAGE, IS_PACKAGED, releaseIn } from "../../../../host/running/checkout.ts";
import { lockHolder, releaseLock, takeLock, usedElsewhere } from "../../../../host/running/data-directory.ts";
import { processesOf } from "../../../../host/running/processes.ts";
import { startCommand, stopCommand } from "../../../../host/running/server-commands.ts";
import { VARIABLES_FILE } from "../../../../host/running/systemd.ts";
import { variablesOfUnit, whyNotByUnits } from "../../../../host/running/units.ts";
import { changedPrograms } from "../../../../jobs/build/program.ts";
import { changesToLose, rollBack, startedAside, whyNoRollback } from "../../../../jobs/upgrade/rollback.ts";
import {
  describeSnapshot,
  inSnapshot,
  isOld,
  obstaclesInData,
  readSnapshot,
  spaceNeeded,
  type UpgradeSnapshot,
} from "../../../../jobs/upgrade/upgrade-snapshot.ts";
import { DEFAULT_DATA_DIRECTORY, type Layout, layoutOf } from "../../../../settings/layout.ts";
import { schemasOf } from "../../../../store/schemas.ts";
import { type Answer, type Call, done, failed, PROGRAM, whyNotSure, wrongUsage } from "../../call.ts";
import { changedSettings, changesText, comesBack, readIfThere } from "../../print/comes-back.ts";
import { columns, oneLine } from "../../print/text.ts";
import { configCheck } from "../settings/config.ts";

export type UpgradePlan = Readonly<Awaited<ReturnType<typeof planUpgrade>>>;

export async function upgrade(call: Call): Promise<Answer> {
  if (!call.flag("check"))
    return wrongUsage("`upgrade` only shows what would change: give --check.", `\`${RESTART}\` upgrades.`);
  const plan = await planUpgrade(call);
  const lines = printPlan(plan);
  if (plan.obstacles.length > 0)
    return failed("The new version would not start.", `Fix that, then \`${PROGRAM} upgrade --check\` again.`, {
      lines: [...lines.split("\n"), ...plan.obstacles.map((one) => `- ${one}`)],
      json: plan,
    });
  return isUpToDate(plan) ? done(plan, lines) : done(plan, lines, RESTART);
}

/** With a package, `restart` would refuse what the check accepts, and keep the old main unit. */
const RESTART = IS_PACKAGED ? "systemctl restart ghostinbox" : `${PROGRAM} restart`;

/**
 * `variables`: the file that systemd reads at a package's next start, after the variables of `ofUnit`; ignores further files named by
 * `systemctl edit`. If null, the next start is a `restart`, which keeps the variables of the last start. Exported for its test.
 */
export async function planUpgrade(
  call: Call,
  variables = IS_PACKAGED ? VARIABLES_FILE : null,
  ofUnit = variablesOfUnit,
  unitDirectories?: readonly string[],
) {
  const { layout } = call;
  const schemas = schemasOf(layout);
  const given = variables === null ? null : variablesIn(await ofUnit(), variables);
  const data = given?.["GHOSTINBOX_DATA"];
  const elsewhere =
    data === undefined ? null : whyNotByUnits(layoutOf(data || DEFAULT_DATA_DIRECTORY), unitDirectories);
  const [programs, updates, settings] = await Promise.all([
    changedPrograms(layout),
    waitingUpdates(),
    configCheck(given === null ? { ...call, env: {} } : { ...call, env: given, forNextStart: true }),
  ]);
  const found = settings.ok ? [] : (settings.found?.lines ?? []);
  const wrong = settings.ok || found.length > 0 ? found : [settings.message];
  return {
    /** `installed`: the version of the programs that the server runs, null if unknown; `here`: that of this checkout. */
    version: { installed: releaseIn(layout.program), here: releaseIn(CHECKOUT) },
    programs,
    databases: schemas.map(({ path, version, known }) => ({ name: basename(path), schema: version, becomes: known })),
    /** How much room the snapshot and the new schemas take; null if no schema changes. */
    neededBytes: schemas.some(isOld) ? spaceNeeded(layout) : null,
    ...waitingOf(updates),
    obstacles: [
      ...(elsewhere === null ? [] : [elsewhere]),
      ...obstaclesInData(layout, schemas),
      ...wrong.map((line) => line.replace(/^- /, "")),
    ],
  };
}

/**
 * Variables from systemctl's output, overridden by an EnvironmentFile, which is read as in systemd.exec(5), except that a backslash
 * escapes only the end of a line. Unlike in util.parseEnv, a `#` after a value is part of it.
 */
function variablesIn(ofUnit: string, file: string): Readonly<Record<string, string>> {
  const words = ofUnit.matchAll(/"((?:\\.|[^"\\])*)"|\S+/g);
  const unquoted = Array.from(words, ([word, quoted]) => quoted?.replace(/\\(.)/g, "$1") ?? word);
  const ofWords = unquoted.map((word) => /^(\w+)=()([^]*)$/.exec(word) ?? []);
  const text = textOrNothing(file).replace(/\\([^])/g, (escape, next) => (next === "\n" ? "" : escape));
  const lines = text.matchAll(/^\s*(\w+)[ \t]*=[ \t]*(["']?)(.*?)\2\s*$/gm);
  return Object.fromEntries([...ofWords, ...lines].map(([, name = "", , value = ""]) => [name, value]));
}

type Waiting = Readonly<{
  components: readonly Readonly<{ service: string; packages: readonly string[] }>[];
  /** How many other packages have updates; null if apt-get could not be run. */
  otherPackages: number | null;
}>;

/** Exported for its test. */
export function waitingOf(updates: Unless<UpdateFigures>): Waiting {
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
export function printPlan(plan: UpgradePlan, isImage = IS_IMAGE): string {
  const { version, programs, databases, neededBytes, components, otherPackages } = plan;
  const versions = `${version.installed ?? "an unknown version"} was last started; a restart starts ${version.here ?? "an unknown version"}`;
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
      `waits for \`${isImage ? RENEW_IMAGE : "apt-get --with-new-pkgs upgrade"}\`: ${packages.join(", ")}`,
    ]),
    [
      "Debian",
      otherPackages === null ? "apt-get could not be run" : `${plural(otherPackages, "other package")} waiting`,
    ],
    ["Restart", isUpToDate(plan) ? "not needed" : "every service, once; mail programs connect again"],
  ];
  return columns(rows);
}

export async function rollback(call: Call): Promise<Answer> {
  const { layout, terminal } = call;
  const snapshot = readSnapshot(layout);
  if (snapshot === null)
    return failed(
      `No snapshot to go back to: an upgrade makes one in ${layout.beforeUpgrade} when it changes the databases.`,
      "If none did, the version that you had before can start without one: docs/upgrades.md.",
    );
  const why = whyNoRollback(layout, snapshot);
  if (why !== null) return failed(why, `\`${PROGRAM} backup list\` shows the backups.`);
  const used = await usedElsewhere(layout);
  if (used !== null) return failed(used, "");
  const running = takeLock(layout.startPid);
  if (running !== null)
    return failed(`GhostInbox is already running (pid ${running}).`, `Stop it first: ${stopCommand(layout)}`);
  try {
    if (processesOf(layout.data).length > 0)
      return failed("Parts of the server still run.", `Stop them first: ${stopCommand(layout)}`);
    // A rollback that has begun can no longer be refused, because the next start would complete it too.
    const isInterrupted = startedAside(layout) !== null;
    const lost = isInterrupted ? INTERRUPTED : lossesOf(layout, snapshot);
    const says = [
      `The snapshot is from ${describeSnapshot(snapshot)}.`,
      ...lost.says,
      "Anything added since is lost, anything removed comes back, and changes are undone. All sessions of the dashboard end. Mail stays: in the mailboxes and in the queue.",
    ];
    for (const line of says) terminal.err(oneLine(line));
    const unsure = isInterrupted ? null : await whyNotSure(call, "Go back to the snapshot?", "nothing was changed");
    if (unsure !== null) return unsure;
    // A start in another container may have taken the lock during the question, because it does not see this process.
    if (lockHolder(layout.startPid) !== process.pid)
      return failed("GhostInbox was started in the meantime: nothing was changed.", `Stop it: ${stopCommand(layout)}`);
    const made = resultOrReason(() => ({ aside: rollBack(layout, snapshot, call.now()) }));
    if (typeof made === "string") return failed(`The rollback failed: ${made}.`, "Fix that, then run it again.");
    const { aside } = made;
    const text = [
      `The databases and the settings are those of the snapshot. The former ones are in ${aside} (${formatBytes(bytesBelow(aside))}) until you delete it.`,
      ...lost.notes,
      `Install the version that you had before${snapshot.version === null ? "" : ` (${snapshot.version})`}, then start it: ${startCommand(layout)}. The newer one does not start until ${layout.takenBack} is deleted.`,
    ];
    return done({ snapshot, changes: lost.json, settingsChanged: lost.settingsChanged, aside }, text.join("\n"));
  } finally {
    releaseLock(layout.startPid);
  }
}

function lossesOf(layout: Layout, snapshot: UpgradeSnapshot) {
  const changes = resultOrReason(() => changesToLose(layout, snapshot));
  const former = readIfThere(inSnapshot(layout, snapshot, layout.settings)) ?? "";
  const newSettings = changedSettings(readIfThere(layout.settings) ?? "", former);
  const settingsChanged = newSettings.length > 0;
  if (typeof changes === "string") {
    const says = [`What was recorded since cannot be read: ${changes}.`, ...newSettings];
    return { says, settingsChanged, notes: [], json: null };
  }
  const { newKeys, audited } = changes;
  const says = [...changesText(changes), ...newSettings, ...comesBack(changes)];
  const notes = [...(newKeys.length === 0 ? [] : [KEYS]), ...(audited === 0 ? [] : [AUDIT])];
  return { says, settingsChanged, notes, json: changes };
}

/** The result or, if it throws, the error message. */
function resultOrReason<T extends object>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    return messageOf(error);
  }
}

const AUDIT = `The audit has lost its newest entries: \`${PROGRAM} audit accept "an upgrade was undone"\` once the server runs.`;

const KEYS = "Keep the accounts.db in it: it alone has the keys of mail that was encrypted since.";

/** For an interrupted rollback. It cannot compare: only root may read what was replaced, and root never opens databases. */
const INTERRUPTED = {
  says: ["A rollback was interrupted: it is completed now."],
  settingsChanged: false,
  notes: ["Keep the accounts.db in it: it may have the only keys of mail that was encrypted since."],
  json: null,
};
