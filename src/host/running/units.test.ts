import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { tellReady } from "./units.ts";

/** In place of systemd: prints its notifications. */
const LISTEN = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
print(s.recv(4096).decode())`;

const NEEDED = { skip: lacking({ installed: ["systemd-notify", "python3"] }) };

test("systemd is notified that the server runs, with its name", NEEDED, async () => {
  const socket = join(temporaryDirectory(), "notify");
  const systemd = spawn("python3", ["-c", LISTEN, socket], { stdio: ["ignore", "pipe", "inherit"] });
  let reported = "";
  systemd.stdout.on("data", (chunk: Buffer) => (reported += chunk.toString()));
  await until(() => existsSync(socket));
  await Promise.all([tellReady("GhostInbox runs as mail.example.org.", socket), once(systemd, "close")]);
  assert.match(reported, /^READY=1$/m);
  assert.match(reported, /^STATUS=GhostInbox runs as mail\.example\.org\.$/m);
});
