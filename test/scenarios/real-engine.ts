import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Decision } from "../../src/core/decide/decision.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { OwnNetwork } from "../../src/core/decide/sparing.ts";
import type { Event } from "../../src/core/events/event.ts";
import { isBounce, type Recipient } from "../../src/core/events/mail.ts";
import { domainsOf } from "../../src/core/net/address.ts";
import type { Ip } from "../../src/core/net/ip.ts";
import { instant, type Millis } from "../../src/core/time.ts";
import { Engine } from "../../src/guard/engine.ts";
import type { Notices } from "../../src/guard/ports.ts";
import { recordedEvents } from "../../src/jobs/replay/recorded-events.ts";
import { type Replayed, replay } from "../../src/jobs/replay/replay.ts";
import { openReplayHistory } from "../../src/jobs/replay/replay-history.ts";
import { inOrder } from "../../src/jobs/replay/sequence.ts";
import { sqliteBanLog } from "../../src/store/engine-db/ban-log.ts";
import { SqliteStore } from "../../src/store/engine-db/store.ts";
import { accountsOnMemory, enginePartsOn } from "../kit/engine-kit.ts";
import { committed, newEngine, scalarOf } from "../kit/test-database.ts";
import type { Credited } from "./naive-networks.ts";
import { isFirstContact, recipientKind } from "./naive-recount.ts";
import { type Refusal, START } from "./scenario.ts";

/** The engine on a separate database, with a clock that the test moves. */
export function realEngine(policy: Policy, own: readonly OwnNetwork[]) {
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-scenario-"));
  const db = newEngine(join(directory, "engine.db"));
  const useAgain = keepStatements(db);
  let now = START;
  let read = 0;
  const expectsBounce = ({ recipient, clientName }: Recipient): boolean =>
    recipient !== null &&
    clientName !== null &&
    accountsOnMemory(db).correspondents.wroteTo(recipient, domainsOf(clientName));
  const makeEngine = () =>
    new Engine({
      ...enginePartsOn(db),
      policy,
      own: { current: () => own },
      recipients: { exists: (address) => recipientKind(address) === "exists" },
      firstContacts: { isFirstContact, isExpected: (event) => isBounce(event) && expectsBounce(event) },
      notices: QUIET,
      clock: { now: () => now },
      committed: () => {},
    });
  let bans = sqliteBanLog(db);
  let engine = makeEngine();
  return {
    /** Commits each event before the next one, and ends bans that are over, as the expirer would. */
    decide: (event: Event, at: Millis): Promise<Decision> => {
      now = at;
      for (const prefix of bans.expired(at, 100)) void engine.ask({ type: "BAN_EXPIRED", prefix });
      const decided = engine.ask(event);
      engine.commit();
      return decided;
    },
    administratorAt: (ip: Ip, at: Millis): void => {
      now = at;
      engine.administratorAt(ip);
    },
    /** Records a refusal, as if Postfix's log had reported it. */
    refuse: ({ at, queueId, recipient }: Refusal): void => {
      now = at;
      const answer = { relay: "smtp mx.elsewhere.test[192.0.2.25]:25", reply: "550 5.1.1 No such user", server: null };
      const tried = { outcome: "bounced", recipient, alias: null } as const;
      const position = { inode: "1", offset: ++read };
      void engine.observe("mail", position, [{ type: "MAIL_TRIED", queueId, ...tried, ...answer }]);
      engine.commit();
    },
    /** Records a credit, as if the logs had reported a mail from or to that server. */
    credit: ({ at, ...credit }: Credited): void => {
      const store = new SqliteStore(db);
      committed(store, () => store.apply({ type: "CREDIT", ...credit }, at));
    },
    /**
     * Restarts, as if the process had been killed between two events, so that only the database remembers. Its connection stays, as it has
     * nothing but what is committed; that this outlives the process is tested by test/e2e/chaos.test.ts.
     */
    restart: (): void => {
      assert.ok(!db.isTransaction, "an event is not committed");
      assert.equal(scalarOf(db, "SELECT count(*) FROM temp.sqlite_schema"), 0, "a table would be lost");
      useAgain();
      bans = sqliteBanLog(db);
      engine = makeEngine();
    },
    /** Decides everything recorded so far again, by this policy. */
    replay: (by: Policy): readonly Replayed[] => {
      const recorded = recordedEvents(db);
      const history = openReplayHistory(null, instant(0));
      try {
        const steps = inOrder(recorded.between(1, recorded.last()));
        return [...replay({ policy: by, allowNow: policy.allow, own, history }, steps)];
      } finally {
        history.close();
      }
    },
    [Symbol.dispose]: (): void => {
      db.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/**
 * Keeps what was prepared for the parts of an engine for those of the next one: preparing takes most of a restart. Returns
 * what to call when the parts that had them are gone.
 */
function keepStatements(db: DatabaseSync): () => void {
  const made = new Map<string, StatementSync[]>();
  const inUse = new Map<string, number>();
  const prepare = db.prepare.bind(db);
  db.prepare = (sql) => {
    const known = made.get(sql) ?? [];
    const at = inUse.get(sql) ?? 0;
    const statement = known[at] ?? prepare(sql);
    known[at] = statement;
    made.set(sql, known);
    inUse.set(sql, at + 1);
    return statement;
  };
  return () => inUse.clear();
}

/** Nothing may go wrong here, so every notice is a failure, except one about a crowd. */
const QUIET: Notices = {
  set: (code, detail) => {
    if (detail !== null && code !== "all_clients_private") throw new Error(`${code}: ${detail}`);
  },
  list: () => [],
};
