/** A stream of numbers in [0, 1) that a seed determines (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * `count` groups of neighbouring items, all as large as possible, each in an order that the seed determines: to take one
 * of each group spreads the choice over all items in proportion.
 */
export function groupsOf<T>(items: readonly T[], count: number, seed: number): readonly (readonly T[])[] {
  const random = randomOf(seed);
  const groups = Math.min(count, items.length);
  return Array.from({ length: groups }, (_, i) => {
    const from = Math.floor((i * items.length) / groups);
    const to = Math.floor(((i + 1) * items.length) / groups);
    return shuffled(items.slice(from, to), random);
  });
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
