import assert from "node:assert/strict";
import {
  type KeeperCommand,
  type KeeperReply,
  type ListedMail,
  parseKeeperCommand,
} from "../../src/admin/declare/keeper.ts";
import { withoutExtension } from "../../src/core/net/address.ts";
import type { commandsOnMemory, KeeperCommandOf } from "./commands-kit.ts";
import { beforeEachOf } from "./hooks.ts";

type Kit = Pick<ReturnType<typeof commandsOnMemory>, "asked" | "engine" | "given" | "keeper">;

/** A fake of Postfix's queue that carries out the orders, which the kit's keeper only notes. Empty before each test of `file`. */
export function fakeQueue(file: string, kit: Kit) {
  let mails: readonly ListedMail[] = [];
  let obeyed: KeeperCommand[] = [];
  const put = (queue: string, isMeant: (mail: ListedMail) => boolean): void => {
    mails = mails.map((mail) => (isMeant(mail) ? { ...mail, queue } : mail));
  };
  const present = (): readonly ListedMail[] => {
    for (const order of kit.asked.splice(0)) {
      obeyed.push(order);
      if (order.verb === "hold_mail") put("hold", ({ id }) => order.ids.includes(id));
      if (order.verb === "release_mail") put("active", ({ id }) => order.ids.includes(id));
      if (order.verb === "flush_mail")
        put("active", ({ id, queue }) => (order.ids.length === 0 ? queue === "deferred" : order.ids.includes(id)));
      if (order.verb === "delete_mail" || order.verb === "return_mail") {
        const isKept = "onHold" in order && order.onHold;
        mails = mails.filter(({ id, queue }) => !order.ids.includes(id) || (isKept && queue !== "hold"));
      }
    }
    return mails;
  };
  const find = ({ senders, ids, onHold }: KeeperCommandOf<"find_mail">) => {
    const meant = present().filter(({ queue }) => (queue === "hold") === onHold);
    const named = meant.filter(({ id }) => ids.includes(id));
    const sent = meant.filter(({ id, sender }) => senders.some((one) => one === sender) && !ids.includes(id));
    const found = [...named, ...sent].slice(0, 500);
    return found.map(({ id, at, recipientCount, recipients }) => {
      const to = recipients.map(({ address }) => address);
      return { id, isHeld: onHold, at, recipients: recipientCount, ...(to.length > 0 && { to }) };
    });
  };
  const list = (asked: KeeperCommandOf<"list_mail">) => {
    assert.ok(parseKeeperCommand(JSON.stringify(asked)), "the keeper takes it");
    const { ids, beside = [], senders, isExact, recipient, where, after, limit } = asked;
    const isSent = (sender: string): boolean =>
      senders.some((one) => one === (isExact === true ? sender : withoutExtension(sender)));
    const meant = present().filter(
      ({ id, queue, sender, recipients }) =>
        (where === "anywhere" || (where === "loose" ? queue !== "hold" : queue === where)) &&
        (ids.length === 0 || ids.includes(id)) &&
        (senders.length === 0 || isSent(sender) || beside.includes(id)) &&
        (recipient === null || recipients.some(({ address }) => address === recipient)),
    );
    const rest = meant.filter(({ at, id }) => after === null || at > after.at || (at === after.at && id > after.id));
    return { queue: rest.slice(0, limit), total: meant.length, newest: Math.max(0, ...meant.map(({ at }) => at)) };
  };
  beforeEachOf(file, () => {
    [mails, obeyed] = [[], []];
    kit.given.queue = find;
    kit.given.list = list;
  });
  return {
    get mails() {
      return present();
    },
    set mails(all) {
      present();
      mails = all;
    },
    onHold: (): readonly string[] => present().flatMap(({ id, queue }) => (queue === "hold" ? [id] : [])),
    /** Runs `interrupt` before the keeper carries out its `nth` order of this kind; a reply that it returns replaces the keeper's. */
    before: (nth: number, verb: KeeperCommand["verb"], interrupt: () => Promise<KeeperReply | void>): void => {
      const { ask } = kit.keeper;
      let orders = 0;
      kit.keeper.ask = async (order) => {
        const reply = order.verb === verb && (orders += 1) === nth ? await interrupt() : undefined;
        return reply ?? ask(order);
      };
    },
    /** The queue ids of each order of this kind. */
    ordered: (verb: KeeperCommand["verb"]): readonly (readonly string[])[] => {
      present();
      return obeyed.flatMap((order) => (order.verb === verb && "ids" in order ? [order.ids] : []));
    },
  };
}

/** A mail that was deferred, except for the fields that the test gives. */
export function listedMail(id: string, changes: Partial<ListedMail> = {}): ListedMail {
  const mail = { sizeBytes: 1, sender: "", recipientCount: 1, recipients: [] };
  return { id, queue: "deferred", at: 0, nextTryAt: null, ...mail, ...changes };
}

/** Makes the guard hold these mails of an account, each with one recipient. */
export async function holdMails({ engine }: Kit, account: string, ...ids: readonly string[]): Promise<void> {
  const changes = ids.map((queueId) => {
    const recipients = [`${queueId.toLowerCase()}@elsewhere.test`];
    return { type: "HOLD_MAIL", queueId, account, ip: null, recipientCount: 1, recipients } as const;
  });
  assert.ok(await engine.audit(null, changes));
}
