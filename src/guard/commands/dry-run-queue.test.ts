import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { commandsOf, OWNER } from "../../../test/kit/commands-kit.ts";
import { DRY_VERBS } from "../../../test/kit/dry-verbs.ts";
import { FakeQueue, holdMails, listedMail } from "../../../test/kit/queue-kit.ts";
import { accountName } from "../../../test/kit/samples.ts";
import type { Command } from "../../admin/declare/control.ts";
import type { KeeperCommand } from "../../admin/declare/keeper.ts";

const ANNA = accountName("anna@example.test");
const ALL = { ids: [], account: null, sender: null, recipient: null, isAll: true, cursor: null } as const;
const [LOOSE, OTHER, HELD] = ["72CED1EABE5", "82CED1EABE6", "92CED1EABE7"];

/** Each command, with a part of its answer that must not be empty. */
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

const kit = commandsOf(import.meta.filename, ANNA);
const queue = new FakeQueue(import.meta.filename, kit);

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

  test("this file tests every command on mail that has a dry run", () => {
    const tested = DRY_RUNS.map(({ command }) => command.verb).filter((verb) => verb !== "account_suspend");
    assert.deepEqual(tested.toSorted(), DRY_VERBS.filter((verb) => /^(queue|held)_/.test(verb)).toSorted());
  });
});
