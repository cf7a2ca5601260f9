import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { commandsOf, OWNER } from "../../../test/kit/commands-kit.ts";
import { DRY_VERBS } from "../../../test/kit/dry-verbs.ts";
import { fakeQueue, holdMails, listedMail } from "../../../test/kit/queue-kit.ts";
import { accountName } from "../../../test/kit/samples.ts";
import type { Command } from "../../admin/declare/control.ts";
import type { KeeperCommand, KeeperReply } from "../../admin/declare/keeper.ts";
import { keeperOfDryRun } from "./dry-run-parts.ts";
import { isDryRunOnQueue, isOnQueue } from "./web/web-bounds.ts";

const ANNA = accountName("anna@example.test");
const ALL = { ids: [], account: null, sender: null, recipient: null, isAll: true, cursor: null } as const;
const [LOOSE, OTHER, HELD] = ["72CED1EABE5", "82CED1EABE6", "92CED1EABE7"];

/** Each command, and a part of its answer that shows that it found something. */
const DRY_RUNS: readonly Readonly<{ command: Command; says: object }>[] = [
  { command: { verb: "queue_hold", ...ALL }, says: { changed: 2 } },
  { command: { verb: "queue_release", ...ALL }, says: { changed: 0, kept: [{ account: ANNA, mails: 1 }] } },
  {
    command: { verb: "queue_delete", ...ALL, sender: ANNA, isAll: false },
    says: { changed: 2, kept: [{ account: ANNA, mails: 1 }] },
  },
  { command: { verb: "queue_return", ...ALL, ids: [LOOSE], isAll: false }, says: { changed: 1 } },
  { command: { verb: "queue_flush", ...ALL }, says: { changed: 2 } },
  { command: { verb: "held_release", name: ANNA }, says: { released: 1, isMore: false } },
  { command: { verb: "held_drop", name: ANNA }, says: { dropped: 1, isMore: false } },
  { command: { verb: "account_suspend", name: ANNA }, says: { held: 3 } },
];
const LOOKS: readonly KeeperCommand["verb"][] = ["find_mail", "list_mail"];
const ON_QUEUE = DRY_VERBS.filter((verb) => /^(queue|held)_/.test(verb));

const kit = commandsOf(import.meta.filename, ANNA);
const queue = fakeQueue(import.meta.filename, kit);

describe("a dry run of a command on mail", () => {
  beforeEach(async () => {
    kit.signIn(OWNER);
    queue.mails = [
      listedMail(LOOSE, { sender: ANNA }),
      listedMail(OTHER, { sender: ANNA }),
      listedMail(HELD, { sender: ANNA, queue: "hold" }),
    ];
    await holdMails(kit, ANNA, HELD);
    kit.asked.length = 0;
  });

  for (const { command, says } of DRY_RUNS)
    test(`${command.verb} answers as the command does, but orders and records nothing`, async () => {
      const before = [kit.rows(), kit.heldMail.held(ANNA).length];
      const tried = await kit.dryRun(command);
      assert.ok(tried.ok, JSON.stringify(tried));
      assert.partialDeepStrictEqual(tried.result, says);
      assert.deepEqual(await kit.dryRun(command), tried, "again");
      assert.ok(kit.kept().every((verb) => LOOKS.includes(verb)));
      assert.deepEqual([kit.rows(), kit.heldMail.held(ANNA).length], before);
      assert.deepEqual(await kit.ask(command), tried);
    });

  test("every dry run that waits for other commands on the queue is tested here; a suspension itself does not wait", () => {
    const tested = DRY_RUNS.map(({ command }) => command.verb).toSorted();
    assert.deepEqual(tested, DRY_VERBS.filter(isDryRunOnQueue).toSorted());
    assert.deepEqual(tested, ["account_suspend", ...ON_QUEUE].toSorted());
    assert.deepEqual(DRY_VERBS.filter(isOnQueue), ON_QUEUE);
    assert.ok(isOnQueue("queue_list"));
  });
});

const MAIL = { id: LOOSE, isHeld: false, at: 0, recipients: 1 };
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
  assert.deepEqual(await keeper.ask({ verb: "hold_mail", ids: [MAIL.id] }), { ok: true, detail: "", count: 1 });
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
