/** What a backup and the server have in common. `password`: differs with each password, and is none. */
export type Kept = Readonly<{
  accounts: readonly Readonly<{
    name: string;
    password: string;
    suspended: boolean;
    networks: readonly string[];
    quotaBytes: number | null;
    /** Each with when it was made: one of the same name is another. */
    appPasswords: readonly string[];
    /** Where its mail is sent on, the account itself if a copy stays; empty: it is not. */
    forwards: readonly string[];
    /** The reply while its user is away, in one line; empty: there is none. */
    reply: string;
  }>[];
  aliases: readonly Readonly<{ address: string; targets: readonly string[]; blocked: boolean }>[];
  /** By key: the value as the file has it, and as it may be shown. */
  settings: ReadonlyMap<string, Readonly<{ value: string; shown: string }>>;
}>;

/** One difference: what it is about, and what it was and is. Null: it is not there. */
export type Difference = Readonly<{ what: string; was: string | null; is: string | null }>;

const SECRET_CHANGED = "another value";

/** What differs now from what was kept, each in the order of its name. */
export function differences(then: Kept, now: Kept): readonly Difference[] {
  return [...accountsIn(then, now), ...aliasesIn(then, now), ...settingsIn(then, now)];
}

function accountsIn(then: Kept, now: Kept): readonly Difference[] {
  const before = new Map(then.accounts.map((one) => [one.name, one]));
  const after = new Map(now.accounts.map((one) => [one.name, one]));
  return namesOf(before, after).flatMap((name) => {
    const [old, current] = [before.get(name), after.get(name)];
    const what = `account ${name}`;
    if (old === undefined) return [{ what, was: null, is: "there" }];
    if (current === undefined) return [{ what, was: "there", is: null }];
    const state = ({ suspended }: typeof old): string => (suspended ? "suspended" : "active");
    const places = ({ networks }: typeof old): string => (networks.length === 0 ? "anywhere" : networks.join(" "));
    const apps = ({ appPasswords }: typeof old): string => appPasswords.join(", ") || "none";
    const onward = ({ forwards }: typeof old): string => (forwards.length === 0 ? "off" : `to ${forwards.join(" ")}`);
    const quota = ({ quotaBytes }: typeof old): string => (quotaBytes === null ? "default" : `${quotaBytes} bytes`);
    return [
      ...changed(`password of ${name}`, "the backup's", old.password === current.password ? "the backup's" : "another"),
      ...changed(what, state(old), state(current)),
      ...changed(`networks of ${name}`, places(old), places(current)),
      ...changed(`app passwords of ${name}`, apps(old), apps(current)),
      ...changed(`forwarding of ${name}`, onward(old), onward(current)),
      ...changed(`vacation reply of ${name}`, old.reply || "off", current.reply || "off"),
      ...changed(`quota of ${name}`, quota(old), quota(current)),
    ];
  });
}

function aliasesIn(then: Kept, now: Kept): readonly Difference[] {
  const told = ({ aliases }: Kept): ReadonlyMap<string, string> =>
    new Map(
      aliases.map(({ address, targets, blocked }) => [
        address,
        `to ${targets.toSorted().join(" ")}${blocked ? ", blocked" : ""}`,
      ]),
    );
  const [before, after] = [told(then), told(now)];
  return namesOf(before, after).flatMap((address) =>
    changed(`alias ${address}`, before.get(address) ?? null, after.get(address) ?? null),
  );
}

function settingsIn(then: Kept, now: Kept): readonly Difference[] {
  return namesOf(then.settings, now.settings).flatMap((key) => {
    const [old, current] = [then.settings.get(key), now.settings.get(key)];
    if (old?.value === current?.value) return [];
    const isHidden = old !== undefined && old.shown === current?.shown;
    return [
      { what: `setting ${key}`, was: old?.shown ?? null, is: isHidden ? SECRET_CHANGED : (current?.shown ?? null) },
    ];
  });
}

function changed(what: string, was: string | null, is: string | null): readonly Difference[] {
  return was === is ? [] : [{ what, was, is }];
}

function namesOf(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].toSorted();
}
