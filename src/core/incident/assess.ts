import type { EventRecord } from "../events/event.ts";
import type { RestOf } from "../events/rest-schemas.ts";
import { isoTime } from "../time.ts";

/** An address from which an account was used. Times: ISO 8601, UTC. */
export type Place = { readonly ip: string; signIns: number; mails: number; readonly first: string; last: string };

export type TouchedAccount = {
  readonly account: string;
  signIns: number;
  failedSignIns: number;
  /** Mails that were accepted from it, including held ones. */
  mails: number;
  held: number;
  /** Recipients of all its mails together. */
  recipients: number;
  /** Latest use first. */
  readonly places: readonly Place[];
};

export type TouchedAddress = {
  readonly ip: string;
  readonly accounts: readonly string[];
  signIns: number;
  failedSignIns: number;
  /** Failed sign-ins before the first successful one. */
  guesses: number;
  mails: number;
  readonly first: string;
  last: string;
};

/** A mail of an account. `recipients`: all that it named; those whose servers accepted it are also in `reached`. */
export type TouchedMail = {
  readonly queueId: string;
  readonly account: string;
  readonly ip: string;
  readonly at: string;
  readonly sender: string;
  readonly recipientCount: number;
  readonly isHeld: boolean;
  readonly recipients: readonly string[];
  readonly reached: readonly string[];
  readonly refused: readonly string[];
};

/** What was done by command. */
export type Commanded = Readonly<{ at: string; by: string; type: string; subject: string }>;

/** What was touched in a period, according to recorded events. */
export type Assessment = Readonly<{
  events: number;
  accounts: readonly TouchedAccount[];
  addresses: readonly TouchedAddress[];
  mails: readonly TouchedMail[];
  commands: readonly Commanded[];
  /** Whether there was more than is listed. */
  isCut: boolean;
}>;

/** Maximum entries of each list, which take some megabytes of memory. */
const MOST = 20_000;
/** Maximum recipients of one mail. */
const MOST_RECIPIENTS = 1_000;

type OpenAccount = Omit<TouchedAccount, "places"> & { readonly byIp: Map<string, Place> };
type OpenAddress = TouchedAddress & { readonly accounts: string[] };
type OpenMail = TouchedMail & { readonly recipients: string[]; readonly reached: string[]; readonly refused: string[] };

const UNUSED = { signIns: 0, failedSignIns: 0, mails: 0 };

/** Reads events in the order of their ids. `account`: lists only what concerns this account. */
export function assess(records: Iterable<EventRecord>, account: string | null): Assessment {
  const seen = new Assessor(account);
  for (const record of records) seen.see(record);
  return seen.found();
}

class Assessor {
  readonly #only: string | null;
  readonly #accounts = new Map<string, OpenAccount>();
  readonly #addresses = new Map<string, OpenAddress>();
  readonly #mails = new Map<string, OpenMail>();
  /** Recipients of mails that have not ended yet, by their transaction. */
  readonly #named = new Map<string, string[]>();
  readonly #commands: Commanded[] = [];
  #events = 0;
  #isCut = false;

  constructor(only: string | null) {
    this.#only = only;
  }

  see(record: EventRecord): void {
    const { rest } = record;
    this.#events += 1;
    switch (rest.event) {
      case "LOGIN_SUCCEEDED":
        this.#used(record, "signIns");
        break;
      case "LOGIN_FAILED":
      case "LOGIN_UNSEEN":
        this.#failed(record);
        break;
      case "RECIPIENT":
        if (record.account !== null && record.recipient !== null && record.verdict === "pass")
          this.#nameRecipient(rest.transaction, record.recipient);
        break;
      case "MESSAGE":
        this.#sent(record, rest.transaction, rest.recipientCount ?? 1);
        break;
      case "MAIL_TRIED":
        this.#tried(record, rest.outcome);
        break;
      case "AUDIT":
        this.#commanded(record, rest.subject);
        break;
      default:
    }
  }

