import { mustRun } from "./commands.ts";
import { namespaceOf, SERVER } from "./network.ts";

/** As docker and podman number them: the bridge has the first address of its network, the container another. */
export const BRIDGE = "172.17.0.1";
/** A second network of the container, which its default route does not lead through. */
export const OTHER_BRIDGE = "172.18.0.1";
/** Another container, such as a proxy for mail. */
export const NEIGHBOUR = "172.17.0.9";

const [NET, CONTAINER] = [namespaceOf("net"), namespaceOf("server")];
const WAYS = {
  bridge: { to: "172.17.0.2", out: "br-one", nat: "masquerade" },
  other: { to: "172.18.0.2", out: "br-two", nat: "masquerade" },
  neighbour: { to: "172.17.0.2", out: "br-one", nat: `snat to ${NEIGHBOUR}` },
} as const;
export type Way = keyof typeof WAYS;

/**
 * Turns the lab's server into a container: it has only private addresses. The lab's router becomes its host, which forwards
 * connections to the published ports of SERVER.v4.
 */
export async function intoContainer(way: Way): Promise<void> {
  await batch(CONTAINER, ["addr flush dev eth0"]);
  for (const [name, network] of Object.entries({ one: "172.17.0", two: "172.18.0" })) {
    await batch(NET, [
      `link add br-${name} type bridge`,
      `addr add ${network}.1/16 dev br-${name}`,
      `link set br-${name} up`,
      `link add to-${name} type veth peer name ${name} netns ${CONTAINER}`,
      `link set to-${name} master br-${name} up`,
    ]);
    await batch(CONTAINER, [`addr add ${network}.2/16 dev ${name}`, `link set ${name} up`]);
  }
  await batch(CONTAINER, [`route add default via ${BRIDGE}`]);
  await batch(NET, [`addr add ${SERVER.v4}/32 dev lo`, `addr add ${NEIGHBOUR}/32 dev br-one`]);
  await publish(way);
}

/** Forwards clients like Docker's proxy for each port (`userland-proxy`), which gives all of them one address. */
export async function publish(way: Way): Promise<void> {
  const { to, out, nat } = WAYS[way];
  const rules = `
    table ip published
    delete table ip published
    table ip published {
      chain in {
        type nat hook prerouting priority dstnat;
        ip daddr ${SERVER.v4} tcp dport { 25, 465, 587, 993 } dnat to ${to}
      }
      chain out {
        type nat hook postrouting priority srcnat;
        ip daddr ${to} oifname "${out}" ${nat}
      }
    }
  `;
  await mustRun(["ip", "netns", "exec", NET, "nft", "-f", "-"], { input: rules });
}

async function batch(namespace: string, lines: readonly string[]): Promise<void> {
  await mustRun(["ip", "-n", namespace, "-batch", "-"], { input: lines.map((line) => `${line}\n`).join("") });
}
