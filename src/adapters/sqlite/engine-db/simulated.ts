/** The verdict that an event would have had without `simulate`, or `ban`; null if it took effect. */
export const SIMULATED =
  "coalesce(json_extract(rest, '$.seen.simulated'), iif(json_extract(rest, '$.simulated'), 'ban', NULL))";

/**
 * Whether an event took effect as its type says: a simulated ban or refused sign-in is neither a ban nor a refusal. Simulated
 * decisions of other kinds are recorded with the type of a passed event.
 */
export const TOOK_EFFECT = `(type NOT IN ('BAN', 'LOGIN_REFUSED', 'LOGIN_DELAYED') OR ${SIMULATED} IS NULL)`;
