import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { ip, NOON } from "../../../test/kit/samples.ts";
import { connectionName } from "../../core/events/connection.ts";
import { type Connection } from "../../core/firewall/connection-shares.ts";
import { prefixOf } from "../../core/net/ip.ts";
import { later, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import type { Progress } from "../facts/smtp-sessions.ts";
import { createPortRoom } from "./port-room.ts";

/** The port's maximum number of connections. Ten make it crowded. */
const PLACES = 15;

function scene() {
  const [clock, notices] = [new HandClock(NOON), new NoticeBoard()];
  const asked: (readonly number[])[] = [];
  const silences = new Map<string, number>();
  const progress = new Map<string, Progress>();
  const known: string[] = [];
  const wanted: string[] = [];
  const room = createPortRoom({
    kernel: { silences: async (ports) => (asked.push(ports), silences) },
    rules: () => ({
      places: new Map([25, 993].map((port) => [port, PLACES])),
      shares: new Map(),
      prefixOf: (address) => prefixOf(address, 64),
      isKnown: (prefix) => known.includes(prefix),
      isWanted: (prefix) => wanted.includes(prefix),
      ownerOf: (prefix) => prefix,
      isExempt: () => false,
    }),
    progress: { of: (connection) => progress.get(connection) ?? null },
    notices,
    clock,
  });
  const reported = (): string | undefined => notices.raised.get("ports_crowded");
  return { room, reported, asked, silences, progress, known, wanted, clock };
}
const strangers = (first: number, count: number): readonly Connection[] =>
  Array.from({ length: count }, (_, i) => ({ ip: ip(`198.51.100.${first + i}`), clientPort: 40_000, port: 25 }));

test("while there is room, no silent client is searched for, and nothing is reported", async () => {
  const { room, reported, asked } = scene();
  assert.deepEqual(await room.plan(strangers(1, 9)), { isCrowded: false, end: [], refused: [] });
  assert.deepEqual([asked, reported()], [[], undefined]);
});

test("if a port is nearly full, the oldest client without progress is disconnected, with a notice for a minute", async () => {
  const { room, reported, asked, progress, clock } = scene();
  await room.plan(strangers(6, 2));
  clock.advance(30 * SECOND_MS);
  progress.set("198.51.100.6 40000 25", { at: later(NOON, 1), isTransferring: false });
  const { isCrowded, end } = await room.plan([...strangers(1, 6), ...strangers(7, 4)]);
  assert.deepEqual([isCrowded, end], [true, strangers(7, 1)]);
  assert.deepEqual(asked, [[25]]);
  const detail = "port 25: 10 connections, room for 15, the most from 198.51.100.7/32; 1 ended";
  assert.equal(reported(), detail);
  await room.plan(strangers(11, 10));
  assert.equal(reported(), detail, "clients that have just connected stay");
  clock.advance(MINUTE_MS - 1);
  await room.plan([]);
  assert.equal(reported(), detail);
  clock.advance(1);
  await room.plan([]);
  assert.equal(reported(), undefined);
});

test("a client disconnected while idle is refused for half a minute, unless an account signs in from its address", async () => {
  const { room, silences, known, clock } = scene();
  const held = async (): Promise<readonly string[]> => (await room.plan([])).refused.map(({ prefix }) => prefix);
  for (const one of strangers(1, 2)) silences.set(connectionName(one), 4_000);
  await room.plan(strangers(1, 11));
  assert.deepEqual(await held(), ["198.51.100.1/32", "198.51.100.2/32"]);
  known.push("198.51.100.2/32");
  assert.deepEqual(await held(), ["198.51.100.1/32"]);
  clock.advance(30 * SECOND_MS - 1);
  assert.deepEqual(await held(), ["198.51.100.1/32"]);
  clock.advance(1);
  assert.deepEqual(await held(), []);
});

test("a client that was disconnected while active, or that sent wanted mail before, may connect again at once", async () => {
  const { room, reported, silences, wanted } = scene();
  await room.plan(strangers(1, 10));
  assert.equal(reported(), "port 25: 10 connections, room for 15; 0 ended");
  const talking = await room.plan(strangers(1, PLACES));
  assert.deepEqual([talking.end.length, talking.refused], [2, []]);
  for (const one of strangers(1, PLACES)) {
    silences.set(connectionName(one), 4_000);
    wanted.push(`${one.ip}/32`);
  }
  const idle = await room.plan(strangers(1, PLACES));
  assert.deepEqual([idle.end.length, idle.refused], [2, []]);
});

test("a client in a mail transfer stays, and silent clients are disconnected before active ones", async () => {
  const { room, silences, progress, clock } = scene();
  const [first, second, ...others] = strangers(1, 10);
  assert.ok(first !== undefined && second !== undefined);
  await room.plan([first]);
  clock.advance(30 * SECOND_MS);
  progress.set(`${first.ip} ${first.clientPort} ${first.port}`, { at: NOON, isTransferring: true });
  silences.set(connectionName(second), 4_000);
  assert.deepEqual((await room.plan([first, ...others, second])).end, [second]);
});
