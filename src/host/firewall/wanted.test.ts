import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { type Door, doorOf, parseDoor } from "../../core/firewall/strict.ts";
import { loadSettings } from "../../settings/load.ts";
import { sshDoors, sshPorts, wantedOpening, wouldBeShut } from "./wanted.ts";

const MAIL = ["25/tcp", "465/tcp", "587/tcp", "993/tcp"];
const SSH = [parseDoor("22/tcp4") ?? assert.fail()];

function settings(toml = "") {
  const loaded = loadSettings(`domains = ["example.org"]\n${toml}`, {});
  return loaded.ok ? loaded.settings : assert.fail(JSON.stringify(loaded.problems));
}

test("includes the ports for connections from others, SSH, and additions from the settings", () => {
  assert.deepEqual(wantedOpening(settings(), SSH), { doors: ["22/tcp4", ...MAIL], trusted: [] });
  const more = 'firewall.open = ["443/tcp", "60000-61000/udp"]\nfirewall.trusted_interfaces = ["wg0"]\n';
  assert.deepEqual(wantedOpening(settings(more), []), {
    doors: ["25/tcp", "443/tcp", "465/tcp", "587/tcp", "993/tcp", "60000-61000/udp"],
    trusted: ["wg0"],
  });
});

for (const [address, door] of [
  ["0.0.0.0", "3000/tcp4"],
  ["::", "3000/tcp"],
  ["2001:db8::1", "3000/tcp6"],
  ["203.0.113.10", "3000/tcp4"],
] as const)
  test(`the dashboard at ${address} is accepted`, () =>
    assert.deepEqual(wantedOpening(settings(`http.address = "${address}"\n`), []).doors, [...MAIL, door]));

test("SSH is found on every machine, and always at the port of the caller's session", async () => {
  assert.ok((await sshDoors()).length > 0);
  assert.ok((await sshDoors(2_299)).includes(parseDoor("2299/tcp") ?? assert.fail()));
  assert.ok((await sshPorts(2_299)).includes(2_299));
});

/** Named as SSH's server, it listens at a port that the kernel chooses, and prints it. */
const NAMED = `process.title = "sshd";
  const server = require("node:net").createServer().listen(0, "0.0.0.0", () => console.log(server.address().port));`;

test("another user's program opens no port by its name", {
  skip: lacking({ root: true, installed: ["ss"] }),
}, async (t) => {
  const listening = async (uid: number): Promise<Door> => {
    const child = spawn(process.execPath, ["--eval", NAMED], { uid, stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    return parseDoor(`${Number(await once(child.stdout, "data"))}/tcp4`) ?? assert.fail();
  };
  const [roots, users] = [await listening(0), await listening(65_534)];
  const found = await sshDoors();
  assert.deepEqual([found.includes(roots), found.includes(users)], [true, false]);
});

test("names a listening program whose port is not accepted", async () => {
  const port = await listenOnPort(createServer(), "0.0.0.0");
  const door = doorOf({ protocol: "tcp", family: 4, first: port, last: port });
  const shut = (await wouldBeShut({ doors: [], trusted: [] })).find((one) => one.door === door);
  assert.equal(shut?.programs.length, 1);
  const rest = await wouldBeShut({ doors: [door], trusted: [] });
  assert.ok(!rest.some((one) => one.door === door));
});
