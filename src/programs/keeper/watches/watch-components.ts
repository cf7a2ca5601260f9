import { statSync } from "node:fs";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { MINUTE_MS } from "../../../core/time.ts";
import {
  COMPONENTS,
  type Component,
  isDpkgBusy,
  PACKAGE_FILES,
  type PackageFiles,
  packagesState,
  replacedIn,
  unfinishedPackages,
  unpackedAt,
} from "../../../host/debian/packages.ts";
import { listProcesses, withDescendants } from "../../../host/running/read-processes.ts";
import { pidFile, pidOf } from "../../../host/running/supervise.ts";

/** A change of the packages is handled after this many checks without a further one: packages often arrive one after another. */
const CALM_LOOKS = 2;
const AGAIN_MS = 10 * MINUTE_MS;

type ComponentWatchParts = Readonly<{
  /** What was replaced since a component started; null if nothing. */
  replaced: (component: Component) => string | null;
  /** Complaints of the component's checker about the configuration in force; null if none. */
  check: (component: Component) => Promise<string | null>;
  /** Stops and starts it. Null, or why it does not run again. */
  restart: (component: Component) => Promise<string | null>;
  /** Waits until it works. Null, or what does not answer. */
  answers: (component: Component) => Promise<string | null>;
  say: (what: string) => void;
  files?: PackageFiles;
}>;

type Trouble = Readonly<{ component: Component; detail: string }>;
/** `stops`: the component may be down, so no other is touched. */
type Failure = Readonly<{ detail: string; stops: boolean }>;

/**
 * Restarts the components that Debian has upgraded, one after the other, once dpkg is done. If a new version refuses the configuration, the
 * old one keeps running, with a notice. If a component does not run again, no other is touched until it answers.
 */
export function createComponentWatch(parts: ComponentWatchParts) {
  const { replaced, check, restart, answers, say, files = PACKAGE_FILES } = parts;
  /** The state of the packages at the last check, and the one that was handled. */
  let seen = "";
  let done: string | null = null;
  let calm = 0;
  let againAt = 0;
  let failed: readonly Trouble[] = [];
  /** The component that did not run again. Its start time counts it as renewed, so only its answer shows that it works. */
  let stopped: Component | null = null;

  /** Call it about every ten seconds, and never before the last check has ended. */
  async function look(nowMs: number = performance.now()): Promise<void> {
    const state = packagesState(files);
    if (state === "") return;
    calm = state === seen ? calm + 1 : 0;
    seen = state;
    const isDue = state !== done || (failed.length > 0 && nowMs >= againAt);
    if (!isDue || calm < CALM_LOOKS || isDpkgBusy(files)) return;
    failed = await renewAll();
    done = state;
    againAt = nowMs + AGAIN_MS;
  }

  function troubles(): readonly KeeperTrouble[] {
    if (failed.length === 0) return [];
    const detail = failed.map((one) => `${one.component}: ${one.detail}`).join("; ");
    return [{ code: "component_outdated", detail }];
  }

  async function renewAll(): Promise<readonly Trouble[]> {
    const first = stopped;
    if (first !== null) {
      const failure = await renewStopped(first);
      const others = failed.filter(({ component }) => component !== first);
      if (failure !== null) return [...others, { component: first, detail: failure.detail }];
      stopped = null;
    }
    const found: Trouble[] = [];
    for (const component of Object.keys(COMPONENTS).filter(isComponent)) {
      const failure = await renewReplaced(component);
      if (failure === null) continue;
      found.push({ component, detail: failure.detail });
      if (!failure.stops) continue;
      stopped = component;
      break;
    }
    return found;
  }

  /** Restarts the stopped component again only if a newer version has arrived since. */
  async function renewStopped(component: Component): Promise<Failure | null> {
    if (replaced(component) !== null) return renewReplaced(component);
    const silent = await answers(component);
    if (silent === null) say(`${component} answers again.`);
    return silent === null ? null : { detail: silent, stops: true };
  }

  async function renewReplaced(component: Component): Promise<Failure | null> {
    const what = replaced(component);
    if (what === null) return null;
    const failure = await renew(component);
    say(
      failure === null
        ? `${component} was restarted, because ${what} was replaced.`
        : `${component}, of which ${what} was replaced, does not run the new version: ${failure.detail}`,
    );
    return failure;
  }

  async function renew(component: Component): Promise<Failure | null> {
    const unfinished = await unfinishedPackages(COMPONENTS[component], files);
    if (unfinished.length > 0)
      return { detail: `dpkg has not finished ${unfinished.join(", ")}. Try: dpkg --configure -a`, stops: false };
    const refused = await check(component);
    if (refused !== null)
      return { detail: `the old version keeps running, because the new one would not start. ${refused}`, stops: false };
    const detail = (await restart(component)) ?? (await answers(component));
    return detail === null ? null : { detail, stops: true };
  }

  return { look, troubles };
}

function isComponent(name: string): name is Component {
  return name in COMPONENTS;
}

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
  const gone = withDescendants(listProcesses(), (one) => one.pid === pid).flatMap((one) => replacedIn(one.pid));
  return gone.find((file) => ofPackages.test(file)) ?? null;
}
