import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { answers, failed, hung, saying, servedPort, servedSocket, silent } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { exchange } from "../probes/exchange.ts";
import { ANVIL, announcing, CLEANUP, SMTP, unlessDiskFull, WOKEN } from "./probe.ts";

const LONG_MS = 5_000;
const SHORT_MS = 100;

test("a service of Postfix works if it names its own protocol", async () => {
  const rewrite = saying("protocol\0trivial_rewrite_protocol\0\0");
  assert.ok(await answers(rewrite, announcing("trivial_rewrite_protocol"), LONG_MS));
  for (const other of [rewrite, silent]) assert.ok(!(await answers(other, announcing("proxymap_protocol"), SHORT_MS)));
});

test("anvil works if it names its protocol, which it does in text", async () => {
  assert.ok(await answers(saying("protocol=anvil_protocol\n\n"), ANVIL, LONG_MS));
  assert.ok(!(await answers(saying("protocol\0anvil_protocol\0\0"), ANVIL, SHORT_MS)));
});

test("a service that is woken works if it reads the word and closes the connection", async () => {
  const heard = Promise.withResolvers<string>();
  const reads = await servedSocket((socket) => {
    socket.on("data", (said) => {
      heard.resolve(said.toString());
      socket.end();
    });
  });
  assert.deepEqual(await exchange({ path: reads }, WOKEN, LONG_MS), { ok: true });
  assert.equal(await heard.promise, "W");
  const mute = await servedSocket(silent);
  assert.deepEqual(await exchange({ path: mute }, WOKEN, SHORT_MS), hung("gave no answer within 0.1 s"));
});

test("cleanup works if it has a queue file for a mail", async () => {
  const greeting = "protocol\0cleanup_protocol\0queue_id\x0090281EA2095\0\0";
  assert.ok(await answers(saying(greeting), CLEANUP, LONG_MS));
  assert.ok(!(await answers(saying("protocol\0cleanup_protocol\0queue_id\0"), CLEANUP, SHORT_MS)));
});

test("port 25 works if it greets; then the session is ended", async () => {
  const heard = Promise.withResolvers<string>();
  const port = await servedPort((socket) => {
    socket.write("220 mail.example.org ESMTP\r\n");
    socket.on("data", (said) => heard.resolve(said.toString()));
  });
  const at = { host: "127.0.0.1", port, localAddress: "127.0.0.1" };
  assert.ok((await exchange(at, SMTP, LONG_MS)).ok);
  assert.equal(await heard.promise, "QUIT\r\n");
  const busy = await servedPort(saying("421 4.3.2 All server ports are busy\r\n"));
  assert.deepEqual(await exchange({ ...at, port: busy }, SMTP, LONG_MS), failed("gave an unexpected answer"));
});

const HANGS = hung("gave no answer within 3 s");

test("a result is left unchanged unless it hangs and the disk accepts no file", () => {
  const directory = temporaryDirectory();
  for (const result of [HANGS, { ok: true as const }, failed("hung up")])
    assert.deepEqual(unlessDiskFull(result, directory), result);
});

test("a missing directory explains why cleanup is silent", () => {
  const directory = join(temporaryDirectory(), "none");
  const says = `gave no answer within 3 s while ${directory} cannot be written (ENOENT)`;
  assert.deepEqual(unlessDiskFull(HANGS, directory), failed(says));
});

const MOUNTS = { skip: lacking({ root: true, installed: ["mount"] }) };

test("a full or read-only disk explains why cleanup is silent", MOUNTS, () => {
  using mount = tmpfs(join(temporaryDirectory(), "disk"), "size=2m,nr_inodes=3");
  const disk = mount.path;
  const says = (): string => {
    const found = unlessDiskFull(HANGS, disk);
    return found.ok ? "" : `${found.hangs} ${found.says}`;
  };
  assert.match(says(), /^true/);
  writeFileSync(join(disk, "filler"), Buffer.alloc(1_200_000));
  assert.match(says(), /^false .* while no space is left below /);
  writeFileSync(join(disk, "filler"), "");
  writeFileSync(join(disk, "last"), "");
  assert.match(says(), /^false .* while no inode is left below /);
  rmSync(join(disk, "last"));
  assert.match(says(), /^true/);
  execFileSync("mount", ["-o", "remount,ro", disk]);
  assert.match(says(), /^false .* cannot be written \(EROFS\)/);
});
