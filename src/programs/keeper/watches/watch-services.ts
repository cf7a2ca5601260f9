import { existsSync } from "node:fs";
import { join } from "node:path";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { printable } from "../../../core/text.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { textOrNothing } from "../../../host/machine/read-text.ts";
import {
  type Holder,
  holderOf,
  listeners,
  type ServerPort,
  socketsOf,
  socketsOn,
} from "../../../host/running/ports.ts";
import { isOf } from "../../../host/running/processes.ts";
import { EXITS, SERVICES, type ServiceName } from "../../../host/running/runit.ts";
import { pidOf } from "../../../host/running/supervise.ts";
import { lastLogLine, supervised } from "../../../host/running/supervised.ts";
import type { Layout } from "../../../settings/layout.ts";

/** Number of checks, one a second, that are remembered, and of starts and ends among them that is too high. A restart makes two. */
const REMEMBERED = 12;
const MANY = 5;
const FEW = 1;
const SHOWN_CHARACTERS = 300;

/** A service that ended in this many minutes of a day is reported, until it has not ended for a while. */
const MANY_MINUTES = 12;
const QUIET_MS = 2 * HOUR_MS;

type Seen = Readonly<{ change: string; changed: readonly boolean[]; isEnding: boolean }>;

/** Finds services that keep exiting. At any single moment such a service may run. */
export function createServiceWatch(layout: Layout, ports: () => readonly ServerPort[], clock: Clock) {
  const seen = new Map<ServiceName, Seen>();
  const shared = createSharedPorts();
  const holders = new Map<number, Holder | null>();

  /** Call it once a second. */
  function look(): void {
    for (const service of SERVICES) {
      const now = supervised(layout.services, service);
      if (now === null || now.isStopped) seen.delete(service);
      else note(service, now.change);
    }
    shared.look(ports(), (service) => pidOf(layout.services, service));
  }

  /** The services that the settings enable. */
  function states() {
    return SERVICES.filter((name) => existsSync(join(layout.services, name))).map((name) => {
      const pid = pidOf(layout.services, name);
      const trouble = troubleOf(name);
      return { name, up: pid !== null, pid, ...(trouble === null ? {} : { trouble }) };
    });
  }

  /** Services that keep ending, although they run most of the time. `finish` records the ends, so they outlive this process. */
  function troubles(): readonly KeeperTrouble[] {
    const now = clock.now();
    const often = SERVICES.flatMap((service) => {
      const minutes = textOrNothing(join(layout.services, service, EXITS))
        .trim()
        .split("\n")
        .map(Number);
      const ends = minutes.map((minute) => minute * MINUTE_MS).filter((at) => Math.abs(now - at) < DAY_MS);
      const last = ends.at(-1);
      if (last === undefined || ends.length < MANY_MINUTES || now - last > QUIET_MS) return [];
      const line = lastLogLine(layout, service);
      return [`${service}${line === null ? "" : ` (last log line: ${printable(line, SHOWN_CHARACTERS)})`}`];
    });
    return often.length === 0 ? [] : [{ code: "service_unstable", detail: often.join(", ") }];
  }

  /** Why the service cannot run, in one sentence; null if it runs, or was ordered to stay down. */
  function troubleOf(service: ServiceName): string | null {
    const noted = seen.get(service);
    if (noted === undefined) return null;
    // If the cause is known, a service that has just exited is reported at once.
    const isSteady = !noted.isEnding && !noted.changed.includes(true) && pidOf(layout.services, service) !== null;
    const taken = isSteady ? null : takenPort(service);
    if (taken !== null) return `it cannot start: ${taken}`;
    if (!noted.isEnding) return shared.troubleOf(service);
    const line = lastLogLine(layout, service);
    return `it keeps exiting${line === null ? "" : `; its last log line: ${printable(line, SHOWN_CHARACTERS)}`}`;
  }

  /** The service's port that a foreign program holds, and what to do; null if there is none. The guard reports its own port. */
  function takenPort(service: ServiceName): string | null {
    const own = ports().filter((each) => each.service === service);
    if (own.length === 0 || service === "guard") return null;
    const main = pidOf(layout.services, service);
    const listening = listeners();
    for (const one of own) {
      const sockets = socketsOn(one, listening);
      // A service that has its port did start.
      if (sockets.length === 0 || (main !== null && sockets.some(socketsOf(main)))) continue;
      const holder = holderOf(sockets, holders.get(one.port));
      holders.set(one.port, holder);
      const taken = `port ${one.port} for ${one.says} is in use by`;
      if (holder === null && main === null) return `${taken} another program. Find it: ss -ltnp`;
      if (holder === null || isOf(holder.pid, main)) continue;
      const { who, remedy } = nameAndRemedy(holder);
      // The holder of a port at an IPv4 address may be a socket at `::` without IPv4: the log says what really stops the service.
      const line = one.address?.includes(".") === true ? lastLogLine(layout, service) : null;
      const log = line === null ? "" : `; last log line of ${service}: ${printable(line, SHOWN_CHARACTERS)}`;
      return `${taken} ${who}${log}. ${remedy}`;
    }
    return null;
  }

  function note(service: ServiceName, change: string): void {
    const before = seen.get(service) ?? { change, changed: [], isEnding: false };
    const changed = [...before.changed, change !== before.change].slice(-REMEMBERED);
    const isEnding = changed.filter(Boolean).length >= (before.isEnding ? FEW + 1 : MANY);
    seen.set(service, { change, changed, isEnding });
  }

  return { look, states, troubles, troubleOf };
}

