import type { KeeperReply, KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { messageOf } from "../../../core/error.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { bytes } from "../../../core/report/figures.ts";
import { HOUR_MS, isoTime, type Millis } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import type { MailboxQuota } from "../../../mail/dovecot/doveadm.ts";
import type { Uncounted } from "../../../mail/dovecot/maildirs.ts";
import { LEAST_OF_A_MAIL, MORE_IN_TRASH } from "../../../mail/dovecot/quota.ts";
import type { Settings } from "../../../settings/schema.ts";

/** The disk is looked at often; the mailboxes only when it holds this much more. */
const STEP_BYTES = 32 * 1024 ** 2;
/** Most folders of a mailbox. Each takes 24 KB and seven inodes, and 0.15 ms whenever Postfix asks whether there is room for a mail. */
export const MOST_FOLDERS = 3_000;
/** How long ended sessions are reported. */
const REPORTED_MS = HOUR_MS;

type SizeSettings = Pick<Settings, "limits.mail.max_size">;

export type MailboxServer = Readonly<{
  clock: Clock;
  /** Of the disk with the mail. */
  freeBytes: () => number;
  uncounted: () => Promise<ReadonlyMap<AccountName, Uncounted>>;
  /** A text: why it is not known. */
  quota: (account: AccountName) => Promise<MailboxQuota | string>;
  /** Accounts that may create no folder. */
  limited: () => readonly AccountName[];
  limit: (account: AccountName, isLimited: boolean) => void;
  endSessions: (account: AccountName) => Promise<KeeperReply>;
}>;

/**
 * Closes two gaps of Dovecot's quota. It reads the use when a session starts to store mails, so ten sessions may each fill the whole
 * quota; and it does not count folders.
 */
export class MailboxWatch {
  readonly #server: MailboxServer;
  #settings: SizeSettings | null;
  /** The most since the mailboxes were looked at. */
  #mostFree = Number.POSITIVE_INFINITY;
  readonly #ended = new Map<AccountName, Readonly<{ at: Millis; beyondBytes: number }>>();

  constructor(server: MailboxServer, settings: SizeSettings | null) {
    this.#server = server;
    this.#settings = settings;
  }

  use(settings: SizeSettings): void {
    this.#settings = settings;
  }

  /** Throws if the mailboxes cannot be read. */
  async look(): Promise<void> {
    const { freeBytes, uncounted, limited } = this.#server;
    const free = freeBytes();
    this.#mostFree = Math.max(this.#mostFree, free);
    const before = limited();
    if (this.#mostFree - free < STEP_BYTES && before.length === 0) return;
    const found = await uncounted();
    this.#mostFree = free;
    for (const account of before)
      if ((found.get(account)?.folders ?? 0) <= MOST_FOLDERS) this.#server.limit(account, false);
    const failures: string[] = [];
    for (const [account, { folders, storingBytes }] of found) {
      // One mailbox that cannot be read must not hide the others.
      try {
        if (folders > MOST_FOLDERS && !before.includes(account)) await this.#limitFolders(account);
        if (storingBytes > this.#mostOfOne) await this.#endOverrun(account);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    if (failures.length > 0) throw new Error(failures.join("; "));
  }

  troubles(): readonly KeeperTrouble[] {
    const now = this.#server.clock.now();
    const folders = this.#server
      .limited()
      .map((account) => `${account} has more than ${MOST_FOLDERS} folders: it can create no more`);
    const ended = [...this.#ended]
      .filter(([, { at }]) => now - at < REPORTED_MS)
      .map(
        ([account, { at, beyondBytes }]) =>
          `the sessions of ${account} were ended at ${isoTime(at)}: they were storing ${bytes(beyondBytes)} more than its quota`,
      );
    const details = [...folders, ...ended];
    return details.length === 0 ? [] : [{ code: "mailbox_overused", detail: details.join("; ") }];
  }

  /** Larger ones are refused: this much may be delivered to a mailbox at any time. */
  get #mostOfOne(): number {
    return this.#settings?.["limits.mail.max_size"] ?? Number.POSITIVE_INFINITY;
  }

  /** Sessions that are open now still may, so they are ended. */
  async #limitFolders(account: AccountName): Promise<void> {
    this.#server.limit(account, true);
    await this.#endSessions(account);
  }

  async #endOverrun(account: AccountName): Promise<void> {
    const { clock, quota, uncounted } = this.#server;
    const known = await quota(account);
    if (typeof known === "string") throw new Error(known);
    if (known.limitBytes === null) return;
    // Read after the use, so that no mail counts twice.
    const { storingBytes = 0 } = (await uncounted()).get(account) ?? {};
    const usedBytes = Math.max(known.usedBytes, known.mails * LEAST_OF_A_MAIL);
    const beyondBytes = usedBytes + storingBytes - known.limitBytes * (1 + MORE_IN_TRASH / 100) - this.#mostOfOne;
    if (beyondBytes <= 0) return;
    await this.#endSessions(account);
    this.#ended.set(account, { at: clock.now(), beyondBytes });
  }

  async #endSessions(account: AccountName): Promise<void> {
    const ended = await this.#server.endSessions(account);
    if (!ended.ok) throw new Error(`sessions of ${account} stay open: ${ended.reason}`);
  }
}