  found(): Assessment {
    const byLast = (a: { readonly last: string }, b: { readonly last: string }): number => (a.last < b.last ? 1 : -1);
    return {
      events: this.#events,
      accounts: [...this.#accounts.values()]
        .map(({ byIp, ...one }) => ({ ...one, places: [...byIp.values()].toSorted(byLast) }))
        .toSorted((a, b) => b.recipients - a.recipients || b.signIns - a.signIns),
      addresses: [...this.#addresses.values()].toSorted((a, b) => b.mails - a.mails || b.signIns - a.signIns),
      mails: [...this.#mails.values()],
      commands: this.#commands,
      isCut: this.#isCut,
    };
  }

  #isWanted(account: string | null): boolean {
    return this.#only === null || account?.toLowerCase() === this.#only;
  }

  #used(record: EventRecord, what: "signIns" | "mails"): OpenAccount | null {
    const { account, ip, at } = record;
    if (account === null || ip === null || !this.#isWanted(account)) return null;
    const time = isoTime(at);
    const touched = this.#account(account);
    const address = this.#address(ip, time);
    if (touched === null || address === null) return null;
    if (!touched.byIp.has(ip)) address.accounts.push(touched.account);
    const place = touched.byIp.getOrInsert(ip, { ip, signIns: 0, mails: 0, first: time, last: time });
    place.last = time;
    address.last = time;
    for (const one of [place, touched, address]) one[what] += 1;
    return touched;
  }

  /** Strangers also guess at accounts that don't exist, so failures count only for accounts that were used before. */
  #failed({ account, ip, at }: EventRecord): void {
    if (!this.#isWanted(account)) return;
    const known = account === null ? undefined : this.#accounts.get(account.toLowerCase());
    if (known !== undefined) known.failedSignIns += 1;
    const address = ip === null ? null : this.#address(ip, isoTime(at));
    if (address === null) return;
    address.failedSignIns += 1;
    if (address.signIns === 0) address.guesses += 1;
    address.last = isoTime(at);
  }

  #sent(record: EventRecord, transaction: string, recipientCount: number): void {
    const { ip, at, queueId, sender, verdict } = record;
    const recipients = this.#named.get(transaction) ?? [];
    this.#named.delete(transaction);
    if (verdict !== "pass" && verdict !== "hold") return;
    const touched = this.#used(record, "mails");
    if (touched === null || ip === null || queueId === null) return;
    touched.recipients += recipientCount;
    const isHeld = verdict === "hold";
    if (isHeld) touched.held += 1;
    if (!this.#hasRoom(this.#mails, queueId)) return;
    const { account } = touched;
    const mail = { queueId, account, ip, at: isoTime(at), sender: sender ?? "", recipientCount, isHeld };
    this.#mails.set(queueId, { ...mail, recipients, reached: [], refused: [] });
  }

  #nameRecipient(transaction: string, recipient: string): void {
    if (!this.#hasRoom(this.#named, transaction)) return;
    const named = this.#named.getOrInsertComputed(transaction, () => []);
    if (named.length < MOST_RECIPIENTS) named.push(recipient);
    else this.#isCut = true;
  }

  #tried({ queueId, recipient }: EventRecord, outcome: RestOf<"MAIL_TRIED">["outcome"]): void {
    const mail = queueId === null ? undefined : this.#mails.get(queueId);
    if (mail === undefined || recipient === null) return;
    if (mail.reached.length + mail.refused.length >= MOST_RECIPIENTS) {
      this.#isCut ||= !mail.reached.includes(recipient) && !mail.refused.includes(recipient);
      return;
    }
    if (!mail.recipients.includes(recipient)) mail.recipients.push(recipient);
    if (outcome === "sent" && !mail.reached.includes(recipient)) mail.reached.push(recipient);
    if (outcome === "bounced" && !mail.refused.includes(recipient)) mail.refused.push(recipient);
  }

  #commanded({ at, type, actor, account }: EventRecord, subject: string): void {
    if (!this.#isWanted(account)) return;
    if (this.#commands.length < MOST) this.#commands.push({ at: isoTime(at), by: actor ?? "", type, subject });
    else this.#isCut = true;
  }

  #account(account: string): OpenAccount | null {
    const name = account.toLowerCase();
    if (!this.#hasRoom(this.#accounts, name)) return null;
    const unused = { account: name, ...UNUSED, held: 0, recipients: 0 };
    return this.#accounts.getOrInsertComputed(name, () => ({ ...unused, byIp: new Map<string, Place>() }));
  }

  #address(ip: string, time: string): OpenAddress | null {
    if (!this.#hasRoom(this.#addresses, ip)) return null;
    return this.#addresses.getOrInsert(ip, { ip, accounts: [], ...UNUSED, guesses: 0, first: time, last: time });
  }

  #hasRoom(map: ReadonlyMap<string, unknown>, key: string): boolean {
    const has = map.size < MOST || map.has(key);
    if (!has) this.#isCut = true;
    return has;
  }
}

/** Addresses from which an account was used. From the others someone only guessed. */
export function usedAddresses(addresses: readonly TouchedAddress[]): readonly TouchedAddress[] {
  return addresses.filter(({ accounts }) => accounts.length > 0);
}

/** Mails that reached someone. */
export function mailsThatLeft(mails: readonly TouchedMail[]): readonly TouchedMail[] {
  return mails.filter(({ reached }) => reached.length > 0);
}

/** For a line of a table: account, sign-ins, wrong passwords, mails, of these held, recipients. */
export function accountCells(one: TouchedAccount): readonly string[] {
  return [one.account, ...countCells(one), `${one.held}`, `${one.recipients}`];
}

/** For a line of a table: sign-ins, wrong passwords, mails. */
export function countCells(one: Pick<TouchedAddress, "signIns" | "failedSignIns" | "mails">): readonly string[] {
  return [`${one.signIns}`, `${one.failedSignIns}`, `${one.mails}`];
}
