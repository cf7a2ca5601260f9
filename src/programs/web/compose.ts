import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../core/error.ts";
import type { Log } from "../../guard/ports.ts";
import { createSteadyClock } from "../../host/machine/clock.ts";
import { createLocalClients } from "../../host/machine/local-clients.ts";
import { createOwnNetworks } from "../../host/machine/own-networks.ts";
import { watch } from "../../host/sockets/control-client.ts";
import { DASHBOARD_REFUSED } from "../../mail/fail2ban/filters.ts";
import type { Layout } from "../../settings/layout.ts";
import { dashboardNames, readSettingsFile, type WebSettings } from "../../settings/program-settings.ts";
import { PAGE_FILES, PAGE_PROGRAMS } from "../../surfaces/api/page.ts";
import type { PageFile } from "../../surfaces/api/ports.ts";
import { createApiServer } from "../../surfaces/api/server.ts";
import { createGuardNews, createGuardPort } from "./guard.ts";
import { createLookupThread } from "./lookups.ts";
import { createPasswordThread } from "./passwords.ts";
import { createWebStore } from "./store.ts";
import { createTrialThread } from "./trials.ts";

/** Every part of the web on one line, in the order in which they need each other. Nothing runs before `start`. */
export function composeWeb(layout: Layout, settings: WebSettings, log: Log) {
  const store = createWebStore(layout.engineDb, (trouble) =>
    trouble === null ? log.info("database readable") : log.warn("database unreadable", { detail: trouble }),
  );
  const news = createGuardNews((onCommit) => watch(layout.webSocket, onCommit));
  const lookups = createLookupThread(layout.engineDb, (why) => log.warn("searches ended", { detail: why }));
  const trials = createTrialThread(layout.engineDb, (why) => log.warn("trial ended", { detail: why }));
  const clock = createSteadyClock();
  const server = createApiServer({
    guard: createGuardPort(layout.webSocket),
    queries: () => store.queries,
    lookups,
    trials,
    passwords: createPasswordThread(),
    localClients: createLocalClients(createOwnNetworks(clock, [])),
    news,
    clock,
    page: readPage(join(layout.program, "dashboard")),
    settings: {
      trustedProxies: settings["http.trusted_proxies"],
      proxyUsers: settings["http.proxy_users"],
      names: dashboardNames(settings),
      ipv6Prefix: settings["bans.ipv6_prefix"],
      memoryMs: settings["bans.memory"],
    },
    // Fail2ban reads this line.
    signInRefused: (ip) => log.warn(DASHBOARD_REFUSED, { ip }),
    report: (error) =>
      log.error("request failed", { detail: error instanceof Error ? (error.stack ?? "") : String(error) }),
  });
  return {
    /** Resolves with the port it listens on. */
    start: async (address: string, port: number): Promise<number> => {
      news.start();
      return server.listen(address, port);
    },
    stop: async (): Promise<void> => {
      news.stop();
      await server.stop();
      lookups.stop();
      trials.stop();
      store.close();
    },
  };
}

/** Read once: a new version of the page comes with a new version of this program. */
function readPage(directory: string): ReadonlyMap<string, PageFile> {
  const page = new Map<string, PageFile>();
  const programs = join(directory, PAGE_PROGRAMS.directory);
  const names = existsSync(programs) ? readdirSync(programs) : [];
  const files = [
    ...Object.values(PAGE_FILES),
    ...names.map((name) => ({ file: join(PAGE_PROGRAMS.directory, name), type: PAGE_PROGRAMS.type })),
  ];
  for (const { file, type } of files) {
    const path = join(directory, file);
    if (existsSync(path)) page.set(file, { type, body: new Uint8Array(readFileSync(path)) });
  }
  return page;
}

/** The part of the settings that root wrote for the web (`settings/program-settings.ts`). */
export function readWebSettings({ webSettings }: Layout): ReturnType<typeof readSettingsFile> {
  let text: string;
  try {
    text = readFileSync(webSettings, "utf8");
  } catch (error) {
    return { ok: false, reason: `${webSettings} cannot be read: ${messageOf(error)}.` };
  }
  return readSettingsFile(text);
}
