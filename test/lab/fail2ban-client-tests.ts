import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { asUser, endProgram } from "./commands.ts";
import { fail2banRuns } from "./fail2ban.ts";
import type { Running } from "./with-product.ts";

/** Answers each question of fail2ban-client with an object that runs a command when it is unpickled. */
const HOSTILE = `
import os, pickle, socket, sys
class Trap:
    def __reduce__(self):
        return (os.system, (sys.argv[2],))
door = socket.socket(socket.AF_UNIX)
door.bind(sys.argv[1])
door.listen()
print("listening", flush=True)
while True:
    client, _ = door.accept()
    client.recv(65536)
    client.sendall(pickle.dumps(Trap()) + b"<F2B_END_COMMAND>")`;

/** For a server with Fail2ban. Stops and starts it. */
export function fail2banClientTests({ lab, product }: Running): void {
  test("cannot run anything as root by its answers to the command line and the keeper", async (t) => {
    const { fail2banSocket: socket } = product.layout;
    await fail2banRuns(product);
    await product.sv("down", "fail2ban");
    rmSync(socket, { force: true });
    const proof = join(dirname(socket), "ran-as");
    const ofRoot = lab.path("ran-as-root");
    const server = ["/usr/bin/python3", "-c", HOSTILE, socket, `id -u > ${proof}; id -u > ${ofRoot}`];
    const hostile = await lab.server.spawnReady([...asUser("ghostinbox-fail2ban"), ...server]);
    t.after(() => hostile.kill("SIGKILL"));

    await product.cli(["fail2ban", "status"]);
    // The keeper is root, too.
    rmSync(proof);
    const { status, text } = await product.api("GET", "/api/v1/fail2ban");
    assert.equal(status, 409);
    assert.match(text, /Fail2ban does not answer\./);
    assert.ok(!text.includes(product.layout.data), text);

    const uid = await lab.server.mustExec(["id", "-u", "ghostinbox-fail2ban"]);
    assert.equal(readFileSync(proof, "utf8"), uid, "the answer did run its command");
    assert.ok(!existsSync(ofRoot));
    await endProgram(hostile, "SIGKILL");
    await product.sv("up", "fail2ban");
  });
}
