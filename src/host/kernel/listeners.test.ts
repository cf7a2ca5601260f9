import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connectionsIn,
  isOnLoopback,
  listeningDoors,
  parseListeners,
  socketDoorsOf,
  sshDoorsIn,
  sshDoorsOf,
} from "./listeners.ts";

test("listeners are read with the programs that hold them", () => {
  const text = [
    'LISTEN 0 100 0.0.0.0:25 0.0.0.0:* users:(("smtpd",pid=7,fd=6),("master",pid=5,fd=13),("master",pid=5,fd=14))',
    'LISTEN 0 511 127.0.0.1:3000 0.0.0.0:* users:(("node",pid=9,fd=20))',
    "LISTEN 0 4096 [::]:993 [::]:*",
    "LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:*",
    "nonsense",
    "",
  ].join("\n");
  const found = parseListeners(text);
  assert.deepEqual(found, [
    { address: "0.0.0.0", port: 25, programs: ["smtpd", "master"] },
    { address: "127.0.0.1", port: 3000, programs: ["node"] },
    { address: "[::]", port: 993, programs: [] },
    { address: "127.0.0.53", port: 53, programs: [] },
  ]);
  assert.deepEqual(found.map(isOnLoopback), [false, true, false, true]);
});

test("sockets that others can reach are read with their programs", () => {
  const found =
    listeningDoors(`tcp LISTEN 0 511 0.0.0.0:8080 0.0.0.0:* users:(("nginx",pid=7,fd=6),("nginx",pid=8,fd=6))
tcp LISTEN 0 511 127.0.0.1:9000 0.0.0.0:* users:(("php",pid=9,fd=6))
tcp LISTEN 0 128 *:9090 *:* users:(("systemd",pid=1,fd=60))
tcp LISTEN 0 128 [::]:53 [::]:* users:(("named",pid=11,fd=3))
udp UNCONN 0 0 192.0.2.7%eth0:68 0.0.0.0:* users:(("systemd-network",pid=5,fd=18))
udp UNCONN 0 0 0.0.0.0:51820 0.0.0.0:*
udp UNCONN 0 0 0.0.0.0:41234 0.0.0.0:* users:(("unbound",pid=12,fd=9))
udp UNCONN 0 0 [fe80::1]%eth0:546 [::]:* users:(("dhclient",pid=13,fd=9))
`);
  const reached = found.map(({ door, programs }) => [door, ...programs].join(" "));
  const tcp = ["8080/tcp4 nginx", "9090/tcp systemd", "53/tcp6 named"];
  assert.deepEqual(reached, [...tcp, "68/udp4 systemd-network", "51820/udp4", "546/udp6 dhclient"]);
  assert.deepEqual(listeningDoors("\nnonsense\n"), []);
});

test("connections are written as sshd writes them", () => {
  const found = connectionsIn(`0 0 203.0.113.10:22 198.51.100.65:50000
0 0 [::ffff:203.0.113.10]:2201 [::ffff:198.51.100.65]:50001
0 0 [2001:db8:10::10]:22 [2001:db8:20::10]:50002 users:(("sshd",pid=7,fd=4))
0 0 [fe80::1%eth0]:22 [fe80::2]%eth0:50003
nonsense
`);
  assert.deepEqual(found, [
    "198.51.100.65 50000 203.0.113.10 22",
    "198.51.100.65 50001 203.0.113.10 2201",
    "2001:db8:20::10 50002 2001:db8:10::10 22",
    "fe80::2 50003 fe80::1 22",
  ]);
});

const ROOTS = " ino:51434302 sk:12d3f cgroup:/system.slice <->";
const USERS = " uid:1000 ino:51434303 sk:12d40 cgroup:/user.slice/user-1000.slice <->";

