import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory } from "../../../test/kit/engine-kit.ts";
import { ip, MAIL } from "../../../test/kit/samples.ts";
import type { Credit } from "../../core/decide/honest-mail.ts";
import { hostPrefix, neighbourhoodOf } from "../../core/net/ip.ts";
import { DAY_MS } from "../../core/time.ts";

const LIST = ip("198.51.100.7");

function scene() {
  const kit = engineOnMemory();
  const credit = (mail: Credit, times = 1): void => {
    for (let i = 0; i < times; i++)
      kit.sqlite.apply(
        { type: "CREDIT", prefix: hostPrefix(LIST), network: neighbourhoodOf(LIST, 64), mail },
        kit.clock.now(),
      );
  };
  const mail = () => kit.engine.ask({ type: "DATA", recipientCount: 1, ...MAIL, ip: LIST });
  const eleventh = async (): Promise<string> => {
    for (let i = 0; i < 10; i++) assert.equal((await mail()).verdict, "pass");
    const { verdict, reason } = await mail();
    return `${verdict} ${reason}`;
  };
  return { ...kit, credit, mail, eleventh };
}

test("a server to which an account wrote, or whose mail users want, is deferred at the 11th mail", async () => {
  for (const kind of ["written", "wanted"] as const) {
    const { credit, eleventh, mail, clock } = scene();
    credit(kind);
    assert.equal(await eleventh(), "defer wanted_busy");
    for (let i = 0; i < 100; i++) assert.equal((await mail()).reason, "wanted_busy");
    clock.advance(61_000);
    assert.equal((await mail()).verdict, "pass", "deferred mail is accepted when it is retried");
  }
});

test("good mail on three different days is needed, and no number of mails on fewer days", async () => {
  const { credit, eleventh, clock } = scene();
  credit("proven", 500);
  clock.advance(DAY_MS);
  credit("proven", 500);
  assert.equal(await eleventh(), "refuse mail_limit");
  const other = scene();
  for (let day = 0; day < 3; day++) {
    other.credit("proven");
    other.clock.advance(DAY_MS);
  }
  assert.equal(await other.eleventh(), "defer wanted_busy");
});

test("accepted mail is not enough, and a server's credit expires", async () => {
  const { credit, eleventh, clock } = scene();
  for (let day = 0; day < 10; day++) {
    credit("accepted");
    clock.advance(DAY_MS);
  }
  assert.equal(await eleventh(), "refuse mail_limit");
  const late = scene();
  late.credit("wanted");
  late.clock.advance(32 * DAY_MS);
  assert.equal(await late.eleventh(), "refuse mail_limit");
});

test("connections of such a server are deferred up to three times the limit", async () => {
  const { credit, engine } = scene();
  credit("written");
  const connect = () => engine.ask({ type: "CONNECT", ...MAIL, ip: LIST });
  for (let i = 0; i < 20; i++) assert.equal((await connect()).verdict, "pass");
  for (let i = 20; i < 60; i++) assert.equal((await connect()).reason, "wanted_busy");
  assert.equal((await connect()).reason, "connection_limit");
});
