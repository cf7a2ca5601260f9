/** When a nightly hour last started, in the machine's time zone (ms). A day may have 23 or 25 hours. */
export function lastNight(hour: number, now: number): number {
  const at = atHour(hour, now, 0);
  return at <= now ? at : atHour(hour, now, -1);
}

/** When it starts next (ms). */
export function nextNight(hour: number, now: number): number {
  const at = atHour(hour, now, 0);
  return at > now ? at : atHour(hour, now, 1);
}

/** The day first: an hour that is skipped on one day exists on the other. */
function atHour(hour: number, now: number, days: number): number {
  const at = new Date(now);
  at.setDate(at.getDate() + days);
  at.setHours(hour, 0, 0, 0);
  return at.getTime();
}
