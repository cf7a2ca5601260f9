import assert from "node:assert/strict";
import { test } from "node:test";
import { socketDoorsOf, sshDoorsIn, sshDoorsOf } from "./listeners.ts";

const LINES = {
  v4: `LISTEN 0 128 0.0.0.0:2222 0.0.0.0:* users:(("sshd",pid=700,fd=3))`,
  v6: `LISTEN 0 128 [::]:2222 [::]:* users:(("sshd",pid=700,fd=4))`,
  address: `LISTEN 0 128 203.0.113.10:2200 0.0.0.0:* users:(("sshd",pid=700,fd=5))`,
  socket: `LISTEN 0 4096 *:2201 *:* users:(("systemd",pid=1,fd=80))`,
  session: `ESTAB 0 0 [::ffff:203.0.113.10]:2201 [::ffff:198.51.100.65]:50000 users:(("sshd-session",pid=901,fd=4))`,
  mail: `LISTEN 0 100 0.0.0.0:25 0.0.0.0:* users:(("master",pid=950,fd=13))`,
  users: `LISTEN 0 128 [::]:2222 [::]:* users:(("nc",pid=960,fd=3)) uid:1000 ino:7 sk:8 cgroup:/ <->`,
};

test("SSH is accepted over the families on which it listens", () => {
  const of = (...names: readonly (keyof typeof LINES)[]) => sshDoorsIn(names.map((name) => LINES[name]).join("\n"));
  assert.deepEqual(of("v4", "mail"), ["2222/tcp4"]);
  assert.deepEqual(of("v4", "v6", "address"), ["2200/tcp4", "2222/tcp"]);
  assert.deepEqual(of("socket", "session"), ["2201/tcp"]);
  assert.deepEqual(of("socket", "mail"), []);
  assert.deepEqual(of("v4", "users"), ["2222/tcp4"], "what another user than root listens at is not SSH");
});

test("the configuration of sshd names ports that it does not listen on yet", () => {
  const printed = "port 22\naddressfamily any\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\n";
  assert.deepEqual(sshDoorsOf(printed), ["22/tcp"]);
  assert.deepEqual(sshDoorsOf("port 2222\nlistenaddress 0.0.0.0:2222\nlistenaddress 127.0.0.1:2223\n"), ["2222/tcp4"]);
  assert.deepEqual(sshDoorsOf("sshd: no hostkeys available -- exiting.\n"), []);
});

test("a unit of systemd may listen for SSH", () => {
  assert.deepEqual(socketDoorsOf("Listen=22 (Stream)\n"), ["22/tcp"]);
  assert.deepEqual(socketDoorsOf("Listen=[::]:2222 (Stream)\nListen=192.0.2.1:2200 (Stream)\n"), [
    "2200/tcp4",
    "2222/tcp",
  ]);
  assert.deepEqual(
    socketDoorsOf("Listen=/run/ssh (Stream)\nListen=127.0.0.1:9 (Stream)\nListen=[::]:9 (Datagram)\n"),
    [],
  );
});
