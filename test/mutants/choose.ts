import { seeded } from "../kit/test-database.ts";

/**
 * Divides the items into `count` groups of neighbours of equal size, each in an order that the seed determines. Taking one
 * of each group spreads the choice evenly over all items.
 */
export function groupsOf<T>(items: readonly T[], count: number, seed: number): readonly (readonly T[])[] {
  const random = seeded(seed);
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
