import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { listenOnPort, listenOnSocket } from "../../../test/kit/local-server.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { type Layout, layoutOf, serviceLog } from "../../settings/layout.ts";
import type { ServerPort } from "./ports.ts";
import { waitUntilReady } from "./ready.ts";

const never = (): boolean => false;
const PATIENCE_MS = 300;

function fresh(): Layout {
  return layoutOf(temporaryDirectory());
}

/** Every socket by which the services answer each other. */
async function withSockets(layout: Layout): Promise<void> {
  for (const path of [layout.policySocket, layout.controlSocket, layout.keeperSocket, layout.rspamdSocket])
    await listenOnSocket(createServer(), path);
}

function smtp(port: number): ServerPort {
  return { setting: "ports.smtp", service: "postfix", port, address: null, says: "mail" };
}

function says(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test("it is ready once every socket answers and every port is open", async () => {
  const layout = fresh();
  await withSockets(layout);
  assert.deepEqual(await waitUntilReady(layout, [smtp(await listenOnPort(createServer()))], never, PATIENCE_MS), {
    ok: true,
  });
});

test("waits for a service that starts late", async () => {
  const layout = fresh();
  const waiting = waitUntilReady(layout, [], never, 10_000);
  await withSockets(layout);
  assert.deepEqual(await waiting, { ok: true });
});

test("stops waiting when asked to stop", async () => {
  assert.deepEqual(await waitUntilReady(fresh(), [], () => true, 60_000), { ok: true });
});

describe("what does not come up is named with its last words", () => {
  test("a service that does not answer", async () => {
    const layout = fresh();
    await listenOnSocket(createServer(), layout.policySocket);
    says(serviceLog(layout, "guard"), "one\ntwo\n\nthree\nfour\nfive\nsix\n");
    assert.deepEqual(await waitUntilReady(layout, [], never, PATIENCE_MS), {
      ok: false,
      reason: "The guard takes no commands after 0.3 s. Last words of guard:\n  two\n  three\n  four\n  five\n  six",
    });
  });

  test("a closed port; Postfix speaks in the mail log", async () => {
    const layout = fresh();
    await withSockets(layout);
    says(layout.mailLog, "postfix/master[1]: fatal: bind\n");
    assert.deepEqual(await waitUntilReady(layout, [smtp(1)], never, PATIENCE_MS), {
      ok: false,
      reason: "Port 1 (ports.smtp) is not open after 0.3 s. Last words of postfix:\n  postfix/master[1]: fatal: bind",
    });
  });

  test("a service that keeps ending is reported long before the time limit", async () => {
    const layout = fresh();
    const pid = join(layout.services, "web", "supervise", "pid");
    let id = 1_000;
    const restarts = setInterval(() => says(pid, `${++id}\n`), 20);
    try {
      assert.deepEqual(await waitUntilReady(layout, [], never, 60_000), {
        ok: false,
        reason: "web keeps ending. Its last words:\n  (none)",
      });
    } finally {
      clearInterval(restarts);
    }
  });
});
