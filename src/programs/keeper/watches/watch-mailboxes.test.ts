import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { accountName } from "../../../../test/kit/samples.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { HOUR_MS, SECOND_MS } from "../../../core/time.ts";
import { createMailboxWatch, MOST_FOLDERS } from "./watch-mailboxes.ts";

const MB = 1024 ** 2;
const ANNA = accountName("anna@example.org");

function setUp() {
  const clock = new HandClock();
  const limited = new Set<AccountName>();
  const state = {
    folders: 5,
    storingBytes: 0,
    indexBytes: 0,
    listBytes: 0,
    usedBytes: 0,
    mails: 1,
    limitBytes: 40 * MB,
    isKnown: true,
    freeMemory: 1_100 * MB,
    freeSwap: 500 * MB,
    processes: 0,
    sessionMemory: 0,
    areKnown: true,
    freeBytes: 1_000 * MB,
    looks: 0,
  };
  const ended: AccountName[] = [];
  const removed: AccountName[] = [];
  const unfinished: AccountName[] = [];
  const watch = createMailboxWatch(
    {
      freeBytes: () => state.freeBytes,
      uncounted: async () => {
        state.looks++;
        return new Map([[ANNA, { ...state }]]);
      },
      quota: async () => (state.isKnown ? { ...state } : "doveadm quota failed"),
      limited: () => [...limited],
      limit: (account, isLimited) => (isLimited ? limited.add(account) : limited.delete(account)),
      endSessions: async (account) => {
        if (!state.areKnown) throw new Error("doveadm who failed");
        ended.push(account);
      },
      processes: () => state.processes,
      endSurplus: async () => (state.processes > 110 ? `${ANNA} had too many` : null),
      removeIndexes: async (account) => {
        assert.ok(ended.includes(account), "no session may keep them open");
        removed.push(account);
      },
      removeUnfinished: async (account) => void unfinished.push(account),
      memory: () => ({ allBytes: 2_000 * MB, freeBytes: state.freeMemory, swapBytes: state.freeSwap }),
      sessionMemory: async () => {
        state.looks++;
        return new Map([[ANNA, state.sessionMemory]]);
      },
    },
    clock,
    () => ({ "limits.mail.max_size": 10 * MB, "mailboxes.quota": 30 * MB, "limits.connections.imap_places": 400 }),
  );
  /** The disk holds that much more. */
  const look = async (changes: Partial<typeof state> = {}, grownBytes = 32 * MB): Promise<void> => {
    Object.assign(state, changes);
    state.freeBytes -= grownBytes;
    await watch.look();
  };
  const said = (): string => watch.troubles()[0]?.detail ?? "";
  return { clock, watch, state, ended, removed, unfinished, limited, look, said };
}

test("mailboxes are checked only when the disk holds 32 MB more, however slowly it grew", async () => {
  const { state, look } = setUp();
  await look();
  assert.equal(state.looks, 1, "at the start");
  for (let i = 0; i < 31; i++) await look({}, MB);
  assert.equal(state.looks, 1);
  await look({}, MB);
  assert.equal(state.looks, 2);
  await look({}, -100 * MB);
  await look({}, 33 * MB);
  assert.equal(state.looks, 3, "an earlier deletion does not hide growth");
});

test("what ended sessions were storing is removed, until none of it fills the disk", async () => {
  const { unfinished, look } = setUp();
  await look({ storingBytes: 100 * MB });
  await look({}, 0);
  assert.deepEqual(unfinished, [ANNA, ANNA]);
  await look({ storingBytes: 0 }, 0);
  await look({ storingBytes: 100 * MB }, 0);
  assert.equal(unfinished.length, 2, "nothing was left, and the disk holds no more");
});

test("sessions that store more than the quota leaves are ended, and reported for an hour", async () => {
  const { clock, watch, ended, look, said } = setUp();
  await look({ usedBytes: 20 * MB, storingBytes: 34 * MB });
  assert.deepEqual([ended, watch.troubles()], [[], []], "with a tenth for Trash, and a mail that was accepted");
  await look({ usedBytes: 0, storingBytes: 100 * MB });
  assert.deepEqual(ended, [ANNA]);
  assert.match(said(), /^the sessions of anna@example\.org .* storing 46\.0 MB more than its quota$/);
  clock.advance(HOUR_MS);
  assert.deepEqual(watch.troubles(), []);
});

