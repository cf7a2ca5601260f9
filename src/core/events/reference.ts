import { type EventType, KINDS, meaningOf, typesWhere } from "./event-types.ts";

/** Every type in its group, with its meaning. */
export function eventTypes(): readonly Readonly<{ type: EventType; group: string; says: string }>[] {
  return KINDS.flatMap((kind) =>
    typesWhere((meaning) => meaning.kind === kind).map((type) => ({
      type,
      group: TITLES[kind],
      says: meaningOf(type).says,
    })),
  );
}

const TITLES: Readonly<Record<(typeof KINDS)[number], string>> = {
  connection: "Connections",
  mail: "Mail, as the guard decides it",
  login: "Sign-ins",
  report: "Reports of Fail2ban",
  command: "Bans and commands",
  log: "What only logs tell",
};
