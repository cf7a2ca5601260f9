import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasUser, userIds } from "../../../adapters/machine/system-users.ts";
import { printable } from "../../../core/text.ts";
import { SERVICES, type ServiceName } from "../../../render/runit.ts";
import { type Layout, USERS } from "../../../settings/layout.ts";
import { lastWord } from "../../set-up/running/last-words.ts";
import { holderOf, holdsSocket, listeners, type ServerPort, socketsOn } from "../../set-up/running/ports.ts";
import { isOf } from "../../set-up/running/processes.ts";
import { listProcesses } from "../../set-up/running/read-processes.ts";
import { pidOf } from "../../set-up/running/supervise.ts";
import { supervised } from "../../set-up/running/supervised.ts";
import { SharedPorts } from "./shared-ports.ts";

/** Number of checks, one a second, that are remembered, and of starts and ends among them that is too high. A restart makes two. */
const REMEMBERED = 12;
const MANY = 5;
const FEW = 1;
const WORD_CHARACTERS = 300;

type Seen = { change: string; changed: boolean[]; isEnding: boolean };

/** Finds services that keep ending. At any single moment such a service may run. */
export class ServiceWatch {
  readonly #layout: Layout;
  readonly #seen = new Map<ServiceName, Seen>();
  readonly #shared = new SharedPorts();
  readonly #guardUid: number | null;
  #ports: readonly ServerPort[];

  /** `guardUid`: the user of the guard and its stand-in; null: unknown. */
  constructor(layout: Layout, ports: readonly ServerPort[], guardUid = uidOfGuard()) {
    this.#layout = layout;
    this.#ports = ports;
    this.#guardUid = guardUid;
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

  /** Why it cannot run, in one sentence; null if it runs, or was ordered to stay down. */
  troubleOf(service: ServiceName): string | null {
    const seen = this.#seen.get(service);
    if (seen === undefined) return null;
    // A service that has just ended need not keep ending first, if the cause is known.
    const isSteady = !seen.isEnding && !seen.changed.includes(true) && pidOf(this.#layout.services, service) !== null;
    const taken = isSteady ? null : this.takenPort(service);
    if (taken !== null) return `it cannot start: ${taken}`;
    if (!seen.isEnding) return this.#shared.troubleOf(service);
    const word = lastWord(this.#layout, service);
    return `it keeps ending${word === null ? "" : `; its last words: ${printable(word, WORD_CHARACTERS)}`}`;
  }

  /** The port of the service that a foreign program holds, and what to do; null if there is none. */
  takenPort(service: ServiceName): string | null {
    const ports = this.#ports.filter((each) => each.service === service);
    if (ports.length === 0) return null;
    const main = pidOf(this.#layout.services, service);
    // A stand-in has the guard's ports until the guard takes over.
    const ours = service === "guard" ? this.#guardUid : null;
    const listening = listeners().filter(({ uid }) => uid !== ours);
    for (const one of ports) {
      const sockets = socketsOn(one, listening);
      // A service that has its port did start.
      if (sockets.length === 0 || (main !== null && holdsSocket(main, sockets))) continue;
      const holder = holderOf(sockets);
      const taken = `port ${one.port} for ${one.says} is in use by`;
      if (holder === null && (main === null || ours !== null)) return `${taken} another program. Find it: ss -ltnp`;
      // Stopping systemd would stop the machine; the program is the one to which systemd passes the port.
      if (holder?.pid === 1) return `${taken} systemd. Find its unit: systemctl list-sockets`;
      if (holder !== null && !isOf(holder.pid, main, listProcesses()))
        return `${taken} ${printable(holder.name, WORD_CHARACTERS)} (pid ${holder.pid}). Try: kill ${holder.pid}`;
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

function uidOfGuard(): number | null {
  return hasUser(USERS.guard) ? userIds(USERS.guard).uid : null;
}
