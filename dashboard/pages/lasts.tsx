import { t } from "../messages.ts";

const DURATIONS = ["15m", "1h", "4h", "1d"] as const;

/** For how long, as the field `for` of a form. */
export function Lasts() {
  const words = t.value.pause;
  return (
    <label class="field">
      <span>{words.lasts}</span>
      <select name="for">
        {DURATIONS.map((lasts) => (
          <option key={lasts} value={lasts}>
            {words.durations[lasts]}
          </option>
        ))}
      </select>
    </label>
  );
}
