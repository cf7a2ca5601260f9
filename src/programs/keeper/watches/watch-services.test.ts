import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { listenOnPort } from "../../../../test/kit/local-server.ts";
import { lacking } from "../../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { until } from "../../../../test/kit/until.ts";
import { supervised } from "../../../host/running/supervised.ts";
import { layoutOf, serviceLog } from "../../../settings/layout.ts";
import { ServiceWatch } from "./watch-services.ts";

const NEEDED = { skip: lacking({ installed: ["runsv"] }) };

test(
  "a service that keeps ending is reported with its last log lines; one that ends once is not",
  NEEDED,
  async (t) => {
    const layout = layoutOf(temporaryDirectory());
    const run = (name: string, script: string): string => {
      const directory = join(layout.services, name);
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, "run"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const runsv = spawn("runsv", [directory], { stdio: "ignore" });
      t.after(() => runsv.kill("SIGTERM"));
      return directory;
    };
    const log = serviceLog(layout, "postgrey");
    mkdirSync(dirname(log), { recursive: true });
    writeFileSync(log, "2026-11-21_03:00:01.12345 no such database\n");
    const broken = run("postgrey", "test -e fixed && exec sleep infinity\nexit 1");
    run("unbound", "exec sleep infinity");
    const port = await listenOnPort(createServer());
    const ports = [{ setting: "ports.http", port, address: null, says: "pages", service: "postgrey" }] as const;
    const watch = new ServiceWatch(layout, []);
    // One check a second in the server; here directly after each change.
    let change: string | undefined;
    const look = (name: string): boolean => {
      const now = supervised(layout.services, name)?.change;
      if (now !== change) watch.look();
      change = now;
      return watch.troubleOf("postgrey") !== null;
    };
    await until(() => look("postgrey"));
    assert.equal(watch.troubleOf("postgrey"), "it keeps ending; its last words: no such database");
    watch.use(ports);
    assert.match(
      watch.troubleOf("postgrey") ?? "",
      new RegExp(
        `^it cannot start: port ${port} for pages is in use by .+ \\(pid ${process.pid}\\). Try: kill ${process.pid}$`,
      ),
    );
    watch.use([]);
    const pid = (): number | null => supervised(layout.services, "unbound")?.pid ?? null;
    await until(() => pid() !== null);
    const first = pid() ?? 0;
    process.kill(first, "SIGKILL");
    await until(() => {
      look("unbound");
      return pid() !== null && pid() !== first;
    });
    assert.equal(watch.troubleOf("unbound"), null);
    writeFileSync(join(broken, "fixed"), "");
    await until(() => {
      watch.look();
      return watch.troubleOf("postgrey") === null;
    });
  },
);

test("a guard's port that another user's program holds is reported, and not one that a stand-in holds", async () => {
  const layout = layoutOf(temporaryDirectory());
  const port = await listenOnPort(createServer());
  const ports = [
    { setting: "ports.login_policy", port, address: "127.0.0.1", says: "Dovecot asking the guard", service: "guard" },
  ] as const;
  const uid = process.getuid?.() ?? assert.fail();
  assert.equal(new ServiceWatch(layout, ports, uid).takenPort("guard"), null);
  assert.match(
    new ServiceWatch(layout, ports, uid + 1).takenPort("guard") ?? "",
    new RegExp(`^port ${port} for Dovecot asking the guard is in use by .+ \\(pid ${process.pid}\\)`),
  );
});
