import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeeperCommand, KeeperReply } from "../../admin/declare/keeper.ts";
import { keeperOfDryRun } from "./dry-run-parts.ts";

const MAIL = { id: "72CED1EABE5", isHeld: false, at: 0, recipients: 1 };
const FIND = { verb: "find_mail", senders: [], ids: [MAIL.id] } as const;
const LIST = { ...FIND, verb: "list_mail", recipient: null, where: "anywhere", after: null, limit: 1 } as const;

function dryKeeper(reply: KeeperReply = { ok: true, detail: "" }) {
  const asked: KeeperCommand[] = [];
  const keeper = keeperOfDryRun({
    ask: (command) => {
      asked.push(command);
      const mails = command.verb === "find_mail" && !command.onHold ? [MAIL] : [];
      return Promise.resolve(reply.ok && command.verb === "find_mail" ? { ...reply, mails } : reply);
    },
  });
  const find = async (onHold: boolean) => {
    const found = await keeper.ask({ ...FIND, onHold });
    return found.ok ? found.mails : found.reason;
  };
  return { asked, keeper, find };
}

test("mail that a dry run holds is found on hold, and is gone once it is released", async () => {
  const { asked, keeper, find } = dryKeeper();
  assert.deepEqual([await find(false), await find(true)], [[MAIL], []]);
  const held = await keeper.ask({ verb: "hold_mail", ids: [MAIL.id] });
  assert.deepEqual(held, { ok: true, detail: "", count: 1 });
  assert.deepEqual([await find(false), await find(true)], [[], [{ ...MAIL, isHeld: true }]]);
  await keeper.ask({ verb: "release_mail", ids: [MAIL.id] });
  assert.deepEqual(await find(true), []);
  await keeper.ask({ verb: "kick_account", account: "anna@example.test" });
  assert.deepEqual([...new Set(asked.map(({ verb }) => verb))], ["find_mail"]);
});

test("the reason for an unreadable queue is passed on", async () => {
  const { find, keeper } = dryKeeper({ ok: false, reason: "Postfix does not answer." });
  assert.equal(await find(true), "Postfix does not answer.");
  assert.equal((await keeper.ask(LIST)).ok, false);
});
