import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { messageOf } from "../../../core/error.ts";
import { sessionsWithoutSurplus } from "../../../core/firewall/connection-shares.ts";
import type { AccountName } from "../../../core/net/address.ts";
import { formatBytes } from "../../../core/report/figures.ts";
import { HOUR_MS, instant, isoTime, type Millis, SECOND_MS } from "../../../core/time.ts";
import type { Clock } from "../../../guard/ports.ts";
import { freeBytesAt } from "../../../host/root-files/disks.ts";
import { freeMemoryHere, freeSwapHere, memoryHere } from "../../../host/running/read-processes.ts";
import { countMailProcesses, endSessions, quotaOf, sessionMemory, shareImap } from "../../../mail/dovecot/doveadm.ts";
import {
  limitFolders,
  removeIndexes,
  removeUnfinished,
  uncountedOf,
  withoutNewFolders,
} from "../../../mail/dovecot/maildirs.ts";
import { LEAST_OF_A_MAIL, MORE_IN_TRASH } from "../../../mail/dovecot/quota.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Settings } from "../../../settings/schema.ts";

/** Free space is checked often, the mailboxes only after it has shrunk by this much. */
const STEP_BYTES = 32 * 1024 ** 2;
/** Maximum folders of a mailbox. Each takes 24 KB and seven inodes, and 0.15 ms whenever Postfix asks whether there is room. */
export const MOST_FOLDERS = 3_000;
/** How long a mailbox stays limited before its folders are counted again. A user who has deleted some may then create others. */
const LIMITED_FOR_MS = 30 * SECOND_MS;
/**
 * Indexes may take this plus a multiple of the lists of mails: about 2 KB for each mail, twice what honest mailboxes need. Dovecot caches
 * each requested header field of each mail, even an absent one, and reserves room for each keyword: a client could fill the disk.
 */
const INDEXES_BYTES = 256 * 1024 ** 2;
const INDEXES_PER_LIST = 32;
/**
 * When half of the memory is in use, the sessions of one account may hold this share of all memory, or what twenty honest sessions take.
 */
const MEMORY_SHARE = 1 / 8;
const LEAST_MEMORY = 128 * 1024 ** 2;
/**
 * Sessions are checked only after free memory and free swap together have shrunk by this much. Swap counts because the kernel moves
 * idle memory there.
 */
const MEMORY_STEP = 32 * 1024 ** 2;
/** How long ended sessions are reported. */
const REPORTED_MS = HOUR_MS;

type SizeSettings = Pick<Settings, "limits.mail.max_size" | "mailboxes.quota" | "limits.connections.imap_places">;

/** The mailboxes of this server, and the sessions that use them. */
export function mailboxServer(layout: Layout) {
  return {
    freeBytes: () => freeBytesAt(layout.mail),
    uncounted: () => uncountedOf(layout),
    quota: (account: AccountName) => quotaOf(layout, account),
    /** Accounts that may create no folder. */
    limited: () => withoutNewFolders(layout),
    limit: (account: AccountName, isLimited: boolean) => limitFolders(layout, account, isLimited),
    endSessions: (account: AccountName) => endSessions(layout, new Set([account])),
    processes: () => countMailProcesses(),
    endSurplus: (places: number) => shareImap(layout, places),
    removeIndexes: (account: AccountName) => removeIndexes(layout, account),
    removeUnfinished: (account: AccountName) => removeUnfinished(layout, account),
    /** `swapBytes`: free swap, in addition. */
    memory: () => ({ allBytes: memoryHere(), freeBytes: freeMemoryHere(), swapBytes: freeSwapHere() }),
    sessionMemory: () => sessionMemory(layout),
  };
}

/**
 * Closes gaps of Dovecot's quota. Dovecot reads the use when a session starts to store mails, so ten sessions may each fill the whole
 * quota, and it counts neither folders nor indexes. Also bounds the memory of sessions: Dovecot allows each of them 256 MB, and a mail with
 * 13 MB of recipients takes 140 MB for as long as its client doesn't read the envelope.
 */
