/** A map with a maximum size. When it is full, the least recently set or touched entry is dropped. Iterates from the oldest. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  /** Like `get`, and the entry becomes the latest. */
  touch(key: K): V | undefined {
    const value = this.get(key);
    if (value !== undefined && this.delete(key)) super.set(key, value);
    return value;
  }

  /** The entry becomes the latest. */
  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size <= this.#most) return this;
    const oldest = this.keys().next();
    if (oldest.done !== true) this.delete(oldest.value);
    return this;
  }
}
