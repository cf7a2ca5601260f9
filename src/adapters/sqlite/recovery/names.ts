/** Beside `accounts.db`: a complete copy, at most seconds old. */
export function copyOf(accountsDb: string): string {
  return `${accountsDb}.copy`;
}

/** Beside `engine.db`: what lasts of it, without events, at most minutes old. */
export function digestOf(engineDb: string): string {
  return `${engineDb}.digest`;
}
