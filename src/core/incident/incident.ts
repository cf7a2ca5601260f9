import * as z from "zod/mini";
import { type Prefix, parsePrefix } from "../net/ip.ts";

/** The steps of an incident, in their usual order. Each may be taken again. */
export const STEPS = [
  "open",
  "note",
  "isolate",
  "assess",
  "contain",
  "drop",
  "investigate",
  "tell",
  "recover",
  "report",
  "close",
] as const;
export type Step = (typeof STEPS)[number];

export const incidentSchema = z.object({
  id: z.string(),
  title: z.string(),
  openedAt: z.string(),
  since: z.string(),
  /** Null while it is open. */
  closedAt: z.nullable(z.string()),
});
/** `since`: when it may have started. Times: ISO 8601, UTC. */
export type Incident = Readonly<z.output<typeof incidentSchema>>;

export const entrySchema = z.object({
  at: z.string(),
  by: z.string(),
  step: z.enum(STEPS),
  says: z.string(),
  lines: z.readonly(z.array(z.string())),
  /** Whether the audit's chain contains it too, which it cannot while the guard is down. */
  audited: z.boolean(),
});
/** What was done and by whom, in one sentence. `lines`: what it was done to. */
export type TimelineEntry = Readonly<z.output<typeof entrySchema>>;

const LONGEST_NAME = 40;

/** The folder's name: the day, and the title in characters that a file name can have. */
export function incidentId(title: string, openedAt: string): string {
  const words = title
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST_NAME)
    .replaceAll(/^-+|-+$/g, "");
  return `${openedAt.slice(0, 10)}-${words === "" ? "incident" : words}`;
}

export function isIncidentId(text: string): boolean {
  return /^\d{4}-\d\d-\d\d-[a-z0-9][a-z0-9-]{0,60}$/.test(text);
}

/** What an isolated server does not do, in the order in which it is lifted. */
export const SHUT = ["receive", "sign-in", "send"] as const;
/** `receive`: mail from others; `sign-in`: mailboxes, submission and the dashboard; `send`: mail to others. */
export type Shut = (typeof SHUT)[number];

const network = z.pipe(
  z.transform((text) => (typeof text === "string" ? parsePrefix(text) : null)),
  z.custom<Prefix, Prefix | null>((prefix) => prefix !== null),
);
export const isolationSchema = z.object({
  incident: z.string(),
  /** ISO 8601, UTC. */
  since: z.string(),
  /** Who still reaches everything: administrators. */
  allow: z.readonly(z.array(network)),
  /** SSH ports that stay open to everyone, so that a wrong address locks no owner out. */
  ssh: z.readonly(z.array(z.int().check(z.gte(1), z.lte(65_535)))),
  /** What has not been lifted yet; never empty. */
  shut: z.readonly(z.array(z.enum(SHUT)).check(z.minLength(1))),
});
/** Exists while the server is isolated. */
export type Isolation = Readonly<z.output<typeof isolationSchema>>;

/** Null once nothing is left to lift. */
export function lifted(from: Isolation, parts: readonly Shut[]): Isolation | null {
  const shut = from.shut.filter((part) => !parts.includes(part));
  return shut.length === 0 ? null : { ...from, shut };
}

/** The step of an incident that made a bundle, as the audit records it, with the file and its SHA-256. */
const PACKED = /^\S+ investigate: Evidence was packed: (\S+), .*SHA-256 ([0-9a-f]{64})\.$/;

/** The name of a bundle that is made at this time (ISO 8601, UTC). */
export function bundleName(at: string): string {
  return `bundle-${at.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}.tar.gz`;
}

export function packedText(name: string, { files, sha256 }: Readonly<{ files: string; sha256: string }>): string {
  return `Evidence was packed: ${name}, ${files}, SHA-256 ${sha256}.`;
}

/**
 * The entry of the audit that names this file, or why it is not the one that was packed. The first entry decides: root can write
 * later ones, but cannot change that one.
 */
export function packedEntry(
  { name, sha256 }: Readonly<{ name: string; sha256: string }>,
  audit: Iterable<Readonly<{ id: number; type: string; subject: string }>>,
): Readonly<{ entry: number }> | Readonly<{ fault: string }> {
  for (const { id, type, subject } of audit) {
    const [, packed, digest] = (type === "INCIDENT" ? PACKED.exec(subject) : null) ?? [];
    if (packed !== name) continue;
    return digest === sha256
      ? { entry: id }
      : { fault: `its SHA-256 is ${sha256}, but entry ${id} of the audit names ${digest}` };
  }
  return {
    fault:
      "the audit of this server does not name it: it was renamed, made elsewhere, or made while the guard was down",
  };
}

/** What a backup or the server contains, by subject: the value, and how it may be shown. */
export type Contents = ReadonlyMap<string, Readonly<{ value: string; shown: string }>>;

/** One difference: its subject, and both values; null if missing. */
export type Difference = Readonly<{ what: string; was: string | null; is: string | null }>;

/** Returns what differs now, by name. For two values that are shown alike, such as secrets, it says only that they differ. */
export function differences(then: Contents, now: Contents): readonly Difference[] {
  return [...new Set([...then.keys(), ...now.keys()])].toSorted().flatMap((what) => {
    const [old, current] = [then.get(what), now.get(what)];
    if (old?.value === current?.value) return [];
    return [
      { what, was: old?.shown ?? null, is: old?.shown === current?.shown ? "another" : (current?.shown ?? null) },
    ];
  });
}
