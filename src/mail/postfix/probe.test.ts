import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { failed, hung, saying, servedPort, servedSocket, silent } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { exchange } from "../probes/exchange.ts";
import { ANVIL, announcing, CLEANUP, SMTP, unlessDiskFull, WOKEN } from "./probe.ts";

const LONG_MS = 5_000;
const SHORT_MS = 100;

test("a service of Postfix works if it names its own protocol", async () => {
  const rewrite = await servedSocket(saying("protocol\0trivial_rewrite_protocol\0\0"));
  assert.ok((await exchange({ path: rewrite }, announcing("trivial_rewrite_protocol"), LONG_MS)).ok);
  assert.ok(!(await exchange({ path: rewrite }, announcing("proxymap_protocol"), SHORT_MS)).ok);
  assert.ok(!(await exchange({ path: await servedSocket(silent) }, announcing("proxymap_protocol"), SHORT_MS)).ok);
});

test("anvil works if it names its protocol, which it does in text", async () => {
  assert.ok((await exchange({ path: await servedSocket(saying("protocol=anvil_protocol\n\n")) }, ANVIL, LONG_MS)).ok);
  assert.ok(
    !(await exchange({ path: await servedSocket(saying("protocol\0anvil_protocol\0\0")) }, ANVIL, SHORT_MS)).ok,
  );
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
  assert.deepEqual(
    await exchange({ path: await servedSocket(silent) }, WOKEN, SHORT_MS),
    hung("gave no answer within 0.1 s"),
  );
});

test("cleanup works if it has a queue file for a mail", async () => {
  const greeting = "protocol\0cleanup_protocol\0queue_id\x0090281EA2095\0\0";
  assert.ok((await exchange({ path: await servedSocket(saying(greeting)) }, CLEANUP, LONG_MS)).ok);
  assert.ok(
    !(await exchange({ path: await servedSocket(saying("protocol\0cleanup_protocol\0queue_id\0")) }, CLEANUP, SHORT_MS))
      .ok,
  );
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
  const disk = join(temporaryDirectory(), "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m,nr_inodes=3", "tmpfs", disk]);
  const says = (): string => {
    const found = unlessDiskFull(HANGS, disk);
    return found.ok ? "" : `${found.hangs} ${found.says}`;
  };
  try {
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
  } finally {
    execFileSync("umount", [disk]);
  }
});
