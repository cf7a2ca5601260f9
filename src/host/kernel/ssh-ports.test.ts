import assert from "node:assert/strict";
import { test } from "node:test";
import { sshPortsIn } from "./listeners.ts";

const ROOTS = " ino:51434302 sk:12d3f cgroup:/system.slice <->";
const USERS = " uid:1000 ino:51434303 sk:12d40 cgroup:/user.slice/user-1000.slice <->";

const LINES = {
  sshd: `LISTEN 0 128 0.0.0.0:2222 0.0.0.0:* users:(("sshd",pid=700,fd=3))${ROOTS}`,
  dropbear: `LISTEN 0 128 [::]:2022 [::]:* users:(("dropbear",pid=701,fd=3))${ROOTS}`,
  unit: `LISTEN 0 4096 *:2200 *:* users:(("sshd",pid=900,fd=3),("systemd",pid=1,fd=80))${ROOTS}`,
  socket: `LISTEN 0 4096 *:2201 *:* users:(("systemd",pid=1,fd=80))${ROOTS}`,
  session: `ESTAB 0 0 203.0.113.10:2201 198.51.100.65:50000 users:(("sshd-session",pid=901,fd=4))${ROOTS}`,
  forwarded: `ESTAB 0 0 203.0.113.10:43210 203.0.113.20:5432 users:(("sshd",pid=901,fd=9))${ROOTS}`,
  remote: `LISTEN 0 128 127.0.0.1:8080 0.0.0.0:* users:(("sshd",pid=901,fd=10))${ROOTS}`,
  client: `ESTAB 0 0 203.0.113.10:43211 203.0.113.20:22 users:(("ssh",pid=902,fd=3))${ROOTS}`,
  mail: `LISTEN 0 100 0.0.0.0:25 0.0.0.0:* users:(("master",pid=950,fd=13))${ROOTS}`,
  named: `LISTEN 0 128 0.0.0.0:8443 0.0.0.0:* users:(("sshd",pid=960,fd=3))${USERS}`,
  gateway: `LISTEN 0 128 0.0.0.0:8444 0.0.0.0:* users:(("sshd-session",pid=961,fd=9))${USERS}`,
  asked: `ESTAB 0 0 203.0.113.10:8443 198.51.100.65:50001 users:(("dropbear",pid=962,fd=4)) timer:(keepalive,9sec,0)${USERS}`,
};

test("the ports of SSH are those of its listeners, and of its sessions where systemd listens", () => {
  const of = (...names: readonly (keyof typeof LINES)[]) => sshPortsIn(names.map((name) => LINES[name]).join("\n"));
  assert.deepEqual(of("sshd", "dropbear", "mail"), [2022, 2222]);
  assert.deepEqual(of("unit"), [2200]);
  assert.deepEqual(of("socket"), [], "systemd listens for other services too");
  assert.deepEqual(of("socket", "session", "session"), [2201]);
  assert.deepEqual(of("forwarded", "remote", "client", "mail"), []);
  assert.deepEqual(of("named", "gateway", "asked", "sshd"), [2222], "any user can name a program so");
  assert.deepEqual(sshPortsIn("\nnonsense\n"), []);
});