const LINES = {
  v4: `LISTEN 0 128 0.0.0.0:2222 0.0.0.0:* users:(("sshd",pid=700,fd=3))${ROOTS}`,
  v6: `LISTEN 0 128 [::]:2222 [::]:* users:(("sshd",pid=700,fd=4))${ROOTS}`,
  address: `LISTEN 0 128 203.0.113.10:2200 0.0.0.0:* users:(("sshd",pid=700,fd=5))${ROOTS}`,
  dropbear: `LISTEN 0 128 [::]:2022 [::]:* users:(("dropbear",pid=701,fd=3))${ROOTS}`,
  unit: `LISTEN 0 4096 *:2200 *:* users:(("sshd",pid=900,fd=3),("systemd",pid=1,fd=80))${ROOTS}`,
  socket: `LISTEN 0 4096 *:2201 *:* users:(("systemd",pid=1,fd=80))${ROOTS}`,
  session: `ESTAB 0 0 [::ffff:203.0.113.10]:2201 [::ffff:198.51.100.65]:50000 users:(("sshd-session",pid=901,fd=4))${ROOTS}`,
  forwarded: `ESTAB 0 0 203.0.113.10:43210 203.0.113.20:5432 users:(("sshd",pid=901,fd=9))${ROOTS}`,
  remote: `LISTEN 0 128 127.0.0.1:8080 0.0.0.0:* users:(("sshd",pid=901,fd=10))${ROOTS}`,
  client: `ESTAB 0 0 203.0.113.10:43211 203.0.113.20:22 users:(("ssh",pid=902,fd=3))${ROOTS}`,
  mail: `LISTEN 0 100 0.0.0.0:25 0.0.0.0:* users:(("master",pid=950,fd=13))${ROOTS}`,
  named: `LISTEN 0 128 0.0.0.0:8443 0.0.0.0:* users:(("sshd",pid=960,fd=3))${USERS}`,
  gateway: `LISTEN 0 128 0.0.0.0:8444 0.0.0.0:* users:(("sshd-session",pid=961,fd=9))${USERS}`,
  asked: `ESTAB 0 0 203.0.113.10:8443 198.51.100.65:50001 users:(("dropbear",pid=962,fd=4)) timer:(keepalive,9sec,0)${USERS}`,
  users: `LISTEN 0 128 [::]:2222 [::]:* users:(("nc",pid=963,fd=3))${USERS}`,
};

test("SSH is found by its listeners, or by its sessions if systemd listens, for both address families", () => {
  const of = (...names: readonly (keyof typeof LINES)[]) => sshDoorsIn(names.map((name) => LINES[name]).join("\n"));
  assert.deepEqual(of("v4", "dropbear", "mail"), ["2022/tcp6", "2222/tcp4"]);
  assert.deepEqual(of("v4", "v6", "address"), ["2200/tcp4", "2222/tcp"]);
  assert.deepEqual(of("unit"), ["2200/tcp"]);
  assert.deepEqual(of("socket", "mail"), [], "systemd listens for other services too");
  assert.deepEqual(of("socket", "session", "session"), ["2201/tcp"]);
  assert.deepEqual(of("forwarded", "remote", "client", "mail"), []);
  assert.deepEqual(of("named", "gateway", "asked", "v4"), ["2222/tcp4"], "any user can give a program that name");
  assert.deepEqual(of("v4", "users"), ["2222/tcp4"], "only root listens for SSH");
  assert.deepEqual(sshDoorsIn("\nnonsense\n"), []);
});

test("the configuration of sshd names ports that it does not listen on yet", () => {
  const printed = "port 22\naddressfamily any\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\n";
  assert.deepEqual(sshDoorsOf(printed), ["22/tcp"]);
  assert.deepEqual(sshDoorsOf("port 2222\nlistenaddress 0.0.0.0:2222\nlistenaddress 127.0.0.1:2223\n"), ["2222/tcp4"]);
  assert.deepEqual(sshDoorsOf("sshd: no hostkeys available -- exiting.\n"), []);
});

test("a unit of systemd may listen for SSH", () => {
  for (const [printed, doors] of [
    ["Listen=22 (Stream)\n", ["22/tcp"]],
    ["Listen=[::]:2222 (Stream)\nListen=192.0.2.1:2200 (Stream)\n", ["2200/tcp4", "2222/tcp"]],
    ["Listen=/run/ssh (Stream)\nListen=127.0.0.1:9 (Stream)\nListen=[::]:9 (Datagram)\n", []],
  ] as const)
    assert.deepEqual(socketDoorsOf(printed), doors);
});
