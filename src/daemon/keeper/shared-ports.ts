import { printable } from "../../core/text.ts";
import type { ServiceName } from "../../render/runit.ts";
import { holderOf, holdsSocket, listeners, type ServerPort, socketsOn } from "../set-up/ports.ts";

/** Calls of `look` from one look at the kernel's tables to the next. */
const LOOKS_EVERY = 3;
/** In so many of them in a row a strange socket is seen before it is told: a restart leaves one for a moment. */
const TOLD_FROM = 2;
const NAME_CHARACTERS = 300;

type Strange = Readonly<{ service: ServiceName; says: string; seen: number }>;

/**
 * Finds programs that listen on a port beside the service that has it. Postfix lets other sockets of root share its ports
 * (SO_REUSEPORT, socket(7)), and a second Postfix, such as Debian's own, does so: the kernel then gives some of the
 * connections to each.
 */
export class SharedPorts {
  #calls = 0;
  /** The service's pid and a socket that belongs to it, or of which /proc does not show the holder. */
  #cleared: ReadonlySet<string> = new Set();
  #strange: ReadonlyMap<string, Strange> = new Map();

  /** Call it once a second. */
  look(ports: readonly ServerPort[], mainOf: (service: ServiceName) => number | null): void {
    if (this.#calls++ % LOOKS_EVERY !== 0) return;
    const cleared = new Set<string>();
    const strange = new Map<string, Strange>();
    const listening = listeners();
    for (const serverPort of ports.filter(({ address }) => address === null)) {
      const { service } = serverPort;
      const sockets = socketsOn(serverPort, listening);
      const main = mainOf(service);
      // Without any of its own the service has not started yet, or cannot: that is told elsewhere.
      if (main === null || !holdsSocket(main, sockets)) continue;
      for (const socket of sockets) {
        const own = `${main} ${socket}`;
        const says = this.#cleared.has(own) || holdsSocket(main, [socket]) ? null : told(serverPort, socket);
        if (says === null) cleared.add(own);
        else strange.set(socket, { service, says, seen: (this.#strange.get(socket)?.seen ?? 0) + 1 });
      }
    }
    this.#cleared = cleared;
    this.#strange = strange;
  }

  /** What the owner is told, in one sentence; null if the service has its ports to itself. */
  troubleOf(service: ServiceName): string | null {
    for (const one of this.#strange.values()) if (one.service === service && one.seen >= TOLD_FROM) return one.says;
    return null;
  }
}

function told({ port, says }: ServerPort, socket: string): string | null {
  const holder = holderOf([socket]);
  if (holder === null) return null;
  const { pid, name } = holder;
  // Ending systemd would end the machine: it listens for another program.
  const [who, end] =
    pid === 1
      ? ["systemd", "Find its unit: systemctl list-sockets"]
      : [`${printable(name, NAME_CHARACTERS)} (pid ${pid})`, `Try: kill ${pid}`];
  return `port ${port} for ${says} is also in use by ${who}, which takes some of its connections. ${end}`;
}
