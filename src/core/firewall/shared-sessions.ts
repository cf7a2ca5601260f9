/** Each account keeps this many sessions: two mail programs with a few folders each. */
const KEPT = 10;

/** A session of an account, in which it has signed in. */
export type Session = Readonly<{ account: string; ip: string; pid: number }>;
/** The account whose sessions take other people's places: how many from how many addresses, and which of them to end. */
export type Surplus = Readonly<{ account: string; sessions: number; addresses: number; end: readonly Session[] }>;

/**
 * Which sessions to end so that a third of the places is free again. Always one of the account that has the most left, from
 * the address where that has the most: what another user, or another device of the owner, has open stays. The account with
 * the most sessions first.
 */
export function surplusOf(open: readonly Session[], places: number): readonly Surplus[] {
  const accounts = [...Map.groupBy(open, ({ account }) => account)].map(([account, sessions]) => ({
    account,
    sessions: sessions.length,
    byAddress: [...Map.groupBy(sessions, ({ ip }) => ip).values()],
    left: sessions.length,
    end: [] as Session[],
  }));
  for (let over = open.length - Math.floor((places * 2) / 3); over > 0; over--) {
    const most = largest(accounts, ({ left }) => left);
    const address = most === null || most.left <= KEPT ? null : largest(most.byAddress, ({ length }) => length);
    const ended = address?.pop();
    if (most === null || ended === undefined) break;
    most.left--;
    most.end.push(ended);
  }
  return accounts
    .filter(({ end }) => end.length > 0)
    .map(({ account, sessions, byAddress, end }) => ({ account, sessions, addresses: byAddress.length, end }))
    .toSorted((a, b) => b.sessions - a.sessions);
}

function largest<T>(all: readonly T[], size: (one: T) => number): T | null {
  return all.reduce<T | null>((most, one) => (most !== null && size(most) >= size(one) ? most : one), null);
}
