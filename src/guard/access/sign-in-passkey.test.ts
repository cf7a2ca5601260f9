import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Authenticator } from "../../../test/kit/authenticator.ts";
import { PASSWORD } from "../../../test/kit/commands-kit.ts";
import { ip } from "../../../test/kit/samples.ts";
import { webGateOf } from "../../../test/kit/web-gate-kit.ts";
import type { Event } from "../../core/events/event.ts";
import { codeAt, STEP_MS } from "./one-time-codes.ts";

const OWN = { ip: ip("203.0.113.7"), known: null } as const;

describe("sign-ins to the dashboard with a passkey", () => {
  const kit = webGateOf(import.meta.filename);
  let origin: string;
  beforeEach(() => {
    origin = `https://${kit.hostname()}`;
  });

  const signed = (device: Authenticator) => device.sign({ challenge: kit.keys.challenge(), origin });

  function add(device: Authenticator): void {
    const made = kit.keys.checkMade(device.make({ challenge: kit.keys.challengeToMake("s"), origin }), "s");
    assert.ok(made.ok);
    assert.ok(kit.passkeys.add({ ...made.passkey, name: "Laptop", at: kit.clock.now() }).ok);
  }

  test("a factor that is removed during a sign-in opens nothing", async (t) => {
    const device = new Authenticator();
    add(device);
    assert.equal(typeof (await kit.signIn.open({ ...OWN, passkey: signed(device) }, "x")), "object");
    const ask = kit.engine.ask.bind(kit.engine);
    t.mock.method(kit.engine, "ask", async (event: Event) => {
      const decision = await ask(event);
      if (event.type === "LOGIN_SUCCEEDED") kit.factors.reset();
      return decision;
    });
    assert.equal(await kit.signIn.open({ ...OWN, passkey: signed(device) }, "x"), "wrong");
    const [secret, at] = [Buffer.from("12345678901234567890"), kit.clock.now()];
    kit.factors.setTotp({ secret, lastStep: 0, at, recovery: [] });
    const code = codeAt(secret, Math.floor(at / STEP_MS));
    assert.equal(await kit.signIn.open({ ...OWN, password: PASSWORD, code }, "x"), "wrong");
    assert.equal(kit.count("LOGIN_SUCCEEDED"), 3);
    assert.deepEqual(kit.sessions.list(null, kit.clock.now()), []);
  });

  test("a reset of the factors recorded with a sign-in leaves it no session, in either order", async (t) => {
    const ask = kit.engine.ask.bind(kit.engine);
    const removed = { type: "FACTOR_REMOVED", subject: "every second factor", by: "root" } as const;
    let later = 0;
    let reset: Promise<void> = Promise.resolve();
    t.mock.method(kit.engine, "ask", (event: Event) => {
      const asked = ask(event);
      if (event.type === "LOGIN_SUCCEEDED")
        reset = kit.engine.audit(removed).then(async () => {
          for (let i = 0; i < later; i++) await Promise.resolve();
          kit.factors.reset();
        });
      return asked;
    });
    for (; later <= 10; later++) {
      const device = new Authenticator();
      add(device);
      await kit.signIn.open({ ...OWN, passkey: signed(device) }, "x");
      await reset;
      assert.deepEqual(kit.sessions.list(null, kit.clock.now()), [], `${later}`);
    }
  });

  test("wrong passkeys wait their turn, and repeating an unknown one is stopped", async () => {
    const device = new Authenticator();
    const start = performance.now();
    const many = [1, 2, 3, 4].map((n) =>
      kit.signIn.open({ ip: ip(`198.51.${n}.1`), known: null, passkey: signed(device) }, "x"),
    );
    assert.deepEqual(await Promise.all(many), ["wrong", "wrong", "wrong", "wrong"]);
    assert.ok(performance.now() - start > 150, "one after the other");
    const outcomes: unknown[] = [];
    for (let i = 0; i < 12; i++) outcomes.push(await kit.signIn.open({ ...OWN, passkey: signed(device) }, "x"));
    assert.equal(outcomes.at(-1), "refused");
  });
});