export function createMailboxWatch(
  server: ReturnType<typeof mailboxServer>,
  clock: Clock,
  settings: () => SizeSettings | null,
) {
  const { limited, uncounted } = server;
  /** The most free space since the last check of the mailboxes; infinite to force the next check even if no more space is used. */
  let mostFree = Number.POSITIVE_INFINITY;
  let lookedAt: Millis = instant(0);
  /** The most free memory since the last check of the sessions. */
  let mostMemory = Number.POSITIVE_INFINITY;
  /** Folders of each limited mailbox when its sessions were last ended. */
  const counted = new Map<AccountName, number>();
  const ended = new Map<AccountName, Readonly<{ at: Millis; why: string }>>();
  let shared: Readonly<{ at: Millis; detail: string }> | null = null;

  /** Throws if the mailboxes cannot be read. */
  async function look(): Promise<void> {
    const free = server.freeBytes();
    mostFree = Math.max(mostFree, free);
    const before = limited();
    const now = clock.now();
    const mayWait = before.length === 0 || Math.abs(now - lookedAt) < LIMITED_FOR_MS;
    if (mostFree - free < STEP_BYTES && mayWait) return;
    const found = await uncounted();
    mostFree = free;
    lookedAt = now;
    for (const account of before) {
      if ((found.get(account)?.folders ?? 0) > MOST_FOLDERS) continue;
      server.limit(account, false);
      counted.delete(account);
    }
    const failures: string[] = [];
    for (const [account, { folders, storingBytes, indexBytes, listBytes }] of found) {
      // One mailbox that cannot be read must not hide the others.
      try {
        if (folders > MOST_FOLDERS && folders > (counted.get(account) ?? 0)) await limitOne(account, folders);
        if (indexBytes > INDEXES_BYTES + INDEXES_PER_LIST * listBytes) await dropIndexes(account, indexBytes);
        if (storingBytes > mostOfOne()) await endOverrun(account);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    if (failures.length === 0) return;
    mostFree = Number.POSITIVE_INFINITY;
    throw new Error(failures.join("; "));
  }

  /** Throws if the sessions are not known, or stay open. */
  async function lookAtMemory(): Promise<void> {
    const { allBytes, freeBytes, swapBytes } = server.memory();
    const left = freeBytes + swapBytes;
    mostMemory = Math.max(mostMemory, left);
    if (freeBytes > allBytes / 2 || mostMemory - left < MEMORY_STEP) return;
    const most = Math.max(LEAST_MEMORY, allBytes * MEMORY_SHARE);
    for (const [account, held] of await server.sessionMemory())
      if (held > most) await end(account, `they took ${formatBytes(held)} of memory`);
    mostMemory = left;
  }

  /**
   * Sessions from known addresses stay when a port is crowded, so an attacker who signed in from many addresses could hold all its
   * connections. Therefore no account may have too many, even while the port has room. Throws if the sessions are not known.
   */
  async function lookAtSessions(): Promise<void> {
    const inForce = settings();
    if (inForce === null) return;
    const places = inForce["limits.connections.imap_places"];
    if (server.processes() <= sessionsWithoutSurplus(places)) return;
    const detail = await server.endSurplus(places);
    if (detail !== null) shared = { at: clock.now(), detail };
  }

  function troubles(): readonly KeeperTrouble[] {
    const now = clock.now();
    const accounts = limited();
    const folders = accounts.map(
      (account) => `${account} has more than ${MOST_FOLDERS} folders: it cannot create more`,
    );
    const recent = [...ended].filter(([, { at }]) => now - at < REPORTED_MS);
    const sessions = recent.map(
      ([account, { at, why }]) => `the sessions of ${account} were ended at ${isoTime(at)}: ${why}`,
    );
    const ofAll = shared !== null && now - shared.at < REPORTED_MS ? [shared.detail] : [];
    const details = [...folders, ...sessions, ...ofAll];
    if (details.length === 0) return [];
    // One account's folders must not hide another's theft.
    const about = new Set([...accounts, ...recent.map(([account]) => account), ...ofAll.map(() => "")]);
    return [{ code: "mailbox_overused", detail: details.join("; "), about: [...about] }];
  }

  /** The largest mail: this much may be on its way into a mailbox at any time. */
  function mostOfOne(): number {
    return settings()?.["limits.mail.max_size"] ?? Number.POSITIVE_INFINITY;
  }

  /** Open sessions do not know the limit yet, so they are ended: again if one of them created more folders. */
  async function limitOne(account: AccountName, folders: number): Promise<void> {
    server.limit(account, true);
    await end(account);
    counted.set(account, folders);
  }

  async function endOverrun(account: AccountName): Promise<void> {
    const known = await server.quota(account);
    // If the use is not known, only what is being stored is checked, against the default quota: a user can make a
    // mailbox so slow that its use is never read in time.
    const unknown = { limitBytes: settings()?.["mailboxes.quota"] || null, usedBytes: 0, mails: 0 };
    const { limitBytes, usedBytes, mails } = typeof known === "string" ? unknown : known;
    if (limitBytes !== null) {
      // Read after the use, so that no mail counts twice.
      const { storingBytes = 0 } = (await uncounted()).get(account) ?? {};
      const countedBytes = Math.max(usedBytes, mails * LEAST_OF_A_MAIL);
      const beyondBytes = countedBytes + storingBytes - limitBytes * (1 + MORE_IN_TRASH / 100) - mostOfOne();
      if (beyondBytes > 0) {
        mostFree = Number.POSITIVE_INFINITY;
        await end(account, `they were storing ${formatBytes(beyondBytes)} more than its quota`);
        return server.removeUnfinished(account);
      }
    }
    // Leftovers of ended sessions may be smaller than what the quota leaves.
    await server.removeUnfinished(account);
    if (typeof known === "string") throw new Error(known);
  }

  /** Ends the sessions first, because they would continue to write into the removed files. */
  async function dropIndexes(account: AccountName, indexBytes: number): Promise<void> {
    await end(account, `its indexes, which no quota counts, took ${formatBytes(indexBytes)} and were removed`);
    await server.removeIndexes(account);
  }

  /** Ends the sessions of an account, and reports that if there is a reason. */
  async function end(account: AccountName, why: string | null = null): Promise<void> {
    await server.endSessions(account);
    if (why !== null) ended.set(account, { at: clock.now(), why });
  }

  return { look, lookAtMemory, lookAtSessions, troubles };
}
