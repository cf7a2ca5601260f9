import { formOf, type Kind, wrong } from "./kind.ts";

/** Kinds made of other kinds. */

/** Lets a setting be empty, with the meaning that its sentence gives. */
export function orEmpty(kind: Kind<string>): Kind<string> {
  return {
    ...kind,
    accepts: `${kind.accepts}, or ""`,
    read: (written) => (written === "" ? { ok: true, value: "", toml: '""' } : kind.read(written)),
  };
}

/** An empty variable could also be one that is not set, so an empty list has its own sign. */
const EMPTY_LIST = "[]";

/** Each item once, in the order written. In an environment variable, commas separate them. */
export function listOf<T>(item: Kind<T>, most: number): Kind<readonly T[]> {
  const accepts = `a list, each item ${item.accepts}`;
  return {
    accepts,
    form: formOf("list", { of: item.form.type, most: String(most) }),
    read: (written) => {
      if (!Array.isArray(written)) return wrong(accepts, written);
      if (written.length > most) return { ok: false, must: `must have at most ${most} items`, got: written.length };
      const items = new Map<string, T>();
      for (const one of written) {
        const read = item.read(one);
        if (!read.ok) return { ok: false, must: `has an item that ${read.must}`, got: read.got };
        items.set(read.toml, read.value);
      }
      return { ok: true, value: [...items.values()], toml: `[${[...items.keys()].join(", ")}]` };
    },
    fromText: (written) =>
      (written.trim() === EMPTY_LIST ? "" : written)
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "")
        .map(item.fromText),
  };
}

/** Durations, each longer than the one before; at least one. */
export function ascending(item: Kind<number>, most: number): Kind<readonly number[]> {
  const list = listOf(item, most);
  const accepts = `${list.accepts}, each longer than the one before`;
  return {
    accepts,
    form: list.form,
    fromText: list.fromText,
    read: (written) => {
      const read = list.read(written);
      if (!read.ok) return read;
      const { value } = read;
      const ascends = value.every((one, i) => i === 0 || one > (value[i - 1] ?? 0));
      // The list removes duplicates, so a shorter one was not ascending.
      const whole = Array.isArray(written) && written.length === value.length;
      return value.length > 0 && ascends && whole ? read : wrong(accepts, written);
    },
  };
}
