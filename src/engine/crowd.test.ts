import assert from "node:assert/strict";
import { test } from "node:test";
import { NoticeBoard } from "../../test/kit/engine-kit.ts";
import { ip, MAIL, NOON } from "../core/samples.ts";
import { later } from "../core/time.ts";
import { CROWD, Crowd } from "./crowd.ts";

const PROXY = ip("172.18.0.5");

function crowd() {
  const notices = new NoticeBoard();
  const watched = new Crowd(notices);
  const connect = (from: string, at = 0): void =>
    watched.observe({ type: "CONNECT", ip: ip(from), service: "smtp", session: "", clientName: null }, later(NOON, at));
  const helo = (from: string, name: string): void =>
    watched.observe({ type: "RECIPIENT", listed: null, senderExists: null, ...MAIL, ip: ip(from), helo: name }, NOON);
  return { watched, notices, connect, helo };
}

test("one private address that is nearly all clients hides them; with three faces the owner is told", () => {
  const { watched, notices, connect, helo } = crowd();
  for (let i = 1; i < CROWD.events; i++) connect(PROXY);
  assert.equal(watched.hides(PROXY), false, "too few to tell");
  connect(PROXY);
  assert.equal(watched.hides(PROXY), true);
  for (const name of ["one.test", "ONE.test", "two.test"]) helo(PROXY, name);
  assert.equal(notices.raised.size, 0, "it may be one client");
  helo(PROXY, "three.test");
  assert.match(notices.raised.get("all_clients_private") ?? "", /172\.18\.0\.5/);
});

test("among others a private address is one client of many, and the notice goes", () => {
  const { watched, notices, connect, helo } = crowd();
  for (let i = 0; i < 10; i++) connect(PROXY);
  for (const name of ["one.test", "two.test", "three.test"]) helo(PROXY, name);
  assert.equal(notices.raised.size, 1);
  for (let i = 0; i < 5; i++) connect(`203.0.113.${i}`);
  connect(PROXY);
  assert.equal(watched.hides(PROXY), false);
  assert.equal(notices.raised.size, 0);
});

test("no public address hides anybody", () => {
  const { watched, connect } = crowd();
  for (let i = 0; i < 100; i++) connect("203.0.113.7");
  assert.equal(watched.hides(ip("203.0.113.7")), false);
});

test("what is older than two windows counts no more, and a clock set back is borne", () => {
  const { watched, connect } = crowd();
  for (let i = 0; i < 100; i++) connect("203.0.113.7");
  for (let i = 0; i < 20; i++) connect(PROXY, CROWD.windowMs);
  assert.equal(watched.hides(PROXY), false);
  for (let i = 0; i < 20; i++) connect(PROXY, 2 * CROWD.windowMs);
  assert.equal(watched.hides(PROXY), true);
  connect("203.0.113.8", -CROWD.windowMs);
  assert.equal(watched.hides(PROXY), true);
});
