import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionsIn, listeningDoors } from "./listeners.ts";

test("sockets that others can reach, with their programs", () => {
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
  assert.deepEqual(
    found.map(({ door, programs }) => [door, ...programs].join(" ")),
    [
      "8080/tcp4 nginx",
      "9090/tcp systemd",
      "53/tcp6 named",
      "68/udp4 systemd-network",
      "51820/udp4",
      "546/udp6 dhclient",
    ],
  );
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
