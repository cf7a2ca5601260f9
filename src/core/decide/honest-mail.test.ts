import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { net } from "../../../test/kit/samples.ts";
import { type HonestServer, honestyOf, isWanted } from "./honest-mail.ts";

const unit = (host: number) => net(`203.0.113.${host}`);
const server = (host: number, counts: Partial<HonestServer> = {}): HonestServer => ({
  prefix: unit(host),
  accepted: 1,
  proven: 0,
  wanted: 0,
  written: 0,
  provenDays: 0,
  ...counts,
});

test("one mail does not make a server wanted, unless someone here knows who sends", () => {
  assert.equal(isWanted(server(1, { accepted: 100, proven: 100, provenDays: 2 })), false);
  assert.equal(isWanted(server(1, { provenDays: 3 })), true);
  assert.equal(isWanted(server(1, { wanted: 1 })), true);
  assert.equal(isWanted(server(1, { written: 1 })), true);
});

test("each honest server raises the limits of its network, up to five times", () => {
  assert.deepEqual(honestyOf([], []), { spared: false, times: 1 });
  assert.deepEqual(honestyOf([server(1), server(2)], []), { spared: false, times: 3 });
  const many = Array.from({ length: 200 }, (_, i) => server(i));
  assert.deepEqual(honestyOf(many, []), { spared: false, times: 5 });
});

const servers = fc
  .uniqueArray(fc.nat(255), { maxLength: 40 })
  .chain((hosts) =>
    fc.tuple(
      ...hosts.map((host) =>
        fc
          .record({ accepted: fc.nat(9), wanted: fc.nat(1), written: fc.nat(1), provenDays: fc.nat(4) })
          .map((counts) => server(host, counts)),
      ),
    ),
  );
test("offenders' mail vouches for nothing, and honest mail never makes a ban easier", () => {
  fc.assert(
    fc.property(servers, fc.uniqueArray(fc.nat(255)), (all, hosts) => {
      const offenders = hosts.map(unit);
      const honest = all.filter(({ prefix }) => !offenders.includes(prefix));
      const reported = honestyOf(all, offenders);
      assert.deepEqual(reported, honestyOf(honest, []));
      assert.ok(reported.times >= 1 && reported.times <= 5);
      assert.equal(reported.spared, honest.some(isWanted));
      const more = honestyOf([...all, server(300 - 256)], offenders);
      assert.ok(more.times >= reported.times && (more.spared || !reported.spared));
    }),
  );
});
