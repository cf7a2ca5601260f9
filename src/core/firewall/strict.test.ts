import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod/mini";
import { door, opening } from "../../../test/kit/samples.ts";
import { beyond, isLetIn, isNothing, merged, parseDoor, parseInterface, partsOf, strictState } from "./strict.ts";

test("a door is a port or a range, with its protocol and optionally the family", () => {
  assert.deepEqual(partsOf(door("60000-61000/udp6")), { protocol: "udp", family: 6, first: 60_000, last: 61_000 });
  for (const text of ["25/tcp", "22/tcp4", "60000-61000/udp", "1-65535/tcp"]) assert.equal(door(text), text);
  assert.equal(door("025/tcp"), "25/tcp");
  assert.equal(door("25-25/tcp"), "25/tcp");
  for (const text of ["25", "0/tcp", "65536/tcp", "30-20/udp", "25/sctp", "25/tcp5", "ssh/tcp", "-1/tcp", " 25/tcp"])
    assert.equal(parseDoor(text), null, text);
});

test("openings are merged into the fewest doors that accept the same", () => {
  const all = merged(opening(["993/tcp", "22/tcp4"], ["wg0"]), opening(["22/tcp6", "90-100/udp", "95/udp"], ["br-*"]));
  assert.deepEqual(all, opening(["22/tcp", "90-100/udp", "993/tcp"], ["br-*", "wg0"]));
  assert.deepEqual(merged(opening(["22/tcp", "22/tcp4"])).doors, ["22/tcp"]);
  const sorted = ["25/tcp", "25/udp6", "90-95/udp", "90-100/tcp", "95-200/udp", "100-200/tcp4"];
  assert.deepEqual(merged(opening(sorted.toReversed())).doors, sorted);
});

test("the doors of one opening that another lacks", () => {
  const wide = opening(["22/tcp", "90-100/udp"], ["wg0"]);
  assert.ok(isNothing(beyond(opening(["22/tcp4", "95/udp"], ["wg0"]), wide)));
  assert.deepEqual(beyond(wide, opening(["22/tcp4", "90-99/udp"])), wide);
  assert.ok(isNothing(beyond(opening(["22/tcp", "25/tcp4"]), opening(["22/tcp4", "22/tcp6", "25/tcp4"]))));
  assert.deepEqual([opening(["22/tcp"]), opening([], ["wg0"])].map(isNothing), [false, false]);
  assert.ok(isLetIn(door("100/udp6"), wide));
  assert.ok(!isLetIn(door("100/tcp"), wide));
});

test("an interface is named, or several by their prefix", () => {
  for (const name of ["wg0", "br-*", "eth0.12", "tun-office"]) assert.equal(parseInterface(name), name);
  for (const name of ["*", "", "a*b", "sixteen-letters-", 'x"y', ".."]) assert.equal(parseInterface(name), null, name);
});

test("the state is read back unchanged; anything else is null", () => {
  const trial = { opening: opening(["25/tcp"]), connections: ["198.51.100.1 5000 203.0.113.10 22"] };
  const state = { confirmed: opening(["22/tcp"], ["wg0"]), trial };
  assert.deepEqual(z.parse(strictState, JSON.parse(JSON.stringify(state))), state);
  const wrong = (doors: string[], trusted: string[]) => ({ confirmed: { doors, trusted }, trial: null });
  for (const one of ["", [], { confirmed: null }, wrong(["25"], []), wrong(["025/tcp"], []), wrong([], ["*"])])
    assert.ok(!z.safeParse(strictState, one).success, JSON.stringify(one));
});
