import { readFileSync } from "node:fs";
import { printable } from "../../../core/text.ts";
import type { ServiceName } from "../../../render/runit.ts";
import { parseSocketsInUse } from "../../../wire/kernel/sockstat.ts";
import { holderOf, holdsSocket, listeners, type ServerPort, socketsOn } from "../../set-up/running/ports.ts";

/** Calls of `look` from one read of the kernel's tables to the next. */
const LOOKS_EVERY = 3;
/** Each of these reads whole tables. This many in a row are skipped while no more sockets are in use than at one that found nothing. */
const MOST_LEFT_OUT = 3;
/** A foreign socket is reported if this many checks in a row find it: a restart leaves one for a moment. */
const TOLD_FROM = 2;
const NAME_CHARACTERS = 300;

type Strange = Readonly<{ service: ServiceName; says: string; seen: number }>;

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
      const { service } = serverPort;
      const sockets = socketsOn(serverPort, listening);
      const main = mainOf(service);
      // Without any socket the service has not started yet, or cannot: that is reported elsewhere.
      if (main === null || !holdsSocket(main, sockets)) continue;
      for (const socket of sockets) {
        const own = `${main} ${socket}`;
        const says = this.#cleared.has(own) || holdsSocket(main, [socket]) ? null : sentenceOf(serverPort, socket);
        if (says === null) cleared.add(own);
        else strange.set(socket, { service, says, seen: (this.#strange.get(socket)?.seen ?? 0) + 1 });
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
    for (const one of this.#strange.values()) if (one.service === service && one.seen >= TOLD_FROM) return one.says;
    return null;
  }
}

/** Costs almost nothing. Without IPv6 there is no second file. */
function socketsInUse(): number | null {
  const [four = null, six] = ["sockstat", "sockstat6"].map((name) => {
    try {
      return parseSocketsInUse(readFileSync(`/proc/net/${name}`, "latin1"));
    } catch {
      return null;
    }
  });
  return four === null ? null : four + (six ?? 0);
}

function sentenceOf({ port, says }: ServerPort, socket: string): string | null {
  const holder = holderOf([socket]);
  if (holder === null) return null;
  const { pid, name } = holder;
  // Stopping systemd would stop the machine: it listens for a different program.
  const [who, end] =
    pid === 1
      ? ["systemd", "Find its unit: systemctl list-sockets"]
      : [`${printable(name, NAME_CHARACTERS)} (pid ${pid})`, `Try: kill ${pid}`];
  return `port ${port} for ${says} is also in use by ${who}, which takes some of its connections. ${end}`;
}
