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
import type { BanLog } from "../../src/guard/storage-ports.ts";
import { recordedEvents } from "../../src/jobs/replay/recorded-events.ts";
import { type Replayed, replay } from "../../src/jobs/replay/replay.ts";
import { openReplayHistory } from "../../src/jobs/replay/replay-history.ts";
import { inOrder } from "../../src/jobs/replay/sequence.ts";
import { sqliteBanLog } from "../../src/store/engine-db/ban-log.ts";
import { SqliteStore } from "../../src/store/engine-db/store.ts";
import { accountsOnMemory, enginePartsOn } from "../kit/engine-kit.ts";
import { newEngine } from "../kit/test-database.ts";
import type { Credited } from "./naive-networks.ts";
import { isFirstContact, recipientKind } from "./naive-recount.ts";
import type { Refusal } from "./scenario.ts";

/** The engine on a separate database, with a clock that the test moves. */
export class RealEngine {
  readonly #directory = mkdtempSync(join(tmpdir(), "ghostinbox-scenario-"));
  readonly #policy: Policy;
  readonly #own: readonly OwnNetwork[];
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  #bans: BanLog;
  #engine: Engine;
  #now: Millis;
  #read = 0;

  constructor(policy: Policy, own: readonly OwnNetwork[], start: Millis) {
    this.#policy = policy;
    this.#own = own;
    this.#now = start;
    this.#db = newEngine(join(this.#directory, "engine.db"));
    this.#statements = new Statements(this.#db);
    this.#bans = sqliteBanLog(this.#db);
    this.#engine = this.#makeEngine();
  }

  /** Each event is committed before the next one comes; bans that are over have been ended, as the expirer would. */
  async decide(event: Event, at: Millis): Promise<Decision> {
    this.#now = at;
    for (const prefix of this.#bans.expired(at, 100)) void this.#engine.ask({ type: "BAN_EXPIRED", prefix });
    const decided = this.#engine.ask(event);
    this.#engine.flush();
    return decided;
  }

  administratorAt(ip: Ip, at: Millis): void {
    this.#now = at;
    this.#engine.administratorAt(ip);
  }

  /** As if the log of Postfix had reported it. */
  refuse({ at, queueId, recipient }: Refusal): void {
    this.#now = at;
    const answer = { relay: "smtp mx.elsewhere.test[192.0.2.25]:25", reply: "550 5.1.1 No such user", server: null };
    const tried = { outcome: "bounced", recipient, alias: null } as const;
    const position = { inode: "1", offset: ++this.#read };
    void this.#engine.observe("mail", position, [{ type: "MAIL_TRIED", queueId, ...tried, ...answer }]);
    this.#engine.flush();
  }

  /** As if the logs had reported a mail from there, or to there. */
  credit({ at, ...credit }: Credited): void {
    const store = new SqliteStore(this.#db);
    store.begin();
    store.apply({ type: "CREDIT", ...credit }, at);
    store.commit();
  }

  /**
   * As if the process had been killed between two events: only the database remembers. Its connection stays, as it holds
   * nothing but what is committed; that this outlives the process is tested by test/e2e/chaos.test.ts.
   */
  restart(): void {
    assert.ok(!this.#db.isTransaction, "an event is not committed");
    const { n } = this.#db.prepare("SELECT count(*) AS n FROM temp.sqlite_schema").get() ?? {};
    assert.equal(n, 0, "a table would be lost");
    this.#statements.useAgain();
    this.#bans = sqliteBanLog(this.#db);
    this.#engine = this.#makeEngine();
  }

  /** Everything recorded so far, decided once more by a policy. */
  replay(policy: Policy): readonly Replayed[] {
    const recorded = recordedEvents(this.#db);
    const history = openReplayHistory(policy, null, START_OF_TIME);
    try {
      const steps = inOrder(recorded.between(1, recorded.last()));
      return [...replay({ policy, allowNow: this.#policy.allow, own: this.#own, history }, steps)];
    } finally {
      history.close();
    }
  }

  remove(): void {
    this.#db.close();
    rmSync(this.#directory, { recursive: true });
  }

  #expectsBounce({ recipient, clientName }: Recipient): boolean {
    const wrote = accountsOnMemory(this.#db).correspondents;
    return recipient !== null && clientName !== null && wrote.wroteTo(recipient, domainsOf(clientName));
  }

  #makeEngine(): Engine {
    return new Engine({
      ...enginePartsOn(this.#db),
      policy: this.#policy,
      own: { current: () => this.#own },
      recipients: { exists: (address) => recipientKind(address) === "exists" },
      firstContacts: { isFirstContact, isExpected: (event) => isBounce(event) && this.#expectsBounce(event) },
      notices: QUIET,
      clock: { now: () => this.#now },
      committed: () => {},
    });
  }
}

const START_OF_TIME = instant(0);

/** Keeps what was prepared for the parts of an engine for those of the next one: preparing takes most of a restart. */
class Statements {
  readonly #made = new Map<string, StatementSync[]>();
  readonly #inUse = new Map<string, number>();

  constructor(db: DatabaseSync) {
    const prepare = db.prepare.bind(db);
    db.prepare = (sql) => {
      const made = this.#made.get(sql) ?? [];
      const at = this.#inUse.get(sql) ?? 0;
      const statement = made[at] ?? prepare(sql);
      made[at] = statement;
      this.#made.set(sql, made);
      this.#inUse.set(sql, at + 1);
      return statement;
    };
  }

  /** The parts that had them are gone. */
  useAgain(): void {
    this.#inUse.clear();
  }
}

/** Nothing may go wrong here, so a notice is a failure, unless it is one of a crowd. */
const QUIET: Notices = {
  raise: (code, detail) => {
    if (code !== "all_clients_private") throw new Error(`${code}: ${detail}`);
  },
  clear: () => {},
  list: () => [],
};
