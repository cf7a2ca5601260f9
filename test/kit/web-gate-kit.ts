import { CommandGate } from "../../src/engine/commands/web.ts";
import type { Command } from "../../src/wire/control/control.ts";
import { engineOnMemory } from "./engine-kit.ts";

export const BY = "web:admin via 203.0.113.9";

/** The gate that what the web asks must pass, before an engine in memory. */
export function webGateOnMemory() {
  const memory = engineOnMemory();
  const { engine, sqlite, clock, db } = memory;
  const gate = new CommandGate({ engine, history: sqlite, clock });
  const rows = (sql: string, ...values: readonly string[]): readonly string[] =>
    db
      .prepare(sql)
      .all(...values)
      .map((row) => String(Object.values(row)[0]));
  return {
    ...memory,
    gate,
    history: sqlite,
    /** As the web; the record of a refusal is committed by the end of the turn. */
    ask: async (command: Command) => {
      const refused = gate.refuses({ command, by: BY }, "web");
      await new Promise((resolve) => setImmediate(resolve));
      return refused;
    },
    refused: () => rows("SELECT details FROM event WHERE type = 'COMMAND_REFUSED' ORDER BY id"),
    count: (type: string) => rows("SELECT id FROM event WHERE type = ?", type).length,
    accounts: () => rows("SELECT DISTINCT account FROM event WHERE account IS NOT NULL"),
  };
}
