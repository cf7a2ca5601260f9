import assert from "node:assert/strict";
import { type KeeperCommand, type ListedMail, parseKeeperCommand } from "../../src/admin/declare/keeper.ts";
import type { commandsOnMemory, KeeperCommandOf } from "./commands-kit.ts";
import { beforeEachOf } from "./hooks.ts";

type Kit = Pick<ReturnType<typeof commandsOnMemory>, "asked" | "engine" | "listsQueue" | "queues">;

/** Postfix's queue: the keeper only notes its orders, and this carries them out. Empty before each test of `file`. */
export class FakeQueue {
  readonly #kit: Kit;
  #mails: readonly ListedMail[] = [];
  #obeyed: KeeperCommand[] = [];

  constructor(file: string, kit: Kit) {
    this.#kit = kit;
    beforeEachOf(file, () => {
      [this.#mails, this.#obeyed] = [[], []];
      kit.queues((asked) => this.#find(asked));
      kit.listsQueue((asked) => this.#list(asked));
    });
  }

  get mails(): readonly ListedMail[] {
    this.#obey();
    return this.#mails;
  }

  set mails(mails: readonly ListedMail[]) {
    this.#obey();
    this.#mails = mails;
  }

  /** The queue ids of each order of this kind. */
  ordered(verb: KeeperCommand["verb"]): readonly (readonly string[])[] {
    this.#obey();
    return this.#obeyed.flatMap((order) => (order.verb === verb && "ids" in order ? [order.ids] : []));
  }

  #obey(): void {
    for (const order of this.#kit.asked.splice(0)) {
      this.#obeyed.push(order);
      if (order.verb === "hold_mail") this.#put("hold", ({ id }) => order.ids.includes(id));
      if (order.verb === "release_mail") this.#put("active", ({ id }) => order.ids.includes(id));
      if (order.verb === "flush_mail")
        this.#put("active", ({ id, queue }) =>
          order.ids.length === 0 ? queue === "deferred" : order.ids.includes(id),
        );
      if (order.verb === "delete_mail" || order.verb === "return_mail") {
        const isKept = "onHold" in order && order.onHold;
        this.#mails = this.#mails.filter(({ id, queue }) => !order.ids.includes(id) || (isKept && queue !== "hold"));
      }
    }
  }

  #put(queue: string, isMeant: (mail: ListedMail) => boolean): void {
    this.#mails = this.#mails.map((mail) => (isMeant(mail) ? { ...mail, queue } : mail));
  }

  #find({ senders, ids, onHold }: KeeperCommandOf<"find_mail">) {
    const present = this.mails.filter(({ queue }) => (queue === "hold") === onHold);
    const named = present.filter(({ id }) => ids.includes(id));
    const sent = present.filter(({ id, sender }) => senders.some((one) => one === sender) && !ids.includes(id));
    const found = [...named, ...sent].slice(0, 500);
    return found.map(({ id, at, recipientCount, recipients }) => {
      const to = recipients.map(({ address }) => address);
      return { id, isHeld: onHold, at, recipients: recipientCount, ...(to.length > 0 && { to }) };
    });
  }

  #list(asked: KeeperCommandOf<"list_mail">) {
    assert.ok(parseKeeperCommand(JSON.stringify(asked)), "the keeper takes it");
    const { ids, beside = [], senders, recipient, where, after, limit } = asked;
    const present = this.mails.filter(
      ({ id, queue, sender, recipients }) =>
        (where === "anywhere" || (where === "loose" ? queue !== "hold" : queue === where)) &&
        (ids.length === 0 || ids.includes(id)) &&
        (senders.length === 0 || senders.includes(sender) || beside.includes(id)) &&
        (recipient === null || recipients.some(({ address }) => address === recipient)),
    );
    const rest = present.filter(({ at, id }) => after === null || at > after.at || (at === after.at && id > after.id));
    return { queue: rest.slice(0, limit), total: present.length };
  }
}

/** A mail that was deferred, except for the fields that the test gives. */
export function listedMail(id: string, changes: Partial<ListedMail> = {}): ListedMail {
  const mail = { sizeBytes: 1, sender: "", recipientCount: 1, recipients: [] };
  return { id, queue: "deferred", at: 0, nextTryAt: null, ...mail, ...changes };
}

/** The guard holds these mails of an account, each with one recipient. */
export async function holdMails({ engine }: Kit, account: string, ...ids: readonly string[]): Promise<void> {
  const changes = ids.map((queueId) => {
    const recipients = [`${queueId.toLowerCase()}@elsewhere.test`];
    return { type: "HOLD_MAIL", queueId, account, ip: null, recipientCount: 1, recipients } as const;
  });
  assert.ok(await engine.audit(null, changes));
}