test("sessions of a mailbox too slow to be measured store no more than the default quota", async () => {
  const { ended, look } = setUp();
  await assert.rejects(look({ isKnown: false, storingBytes: 43 * MB }), { message: "doveadm quota failed" });
  assert.deepEqual(ended, []);
  await look({ storingBytes: 44 * MB });
  assert.deepEqual(ended, [ANNA]);
});

for (const [fact, changes, both] of [
  ["what ended sessions left is removed even if the quota has room for it", { storingBytes: 11 * MB }, [[], [ANNA]]],
  [
    "mails of one byte count as what they take on the disk, stored or not",
    { usedBytes: 10_000, mails: 2_500, storingBytes: 40 * MB },
    [[ANNA], [ANNA]],
  ],
  ["a mailbox that stores a single mail keeps its sessions", { usedBytes: 60 * MB, storingBytes: 10 * MB }, [[], []]],
] as const)
  test(fact, async () => {
    const { ended, unfinished, look } = setUp();
    await look(changes);
    assert.deepEqual([ended, unfinished], both);
  });

test("indexes far larger than the mails need are removed, and the sessions that wrote them ended", async () => {
  const { ended, removed, look, said } = setUp();
  await look({ indexBytes: 256 * MB });
  await look({ indexBytes: 2_000 * MB, listBytes: 60 * MB });
  assert.deepEqual([ended, removed], [[], []], "two gigabytes for a million mails");
  await look({ indexBytes: 2_000 * MB, listBytes: 50 * MB });
  assert.deepEqual([ended, removed], [[ANNA], [ANNA]]);
  assert.match(said(), / its indexes, which no quota counts, took 2\.0 GB and were removed$/);
});

test("too many folders: no more can be created until some are deleted", async () => {
  const { clock, watch, state, ended, limited, look, said } = setUp();
  await look({ folders: MOST_FOLDERS });
  assert.deepEqual([...limited], []);
  await look({ folders: MOST_FOLDERS + 1 });
  assert.deepEqual([[...limited], ended], [[ANNA], [ANNA]]);
  assert.match(said(), /^anna@example\.org has more than 3000 folders: it cannot create more$/);
  clock.advance(30 * SECOND_MS);
  await look({}, 0);
  assert.deepEqual([ended.length, state.looks], [1, 3], "its sessions are ended once");
  await look({ folders: 10 }, 0);
  assert.equal(state.looks, 3, "the mailboxes are not searched every time");
  clock.advance(-HOUR_MS);
  await look({ folders: 10 }, 0);
  assert.deepEqual([[...limited], watch.troubles()], [[], []], "even if the clock was set back");
});

test("sessions that open before the limit on folders are ended until none creates any", async () => {
  const { ended, limited, look } = setUp();
  await assert.rejects(look({ folders: MOST_FOLDERS + 1, areKnown: false }), { message: "doveadm who failed" });
  assert.deepEqual([...limited], [ANNA]);
  await look({ areKnown: true }, 0);
  assert.deepEqual(ended, [ANNA]);
  await look({ folders: MOST_FOLDERS + 2 });
  await look();
  assert.deepEqual(ended, [ANNA, ANNA]);
});

test("sessions of an account that take much memory are ended once half of it is in use", async () => {
  const { watch, state, ended, said } = setUp();
  const look = (changes: Partial<typeof state>): Promise<void> => {
    Object.assign(state, changes);
    return watch.lookAtMemory();
  };
  await look({ sessionMemory: 700 * MB, freeMemory: 1_001 * MB });
  assert.equal(state.looks, 0, "plenty is free");
  await look({ sessionMemory: 250 * MB, freeMemory: 900 * MB });
  await look({ sessionMemory: 251 * MB, freeMemory: 869 * MB });
  assert.deepEqual([state.looks, ended], [1, []], "hardly less is free than before");
  await look({ freeMemory: 868 * MB });
  assert.deepEqual([state.looks, ended], [2, [ANNA]]);
  assert.match(said(), /: they took 251\.0 MB of memory$/);
  await look({ freeSwap: state.freeSwap - 32 * MB });
  assert.equal(state.looks, 3, "the kernel moved it to the swap");
});

test("an account with too many sessions, also without connections, is reported for an hour", async () => {
  const { clock, watch, state } = setUp();
  for (const [processes, detail] of [
    [100, undefined],
    [110, undefined],
    [111, "anna@example.org had too many"],
    [50, "anna@example.org had too many"],
  ] as const) {
    state.processes = processes;
    await watch.lookAtSessions();
    assert.equal(watch.troubles()[0]?.detail, detail);
  }
  clock.advance(HOUR_MS);
  assert.deepEqual(watch.troubles(), []);
});
