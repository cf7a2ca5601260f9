/** What a backup or the server holds, by what it is about: its value, and how that may be shown. */
export type Kept = ReadonlyMap<string, Readonly<{ value: string; shown: string }>>;

/** One difference: its subject, and both values. Null: it is missing. */
export type Difference = Readonly<{ what: string; was: string | null; is: string | null }>;

/** Returns what differs now, by name. Of two values that are shown alike, such as secrets, it says only that they differ. */
export function differences(then: Kept, now: Kept): readonly Difference[] {
  return [...new Set([...then.keys(), ...now.keys()])].toSorted().flatMap((what) => {
    const [old, current] = [then.get(what), now.get(what)];
    if (old?.value === current?.value) return [];
    return [
      { what, was: old?.shown ?? null, is: old?.shown === current?.shown ? "another" : (current?.shown ?? null) },
    ];
  });
}
