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
 * Restarts the components that Debian has upgraded, one after the other, once dpkg is done. One whose new version refuses the
 * configuration is not restarted: its old version keeps running, with a notice. After one that does not run again, no other is
 * touched until that one answers.
 */
export class ComponentWatch {
  readonly #parts: ComponentWatchParts;
  readonly #files: PackageFiles;
  /** The state of the packages at the last check, and the one that was handled. */
  #seen = "";
  #done: string | null = null;
  #calm = 0;
  #againAt = 0;
  #troubles: readonly Trouble[] = [];
  /** The one that did not run again. By its start time it counts as renewed, so only its answer shows that it works. */
  #stopped: Component | null = null;

  constructor(parts: ComponentWatchParts) {
    this.#parts = parts;
    this.#files = parts.files ?? PACKAGE_FILES;
  }

  /** Call it about every ten seconds, and never before the last check has ended. */
  async look(nowMs: number = performance.now()): Promise<void> {
    const state = packagesState(this.#files);
    if (state === "") return;
    this.#calm = state === this.#seen ? this.#calm + 1 : 0;
    this.#seen = state;
    const isDue = state !== this.#done || (this.#troubles.length > 0 && nowMs >= this.#againAt);
    if (!isDue || this.#calm < CALM_LOOKS || isDpkgBusy(this.#files)) return;
    this.#troubles = await this.#renewAll();
    this.#done = state;
    this.#againAt = nowMs + AGAIN_MS;
  }

  troubles(): readonly KeeperTrouble[] {
    if (this.#troubles.length === 0) return [];
    const detail = this.#troubles.map((one) => `${one.component}: ${one.detail}`).join("; ");
    return [{ code: "component_outdated", detail }];
  }

  async #renewAll(): Promise<readonly Trouble[]> {
    const stopped = this.#stopped;
    if (stopped !== null) {
      const failure = await this.#renewStopped(stopped);
      const others = this.#troubles.filter(({ component }) => component !== stopped);
      if (failure !== null) return [...others, { component: stopped, detail: failure.detail }];
      this.#stopped = null;
    }
    const troubles: Trouble[] = [];
    for (const component of Object.keys(COMPONENTS).filter(isComponent)) {
      const failure = await this.#renewReplaced(component);
      if (failure === null) continue;
      troubles.push({ component, detail: failure.detail });
      if (!failure.stops) continue;
      this.#stopped = component;
      break;
    }
    return troubles;
  }

  /** It is restarted again only if a newer version has arrived since. */
  async #renewStopped(component: Component): Promise<Failure | null> {
    if (this.#parts.replaced(component) !== null) return this.#renewReplaced(component);
    const silent = await this.#parts.answers(component);
    if (silent === null) this.#parts.say(`${component} answers again.`);
    return silent === null ? null : { detail: silent, stops: true };
  }

  async #renewReplaced(component: Component): Promise<Failure | null> {
    const replaced = this.#parts.replaced(component);
    if (replaced === null) return null;
    const failure = await this.#renew(component);
    this.#parts.say(
      failure === null
        ? `${component} was restarted, since ${replaced} was replaced.`
        : `${component}, of which ${replaced} was replaced, does not run the new version: ${failure.detail}`,
    );
    return failure;
  }

  async #renew(component: Component): Promise<Failure | null> {
    const { check, restart, answers } = this.#parts;
    const unfinished = await unfinishedPackages(COMPONENTS[component], this.#files);
    if (unfinished.length > 0)
      return { detail: `dpkg has not finished ${unfinished.join(", ")}. Try: dpkg --configure -a`, stops: false };
    const refused = await check(component);
    if (refused !== null)
      return { detail: `the old version keeps running, because the new one would not start. ${refused}`, stops: false };
    const failed = (await restart(component)) ?? (await answers(component));
    return failed === null ? null : { detail: failed, stops: true };
  }
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
