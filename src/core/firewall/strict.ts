import * as z from "zod/mini";

declare const door: unique symbol;
/** The doors of the strict firewall: `25/tcp`, `60000-61000/udp`, or `22/tcp4` only over IPv4. */
export type Door = string & { readonly [door]: true };

/** `family` null: IPv4 and IPv6. */
export type DoorParts = Readonly<{ protocol: "tcp" | "udp"; family: 4 | 6 | null; first: number; last: number }>;

const opening = z.object({
  doors: z.readonly(z.array(z.custom<Door>((text) => typeof text === "string" && parseDoor(text) === text))),
  trusted: z.readonly(z.array(z.string().check(z.refine((name) => parseInterface(name) !== null)))),
});
/** `trusted`: interfaces from which everything is accepted; a name that ends with `*` stands for several. */
export type Opening = Readonly<z.output<typeof opening>>;

export const strictState = z.object({
  /** Null: it was never confirmed, so every port is open. */
  confirmed: z.nullable(opening),
  /** A trial that waits for a confirmation. `connections`: those that were open at its start, which prove nothing. */
  trial: z.nullable(z.object({ opening, connections: z.readonly(z.array(z.string())) })),
});
export type StrictState = Readonly<z.output<typeof strictState>>;

/** Nothing was confirmed yet, and no trial waits for a confirmation. */
export const UNCONFIRMED: StrictState = { confirmed: null, trial: null };

const DOOR = /^(\d{1,5})(?:-(\d{1,5}))?\/(tcp|udp)([46])?$/;
const MOST_PORT = 65_535;

export function parseDoor(text: string): Door | null {
  const [, low = "", high = low, protocol = "", family = ""] = DOOR.exec(text) ?? [];
  const [first, last] = [Number(low), Number(high)];
  if (!(first >= 1 && first <= last && last <= MOST_PORT) || (protocol !== "tcp" && protocol !== "udp")) return null;
  return doorOf({ protocol, family: family === "4" ? 4 : family === "6" ? 6 : null, first, last });
}

export function doorOf({ protocol, family, first, last }: DoorParts): Door {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is what makes one
  return `${first === last ? first : `${first}-${last}`}/${protocol}${family ?? ""}` as Door;
}

export function partsOf(one: Door): DoorParts {
  const [, first = "", last = first, protocol, family] = DOOR.exec(one) ?? [];
  return {
    protocol: protocol === "udp" ? "udp" : "tcp",
    family: family === "4" ? 4 : family === "6" ? 6 : null,
    first: Number(first),
    last: Number(last),
  };
}

/** The doors of all openings, each once, in order. */
export function merged(...openings: readonly Opening[]): Opening {
  const all = new Set(openings.flatMap(({ doors }) => doors));
  for (const one of all) {
    const parts = partsOf(one);
    if (parts.family === 4 && all.has(doorOf({ ...parts, family: 6 }))) all.add(doorOf({ ...parts, family: null }));
  }
  const doors = [...all].filter((one) => ![...all].some((other) => other !== one && covers(other, one)));
  const trusted = [...new Set(openings.flatMap((opening) => opening.trusted))];
  return { doors: doors.toSorted().toSorted(byPort), trusted: trusted.toSorted() };
}

/** The doors that `opening` has and `other` lacks. */
export function beyond(opening: Opening, other: Opening): Opening {
  return {
    doors: opening.doors.filter((one) => !isLetIn(one, other)),
    trusted: opening.trusted.filter((name) => !other.trusted.includes(name)),
  };
}

export function isNothing({ doors, trusted }: Opening): boolean {
  return doors.length === 0 && trusted.length === 0;
}

/** Whether all traffic to this port is accepted. */
export function isLetIn(one: Door, { doors }: Opening): boolean {
  const { family, ...parts } = partsOf(one);
  const through = (wanted: 4 | 6): boolean =>
    doors.some((other) => covers(other, doorOf({ ...parts, family: wanted })));
  return family === null ? through(4) && through(6) : through(family);
}

function covers(wide: Door, narrow: Door): boolean {
  const [a, b] = [partsOf(wide), partsOf(narrow)];
  const isFamily = a.family === null || a.family === b.family;
  return a.protocol === b.protocol && isFamily && a.first <= b.first && a.last >= b.last;
}

function byPort(one: Door, other: Door): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  return a.first - b.first || a.last - b.last;
}

/** A name of an interface (IFNAMSIZ of Linux: 15 bytes), perhaps with a `*` at its end. Null for any other text. */
export function parseInterface(text: string): string | null {
  return /^[A-Za-z0-9_.-]{1,15}$|^[A-Za-z0-9_.-]{1,14}\*$/.test(text) && !/^\.{1,2}$/.test(text) ? text : null;
}
