import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILT_IN_ZONES } from "../../src/mail/dns/unbound-conf.ts";
import { DNS_HOST } from "./network.ts";
import type { Running } from "./with-product.ts";

const RESOLVER = "127.71.9.53";
/** Zones, each with a name that the stub's server knows. The resolver itself would answer that none of them exist. */
const STUBS = {
  "corp.home.arpa": "www.corp.home.arpa",
  "lan.test": "www.lan.test",
  "box.localhost": "www.box.localhost",
  "hidden.onion": "www.hidden.onion",
  "10.in-addr.arpa": "1.0.0.10.in-addr.arpa",
  "5.168.192.in-addr.arpa": "1.5.168.192.in-addr.arpa",
  "172.in-addr.arpa": "1.0.16.172.in-addr.arpa",
  "d.f.ip6.arpa": "1.d.f.ip6.arpa",
  "e.f.ip6.arpa": "1.8.e.f.ip6.arpa",
} as const;

/** Uses the internet's root, which is unreachable here, because with the lab's own root no name would be reserved. */
export const STUB_ZONES = {
  settings: {
    GHOSTINBOX_DNS__ROOT_HINTS: "",
    GHOSTINBOX_DNS__TRUST_ANCHOR: "",
    GHOSTINBOX_DNS__STUB: Object.keys(STUBS)
      .map((zone) => `${zone}=${DNS_HOST}`)
      .join(","),
  },
  records: Object.values(STUBS).map((name) => `${name}. TXT "from the stub server"`),
};

/** For a server with STUB_ZONES. */
export function stubZonesTests({ lab }: Pick<Running, "lab">): void {
  const asked = (name: string): Promise<string> => lab.server.mustExec(["drill", name, `@${RESOLVER}`, "TXT"]);

  for (const [zone, name] of Object.entries(STUBS))
    test(`${zone} is asked of its server`, async () => {
      const answer = await asked(name);
      assert.match(answer, /rcode: NOERROR/);
      assert.match(answer, /TXT\s+"from the stub server"/);
    });

  test("the resolver still answers that other reserved names do not exist", async () => {
    const own = Object.keys(STUBS);
    const others = BUILT_IN_ZONES.filter(
      (zone) => zone !== "localhost" && !own.some((stub) => zone === stub || zone.endsWith(`.${stub}`)),
    );
    assert.ok(others.length > 70);
    for (const zone of others) assert.match(await asked(`nothing.${zone}`), /rcode: NXDOMAIN/, zone);
  });
}
