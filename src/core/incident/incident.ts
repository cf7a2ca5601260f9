import * as z from "zod/mini";

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

/** `since`: when it may have started. Times: ISO 8601, UTC. */
export type Incident = Readonly<{
  id: string;
  title: string;
  openedAt: string;
  since: string;
  /** Null while it is open. */
  closedAt: string | null;
}>;

/** What was done, by whom, in one sentence; `lines`: what it was done to. */
export type TimelineEntry = Readonly<{
  at: string;
  by: string;
  step: Step;
  says: string;
  lines: readonly string[];
  /** Whether the audit's chain holds it too: it cannot while the guard is down. */
  audited: boolean;
}>;

const incident = z.object({
  id: z.string(),
  title: z.string(),
  openedAt: z.string(),
  since: z.string(),
  closedAt: z.nullable(z.string()),
});
const entry = z.object({
  at: z.string(),
  by: z.string(),
  step: z.enum(STEPS),
  says: z.string(),
  lines: z.array(z.string()),
  audited: z.boolean(),
});

const LONGEST_NAME = 40;

/** The folder's name: the day, and the words of the title that a file's name can have. */
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

/** Null for any other text. */
export function parseIncident(text: string): Incident | null {
  return parsed(incident, text);
}

/** Null for any other text. */
export function parseEntry(line: string): TimelineEntry | null {
  return parsed(entry, line);
}

function parsed<T>(schema: z.ZodMiniType<T>, text: string): T | null {
  try {
    const read = z.safeParse(schema, JSON.parse(text));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
