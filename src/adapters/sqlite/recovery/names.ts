/** Next to `accounts.db`: a complete copy, at most seconds old. */
export function copyOf(accountsDb: string): string {
  return `${accountsDb}.copy`;
}

/** Next to `engine.db`: its lasting part without events, at most minutes old. */
export function digestOf(engineDb: string): string {
  return `${engineDb}.digest`;
}
