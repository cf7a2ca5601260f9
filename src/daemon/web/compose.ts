import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hashPassword, verifyPassword } from "../../adapters/accounts/password-hash.ts";
import { systemClock } from "../../adapters/machine/clock.ts";
import { watch } from "../../adapters/sockets/control-client.ts";
import { VERSION } from "../../core/version.ts";
import type { Log } from "../../engine/ports.ts";
import { DASHBOARD_REFUSED } from "../../render/fail2ban/filters.ts";
import { PAGE_FILES } from "../../servers/api/page.ts";
import type { PageFile } from "../../servers/api/ports.ts";
import { ApiServer } from "../../servers/api/server.ts";
import type { WebSettings } from "../../settings/for-web.ts";
import type { Layout } from "../../settings/layout.ts";
import { guardAt } from "./guard.ts";
import { GuardNews } from "./news.ts";
import { WebStore } from "./store.ts";

export type Web = Readonly<{
  /** Resolves with the port it listens on. */
  start: (address: string, port: number) => Promise<number>;
  stop: () => Promise<void>;
}>;

/** Every part of the web on one line, in the order in which they need each other. Nothing runs before `start`. */
export async function composeWeb(layout: Layout, settings: WebSettings, log: Log): Promise<Web> {
  const store = new WebStore(layout.engineDb, (trouble) =>
    trouble === null ? log.info("database readable") : log.warn("database unreadable", { detail: trouble }),
  );
  const news = new GuardNews((onEvent) => watch(layout.webSocket, onEvent));
  const decoy = await hashPassword(randomBytes(32).toString("base64"));
  const server = new ApiServer({
    guard: guardAt(layout.webSocket),
    queries: () => store.queries,
    credentials: store.credentials,
    passwords: { verify: verifyPassword, decoy },
    news,
    clock: systemClock,
    page: readPage(join(layout.program, "dashboard")),
    version: VERSION,
    settings: {
      trustedProxies: settings["http.trusted_proxies"],
      names: [settings.hostname, ...settings.domains, ...settings["http.names"]],
      ipv6Prefix: settings["bans.ipv6_prefix"],
      memoryMs: settings["bans.memory"],
    },
    // Fail2ban reads it.
    signInRefused: (ip) => log.warn(DASHBOARD_REFUSED, { ip }),
    report: (error) =>
      log.error("request failed", { detail: error instanceof Error ? (error.stack ?? "") : String(error) }),
  });
  return {
    start: async (address, port) => {
      news.start();
      return server.listen(address, port);
    },
    stop: async () => {
      news.stop();
      await server.stop();
      store.close();
    },
  };
}

/** Read once: a new version of the page comes with a new version of this program. */
function readPage(directory: string): ReadonlyMap<string, PageFile> {
  const page = new Map<string, PageFile>();
  for (const { file, type } of Object.values(PAGE_FILES)) {
    const path = join(directory, file);
    if (existsSync(path)) page.set(file, { type, body: new Uint8Array(readFileSync(path)) });
  }
  return page;
}