/** Calls of `look` from one read of the kernel's whole tables to the next; sooner after one that found a foreign socket. */
const LOOKS_EVERY = { usual: 8, doubtful: 3 } as const;
/** A foreign socket is reported if this many checks in a row find it: a restart leaves one for a moment. */
const REPORTED_FROM = 2;

type Strange = Readonly<{ serverPort: ServerPort; holder: Holder; seen: number }>;

/**
 * Finds programs that listen on a service's port in addition to the service. Postfix lets other sockets of root share its ports
 * (SO_REUSEPORT, socket(7)), and a second Postfix, such as Debian's own, does so: the kernel then gives some of the
 * connections to each.
 */
export function createSharedPorts() {
  let leftOut = 0;
  let strange: ReadonlyMap<string, Strange> = new Map();

  /** Call it once a second. */
  function look(ports: readonly ServerPort[], mainOf: (service: ServiceName) => number | null): void {
    if (leftOut > 0) {
      leftOut -= 1;
      return;
    }
    const found = new Map<string, Strange>();
    const listening = listeners();
    const everywhere = ports.filter(({ address }) => address === null);
    for (const [service, own] of Map.groupBy(everywhere, (one) => one.service)) {
      const main = mainOf(service);
      // Read once for all of its ports: it has many files open.
      const isMains = main === null ? () => false : socketsOf(main);
      for (const serverPort of own) {
        const sockets = socketsOn(serverPort, listening);
        // Without any socket the service has not started yet, or cannot: that is reported elsewhere.
        if (!sockets.some(isMains)) continue;
        for (const socket of sockets) {
          const before = strange.get(socket);
          const holder = isMains(socket) ? null : holderOf([socket], before?.holder);
          if (holder !== null) found.set(socket, { serverPort, holder, seen: (before?.seen ?? 0) + 1 });
        }
      }
    }
    strange = found;
    leftOut = (found.size > 0 ? LOOKS_EVERY.doubtful : LOOKS_EVERY.usual) - 1;
  }

  /** The message to the owner, in one sentence; null if no other program shares the service's ports. */
  function troubleOf(service: ServiceName): string | null {
    for (const { serverPort, holder, seen } of strange.values())
      if (serverPort.service === service && seen >= REPORTED_FROM) return sentenceOf(serverPort, holder);
    return null;
  }

  return { look, troubleOf };
}

/** The name of a program that holds a port, and a command against it. */
function nameAndRemedy({ pid, name }: Holder): Readonly<{ who: string; remedy: string }> {
  // Stopping systemd would stop the machine; the program is the one to which systemd passes the port.
  if (pid === 1) return { who: "systemd", remedy: "Find its unit: systemctl list-sockets" };
  const unit = unitOf(textOrNothing(`/proc/${pid}/cgroup`));
  const command = unit === null ? `kill ${pid}` : `systemctl disable --now ${unit}`;
  return { who: `${printable(name, SHOWN_CHARACTERS)} (pid ${pid})`, remedy: `Try: ${command}` };
}

const RUNS_OTHERS = /^(?:ghostinbox|docker|containerd|cron|atd|ssh|getty|serial-getty|rc-local)/;

/**
 * The unit that would start the program again at the next boot, where it may take the port first. Debian enables postfix.service, which
 * starts postfix@-.service. Null for our own units, and for those that also run other programs: without pam_systemd(8), programs that
 * someone started over ssh stay in the unit of sshd. `cgroups`: proc_pid_cgroup(5).
 */
export function unitOf(cgroups: string): string | null {
  const [, unit] =
    /\/system\.slice\/(?:system-[^/\n]+\.slice\/)?([\w.:@-]+?)(?:@-)?\.service(?:\/|$)/m.exec(cgroups) ?? [];
  return unit === undefined || RUNS_OTHERS.test(unit) ? null : unit;
}

function sentenceOf({ port, says }: ServerPort, holder: Holder): string {
  const { who, remedy } = nameAndRemedy(holder);
  return `port ${port} for ${says} is also in use by ${who}, which takes some of its connections. ${remedy}`;
}
