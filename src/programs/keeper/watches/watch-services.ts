import { existsSync } from "node:fs";
import { join } from "node:path";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { printable } from "../../../core/text.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { parseSocketsInUse } from "../../../host/kernel/tcp-sockets.ts";
import { textOrNothing } from "../../../host/machine/read-text.ts";
import {
  type Holder,
  holderOf,
  holdsSocket,
  listeners,
  type ServerPort,
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

/** Different minutes of a day in which a service ended: from this many on it is reported, until none has come for a while. */
const MANY_MINUTES = 12;
const QUIET_MS = 2 * HOUR_MS;

type Seen = { change: string; changed: boolean[]; isEnding: boolean };

/** Finds services that keep exiting. At any single moment such a service may run. */
export class ServiceWatch {
  readonly #layout: Layout;
  readonly #seen = new Map<ServiceName, Seen>();
  readonly #shared = new SharedPorts();
  readonly #holders = new Map<number, Holder | null>();
  readonly #clock: Clock;
  #ports: readonly ServerPort[];

  constructor(layout: Layout, ports: readonly ServerPort[], clock: Clock) {
    this.#layout = layout;
    this.#ports = ports;
    this.#clock = clock;
  }

  /** After a change of the settings. */
  use(ports: readonly ServerPort[]): void {
    this.#ports = ports;
  }

  /** Call it once a second. */
  look(): void {
    for (const service of SERVICES) {
      const now = supervised(this.#layout.services, service);
      if (now === null || now.isStopped) this.#seen.delete(service);
      else this.#note(service, now.change);
    }
    this.#shared.look(this.#ports, (service) => pidOf(this.#layout.services, service));
  }

  /** The services that the settings enable. */
  states() {
    return SERVICES.filter((name) => existsSync(join(this.#layout.services, name))).map((name) => {
      const pid = pidOf(this.#layout.services, name);
      const trouble = this.troubleOf(name);
      return { name, up: pid !== null, pid, ...(trouble === null ? {} : { trouble }) };
    });
  }

  /** Services that end again and again, although they run most of the time. The notes are `finish`'s, so they outlive this process. */
  troubles(): readonly KeeperTrouble[] {
    const now = this.#clock.now();
    const often = SERVICES.flatMap((service) => {
      const minutes = textOrNothing(join(this.#layout.services, service, EXITS))
        .trim()
        .split("\n")
        .map(Number);
      const ends = minutes.map((minute) => minute * MINUTE_MS).filter((at) => Math.abs(now - at) < DAY_MS);
      const last = ends.at(-1);
      if (last === undefined || ends.length < MANY_MINUTES || now - last > QUIET_MS) return [];
      const line = lastLogLine(this.#layout, service);
      return [`${service}${line === null ? "" : ` (last log line: ${printable(line, SHOWN_CHARACTERS)})`}`];
    });
    return often.length === 0 ? [] : [{ code: "service_unstable", detail: often.join(", ") }];
  }

  /** Why it cannot run, in one sentence; null if it runs, or was ordered to stay down. */
  troubleOf(service: ServiceName): string | null {
    const seen = this.#seen.get(service);
    if (seen === undefined) return null;
    // A service that has just exited need not keep exiting first, if the cause is known.
    const isSteady = !seen.isEnding && !seen.changed.includes(true) && pidOf(this.#layout.services, service) !== null;
    const taken = isSteady ? null : this.#takenPort(service);
    if (taken !== null) return `it cannot start: ${taken}`;
    if (!seen.isEnding) return this.#shared.troubleOf(service);
    const line = lastLogLine(this.#layout, service);
    return `it keeps exiting${line === null ? "" : `; its last log line: ${printable(line, SHOWN_CHARACTERS)}`}`;
  }

  /** The port of the service that a foreign program holds, and what to do; null if there is none. The guard's own it reports itself. */
  #takenPort(service: ServiceName): string | null {
    const ports = this.#ports.filter((each) => each.service === service);
    if (ports.length === 0 || service === "guard") return null;
    const main = pidOf(this.#layout.services, service);
    const listening = listeners();
    for (const one of ports) {
      const sockets = socketsOn(one, listening);
      // A service that has its port did start.
      if (sockets.length === 0 || (main !== null && holdsSocket(main, sockets))) continue;
      const holder = holderOf(sockets, this.#holders.get(one.port));
      this.#holders.set(one.port, holder);
      const taken = `port ${one.port} for ${one.says} is in use by`;
      if (holder === null && main === null) return `${taken} another program. Find it: ss -ltnp`;
      if (holder === null || isOf(holder.pid, main)) continue;
      const { who, remedy } = nameAndRemedy(holder);
      return `${taken} ${who}. ${remedy}`;
    }
    return null;
  }

  #note(service: ServiceName, change: string): void {
    const before = this.#seen.get(service);
    if (before === undefined) {
      this.#seen.set(service, { change, changed: [], isEnding: false });
      return;
    }
    before.changed = [...before.changed, change !== before.change].slice(-REMEMBERED);
    before.change = change;
    const changes = before.changed.filter(Boolean).length;
    before.isEnding = changes >= (before.isEnding ? FEW + 1 : MANY);
  }
}

/** Calls of `look` from one read of the kernel's tables to the next. */
const LOOKS_EVERY = 3;
/** Each of these reads whole tables. This many in a row are skipped while no more sockets are in use than at one that found nothing. */
const MOST_LEFT_OUT = 3;
/** A foreign socket is reported if this many checks in a row find it: a restart leaves one for a moment. */
const TOLD_FROM = 2;

type Strange = Readonly<{ serverPort: ServerPort; holder: Holder; seen: number }>;

/**
 * Finds programs that listen on a service's port in addition to the service. Postfix lets other sockets of root share its ports
 * (SO_REUSEPORT, socket(7)), and a second Postfix, such as Debian's own, does so: the kernel then gives some of the
 * connections to each.
 */
export class SharedPorts {
  readonly #inUse: () => number | null;
  #calls = 0;
  #quiet: { sockets: number; left: number } | null = null;
  /** The service's pid and a socket that belongs to it, or whose holder /proc does not show. */
  #cleared: ReadonlySet<string> = new Set();
  #strange: ReadonlyMap<string, Strange> = new Map();

  /** `inUse`: number of TCP sockets in use; null: unknown. */
  constructor(inUse = socketsInUse) {
    this.#inUse = inUse;
  }

  /** Call it once a second. */
  look(ports: readonly ServerPort[], mainOf: (service: ServiceName) => number | null): void {
    if (this.#calls++ % LOOKS_EVERY !== 0) return;
    const sockets = this.#inUse();
    if (this.#isQuietStill(sockets)) return;
    const cleared = new Set<string>();
    const strange = new Map<string, Strange>();
    const listening = listeners();
    for (const serverPort of ports.filter(({ address }) => address === null)) {
      const sockets = socketsOn(serverPort, listening);
      const main = mainOf(serverPort.service);
      // Without any socket the service has not started yet, or cannot: that is reported elsewhere.
      if (main === null || !holdsSocket(main, sockets)) continue;
      for (const socket of sockets) {
        const own = `${main} ${socket}`;
        const before = this.#strange.get(socket);
        const isOwn = this.#cleared.has(own) || holdsSocket(main, [socket]);
        const holder = isOwn ? null : holderOf([socket], before?.holder);
        if (holder === null) cleared.add(own);
        else strange.set(socket, { serverPort, holder, seen: (before?.seen ?? 0) + 1 });
      }
    }
    this.#cleared = cleared;
    this.#strange = strange;
    this.#quiet = strange.size > 0 || sockets === null ? null : { sockets, left: MOST_LEFT_OUT };
  }

  /** A program that listens has one more. If a different one was closed at the same time, that hides it only for a few checks. */
  #isQuietStill(sockets: number | null): boolean {
    if (this.#quiet === null || sockets === null || sockets > this.#quiet.sockets || this.#quiet.left === 0)
      return false;
    this.#quiet.left -= 1;
    return true;
  }

  /** The message to the owner, in one sentence; null if no other program shares the service's ports. */
  troubleOf(service: ServiceName): string | null {
    for (const { serverPort, holder, seen } of this.#strange.values())
      if (serverPort.service === service && seen >= TOLD_FROM) return sentenceOf(serverPort, holder);
    return null;
  }
}

/** Costs almost nothing. */
function socketsInUse(): number | null {
  return parseSocketsInUse(textOrNothing("/proc/net/sockstat"), textOrNothing("/proc/net/sockstat6"));
}

/** The name of a program that holds a port, and how to end that. */
function nameAndRemedy({ pid, name }: Holder): Readonly<{ who: string; remedy: string }> {
  // Stopping systemd would stop the machine; the program is the one to which systemd passes the port.
  if (pid === 1) return { who: "systemd", remedy: "Find its unit: systemctl list-sockets" };
  return { who: `${printable(name, SHOWN_CHARACTERS)} (pid ${pid})`, remedy: `Try: kill ${pid}` };
}

function sentenceOf({ port, says }: ServerPort, holder: Holder): string {
  const { who, remedy } = nameAndRemedy(holder);
  return `port ${port} for ${says} is also in use by ${who}, which takes some of its connections. ${remedy}`;
}
