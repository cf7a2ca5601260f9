import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { commandsOf } from "../../../../test/kit/commands-kit.ts";
import type { Command } from "../../../admin/declare/control.ts";
import type { ListedMail } from "../../../admin/declare/keeper.ts";

const ANNA = "anna@example.test";
const NONE = { ids: [], account: null, sender: null, recipient: null } as const;
const ALL = { ...NONE, isAll: true, cursor: null } as const;
const id = (n: number): string => `MANY${String(n).padStart(5, "0")}`;

const kit = commandsOf(import.meta.filename);

describe("which mails of the queue a command means", () => {
  let queue: readonly ListedMail[];
  beforeEach(() => {
    queue = [];
    kit.listsQueue(({ senders, where, after, limit }) => {
      obey();
      const present = queue.filter(
        ({ queue: place, sender }) =>
          (where === "anywhere" || (where === "loose" ? place !== "hold" : place === where)) &&
          (senders.length === 0 || senders.includes(sender)),
      );
      return { queue: present.filter(({ at }) => at > (after?.at ?? -1)).slice(0, limit), total: present.length };
    });
  });

  /** The keeper's orders change the queue. */
  function obey(): void {
    for (const asked of kit.asked.splice(0)) {
      if (asked.verb === "hold_mail")
        queue = queue.map((mail) => (asked.ids.includes(mail.id) ? { ...mail, queue: "hold" } : mail));
      if (asked.verb === "delete_mail") queue = queue.filter((mail) => !asked.ids.includes(mail.id));
    }
  }

  function mail(n: number, reported: Partial<ListedMail> = {}): ListedMail {
    const usual = { queue: "deferred", at: n, sizeBytes: 500, sender: ANNA, nextTryAt: null };
    return { id: id(n), ...usual, recipientCount: 0, recipients: [], ...reported };
  }

  async function result(command: Command): Promise<object> {
    const found = await kit.result(command);
    obey();
    return found;
  }

  test("a choice may say where mail waits; a command that is impossible there finds none", async () => {
    queue = [mail(1), mail(2, { queue: "hold" }), mail(3, { queue: "active" })];
    const of = (state: "deferred" | "hold" | "active") => ({ ...ALL, isAll: false, sender: ANNA, state }) as const;
    const listing = await result({ verb: "queue_list", ...NONE, state: "hold", limit: 9, cursor: null });
    assert.match(JSON.stringify(listing), /^\{"mails":\[\{"queueId":"MANY00002".*"total":1\}$/);
    assert.match(await kit.said({ verb: "queue_hold", ...of("hold") }), /^failed No such mail waits/);
    assert.match(await kit.said({ verb: "queue_release", ...of("active") }), /^failed No such mail is on hold/);
    assert.match(await kit.said({ verb: "queue_flush", ...of("hold") }), /^failed No such mail waits for another/);
    const flush = { verb: "queue_flush", ...ALL, state: "active" } as const;
    assert.match(await kit.said(flush), /^failed No such mail waits for another/);
    assert.deepEqual(await result({ verb: "queue_hold", ...of("active") }), { changed: 1, kept: [], next: null });
    assert.deepEqual(
      queue.map(({ queue: place }) => place),
      ["deferred", "hold", "hold"],
    );
    assert.deepEqual(await result({ verb: "queue_delete", ...of("hold") }), { changed: 2, kept: [], next: null });
    assert.deepEqual(kit.details().at(-1), "sender <anna@example.test> state hold by root");
  });

  test("the web deletes at most a thousand mails within an hour, and learns where the rest starts", async () => {
    const as = { as: "5e".repeat(32), ip: "203.0.113.9" };
    kit.signIn(as);
    const ask = async () => {
      const command = { verb: "queue_delete", ...ALL, isAll: false, sender: ANNA } as const;
      const reply = await kit.ask(command, "web", as);
      obey();
      return reply;
    };
    queue = Array.from({ length: 700 }, (_, n) => mail(n));
    assert.deepEqual(await ask(), { ok: true, result: { changed: 700, kept: [], next: null } });
    queue = Array.from({ length: 700 }, (_, n) => mail(n));
    const next = `0000000000000299 ${id(299)}`;
    assert.deepEqual(await ask(), { ok: true, result: { changed: 300, kept: [], next } });
    const more = await ask();
    assert.ok(!more.ok && /as many as they may/.test(more.message));
    assert.equal(queue.length, 400);
    await new Promise((resolve) => setImmediate(resolve));
    const details = kit.details().join("\n");
    assert.match(details, /sender <anna@example\.test> by web:admin via 203\.0\.113\.9/);
    assert.doesNotMatch(details, /queue_delete by web:admin/, "an owner in a hurry is not a break-in");
  });
});
