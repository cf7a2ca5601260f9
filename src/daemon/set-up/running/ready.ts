import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { SERVICES, type ServiceName } from "../../../render/runit.ts";
import { type Layout, serviceLog } from "../../../settings/layout.ts";
import { tail } from "./last-words.ts";
import { listeners, type ServerPort } from "./ports.ts";
import { pidOf } from "./supervise.ts";

const POLL_MS = 100;
const READY_MS = 40_000;
/** runsv(8) tries once a second: a service that ended this often will not start. */
const TRIES = 4;
const LOG_LINES = 5;

export type Ready = Readonly<{ ok: true }> | Readonly<{ ok: false; reason: string }>;

/** Waits until every port is open and the guard and the keeper answer, or until it is clear that they will not. */
export async function waitUntilReady(
  layout: Layout,
  serverPorts: readonly ServerPort[],
  stopped: () => boolean,
  patienceMs: number = READY_MS,
): Promise<Ready> {
  const deadline = performance.now() + patienceMs;
  const tries = new Map<ServiceName, Set<number>>(SERVICES.map((service) => [service, new Set()]));
  for (;;) {
    const missing = await notReady(layout, serverPorts);
    if (missing === null || stopped()) return { ok: true };
    for (const [service, pids] of tries) {
      const pid = pidOf(layout.services, service);
      if (pid !== null) pids.add(pid);
      if (pids.size >= TRIES)
        return { ok: false, reason: `${service} keeps ending. Its last words:\n${lastWords(layout, service)}` };
    }
    if (performance.now() > deadline) {
      const words = lastWords(layout, missing.service);
      return {
        ok: false,
        reason: `${missing.what} after ${patienceMs / 1000} s. Last words of ${missing.service}:\n${words}`,
      };
    }
    await pause(POLL_MS);
  }
}

type Missing = Readonly<{ service: ServiceName; what: string }>;

async function notReady(layout: Layout, serverPorts: readonly ServerPort[]): Promise<Missing | null> {
  if (!(await accepts(layout.policySocket))) return { service: "guard", what: "The guard does not answer Postfix" };
  if (!(await accepts(layout.controlSocket))) return { service: "guard", what: "The guard takes no commands" };
  if (!(await accepts(layout.keeperSocket))) return { service: "keeper", what: "The keeper does not answer" };
  // Without it no mail from users is accepted.
  if (!(await accepts(layout.rspamdSocket))) return { service: "rspamd", what: "Rspamd does not answer Postfix" };
  const open = new Set(listeners().map(({ port }) => port));
  const closed = serverPorts.find(({ port }) => !open.has(port));
  return closed === undefined
    ? null
    : { service: closed.service, what: `Port ${closed.port} (${closed.setting}) is not open` };
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** The end of the service's own log; Postfix and Dovecot mostly write to the mail log. */
function lastWords(layout: Layout, service: ServiceName): string {
  const own = tail(serviceLog(layout, service), LOG_LINES);
  const words =
    own.length > 0 || service === "guard" || service === "web" || service === "keeper"
      ? own
      : tail(layout.mailLog, LOG_LINES);
  return words.length === 0 ? "  (none)" : words.map((line) => `  ${line}`).join("\n");
}
