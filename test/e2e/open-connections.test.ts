import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { FLOODED, floodTests } from "../lab/flood-tests.ts";
import { hold } from "../lab/held.ts";
import type { Connected } from "../lab/host.ts";
import { ANNA, assertAccepted, openImapAs, sendMail, sendMailAs } from "../lab/mail.ts";
import { SERVER } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

/** Anna's address, and one that no account knows. */
const HOME = "198.51.100.70";
const ELSEWHERE = "198.51.100.75";
const BANNED = "198.51.100.91";

describe("who may hold connections", needsLab(), () => {
  const { lab, product } = withProduct(
    {
      GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "10000",
      GHOSTINBOX_LIMITS__CONNECTIONS__PER_HOUR: "10000",
      ...FLOODED,
    },
    [ANNA],
  );

  const connect = (from: string, port: number): Promise<Connected> => lab.sender.connect({ from, to: SERVER.v4, port });

  test("an address that an account knows may hold more connections than a stranger's", async (t) => {
    using _ = await openImapAs(lab.sender, HOME, ANNA);
    await hold(t, lab.sender, HOME, Array<number>(20).fill(993));
    await hold(t, lab.sender, ELSEWHERE, Array<number>(10).fill(993));
    await until("the eleventh of a stranger is refused", async () => isRefused(await connect(ELSEWHERE, 993)));
    // The owner's twenty-second connection is accepted.
    await hold(t, lab.sender, HOME, [993]);
  });

  test("a stranger's ten connections count over all ports together", async (t) => {
    const from = "198.51.100.79";
    await hold(t, lab.sender, from, [25, 465, 587, 993, 25, 465, 587, 993, 465, 993]);
    for (const port of [25, 465, 587, 993])
      await until(`the eleventh is refused at ${port}`, async () => isRefused(await connect(from, port)));
  });

  test("strangers who hold most connections of a port make room for the owner and for other strangers", async (t) => {
    // Nine connections from each of nine hosts, so that each host stays below its own limit.
    const hosts = Array.from({ length: 9 }, (_, i) => `198.51.100.${80 + i}`);
    const ofHosts = await Promise.all(hosts.map((from) => hold(t, lab.sender, from, Array<number>(9).fill(587))));
    const held = ofHosts.flat();
    const ended = new Set<Socket>();
    for (const one of held) one.resume().once("close", () => ended.add(one));
    await until("a third of the places is free", () => held.length - ended.size <= 66);
    for (const from of [HOME, ELSEWHERE])
      assertAccepted(await sendMailAs(ANNA, { host: lab.sender, from, recipient: ANNA }));
    await until("a host whose idle connection was cut is refused for a while", async () =>
      (await Promise.all(hosts.map((from) => connect(from, 587)))).map(isRefused).includes(true),
    );
  });

  test("the crowd is reported, and nothing else", async () => {
    const notices = (await product.stats()).health.notices.map(({ code }) => code);
    assert.deepEqual(notices, ["ports_crowded"]);
  });

  test("a firewall table that another program removes is rebuilt, with a notice", async () => {
    await product.json(["ban", BANNED, "--for", "1h"]);
    await lab.server.mustExec(["nft", "delete", "table", "inet", "ghostinbox"]);
    await until("the owner is alerted", () => product.hasNotice("firewall_lost"));
    await until("the bans are back", async () => (await product.firewallBans()).includes(BANNED));
    assert.match(await recorded("FIREWALL_LOST"), /changed or removed by someone else\. by engine/);
  });

  test("a foreign nftables rule that drops a mail port is reported, with the command that shows it, and so is its removal", async () => {
    const { server, sender } = lab;
    const blocked = () => product.notice("ports_blocked");
    /** Four servers that want to deliver mail. */
    const knock = async (): Promise<readonly boolean[]> =>
      Promise.all(
        [101, 102, 103, 104].map((host) =>
          sender.reaches({ from: `198.51.100.${host}`, to: SERVER.v4, port: 25, timeoutMs: 4_000 }),
        ),
      );
    await server.mustExec(["nft", "add table inet lab_other"]);
    const hook = "{ type filter hook input priority filter; policy accept; }";
    await server.mustExec(["nft", `add chain inet lab_other input ${hook}`]);
    await server.mustExec(["nft", 'add rule inet lab_other input iifname != "lo" tcp dport 25 drop']);
    try {
      const detail = await until("the owner is alerted", async () => {
        assert.deepEqual(await knock(), [false, false, false, false]);
        return blocked();
      });
      assert.match(detail, /^Nothing arrives at port 25 \(\d+ packets in a row\)\. Try: nft list ruleset$/);
      const other = await connect(ELSEWHERE, 993);
      assert.ok(other.ok, "other ports are open");
      await closed(other.socket);
    } finally {
      await server.mustExec(["nft", "delete table inet lab_other"]);
    }
    assert.equal((await sendMail({ host: sender, from: ELSEWHERE })).code, 250);
    await until("it is over", async () => (await blocked()) === undefined);
    await until("its end is recorded", async () =>
      /Port 25: connections arrive again/.test(await recorded("PORTS_BLOCKED")),
    );
    assert.match(await recorded("PORTS_BLOCKED"), /Port 25: none of \d+ packets arrived/);
  });

  // Last, because its notice stays.
  describe("a flood from many addresses", () => floodTests({ lab, product }));

  const recorded = async (type: string): Promise<string> => (await product.cli(["events", "--type", type])).stdout;
});

/** Waits until the server has closed it, too, because connections that it has not closed yet count. */
async function closed(socket: Socket): Promise<void> {
  const over = once(socket, "close");
  socket.resume().end();
  await over;
}

/** Closes the connection if it was opened. */
function isRefused(connected: Connected): boolean {
  if (connected.ok) connected.socket.destroy();
  return !connected.ok && connected.code === "ECONNREFUSED";
}
