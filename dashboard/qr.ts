/**
 * QR codes, ISO/IEC 18004: bytes at error correction level M, in the versions 1 to 10, so up to 213 bytes. The page may
 * fetch nothing, and what it shows so is secret.
 */

/** Rows from above, true where it is dark. */
export type Matrix = readonly (readonly boolean[])[];

/** Of each version from 1 on: codewords in all, of error correction in each block, and blocks. ISO/IEC 18004, table 9. */
const VERSIONS: readonly (readonly [total: number, correction: number, blocks: number])[] = [
  [26, 10, 1],
  [44, 16, 1],
  [70, 26, 1],
  [100, 18, 2],
  [134, 24, 2],
  [172, 16, 4],
  [196, 18, 4],
  [242, 22, 4],
  [292, 22, 5],
  [346, 26, 5],
];
/** Of the second row of alignment patterns, from version 7 on; annex E. */
const MIDDLE: Readonly<Record<number, number>> = { 7: 22, 8: 24, 9: 26, 10: 28 };
const BYTES = 0b0100;
/** From version 10 on the length takes 16 bits. */
const LONG_LENGTH = 10;
const PADS = [0xec, 0x11] as const;

/** Null: the text is too long. */
export function qrOf(text: string): Matrix | null {
  const bytes = new TextEncoder().encode(text);
  const version = 1 + VERSIONS.findIndex((_, i) => bytes.length <= dataOf(i + 1) - (i + 1 < LONG_LENGTH ? 2 : 3));
  if (version === 0) return null;
  const grid = new Grid(version);
  grid.fill(interleaved(version, dataCodewords(bytes, version)));
  return grid.masked();
}

function dataOf(version: number): number {
  const [total, correction, blocks] = VERSIONS[version - 1] ?? [0, 0, 0];
  return total - correction * blocks;
}

function dataCodewords(bytes: Uint8Array, version: number): readonly number[] {
  const length = bytes.length.toString(2).padStart(version < LONG_LENGTH ? 8 : 16, "0");
  const content = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const most = dataOf(version);
  // Four zeros end it, fewer where there is no room for them; then it is filled to whole bytes.
  const bits = `${BYTES.toString(2).padStart(4, "0")}${length}${content}0000`.slice(0, most * 8);
  const words = (bits.match(/.{1,8}/g) ?? []).map((word) => Number.parseInt(word.padEnd(8, "0"), 2));
  return [...words, ...Array.from({ length: most - words.length }, (_, i) => PADS[i % 2 === 0 ? 0 : 1])];
}

/** The blocks' codewords in turn, data first. The last blocks have one more. */
function interleaved(version: number, data: readonly number[]): readonly number[] {
  const [, correction, blocks] = VERSIONS[version - 1] ?? [0, 0, 1];
  const short = Math.floor(data.length / blocks);
  const firstLong = blocks - (data.length % blocks);
  const parts = Array.from({ length: blocks }, (_, i) => {
    const begin = i * short + Math.max(0, i - firstLong);
    return data.slice(begin, begin + short + (i >= firstLong ? 1 : 0));
  });
  const checks = parts.map((part) => correctionOf(part, correction));
  return [...inTurn(parts, short + 1), ...inTurn(checks, correction)];
}

function inTurn(parts: readonly (readonly number[])[], length: number): readonly number[] {
  return Array.from({ length }, (_, i) => parts.flatMap((part) => part.slice(i, i + 1))).flat();
}

/** The remainder of Reed-Solomon division in GF(256). */
function correctionOf(data: readonly number[], degree: number): readonly number[] {
  let generator: readonly number[] = [1];
  let root = 1;
  for (let i = 0; i < degree; i++) {
    const factor = root;
    generator = [...generator, 0].map((term, at) => term ^ product(generator[at - 1] ?? 0, factor));
    root = product(root, 2);
  }
  const rest = [...data, ...Array.from({ length: degree }, () => 0)];
  for (let at = 0; at < data.length; at++) {
    const lead = rest[at] ?? 0;
    for (const [i, term] of generator.entries()) rest[at + i] = (rest[at + i] ?? 0) ^ product(term, lead);
  }
  return rest.slice(data.length);
}

/** In GF(256) with the polynomial 0x11d. */
function product(one: number, other: number): number {
  let came = 0;
  for (let bit = 7; bit >= 0; bit--) {
    came = (came << 1) ^ ((came >> 7) * 0x11d);
    came ^= ((other >> bit) & 1) * one;
  }
  return came;
}

const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

class Grid {
  readonly #size: number;
  readonly #dark: boolean[][];
  /** What is the same in each code of its version, and no data. */
  readonly #fixed: boolean[][];

  constructor(version: number) {
    this.#size = 17 + 4 * version;
    const length = this.#size;
    const empty = (): boolean[][] => Array.from({ length }, () => Array.from({ length }, () => false));
    [this.#dark, this.#fixed] = [empty(), empty()];
    const last = this.#size - 7;
    for (let i = 0; i < this.#size; i++) {
      this.#set(i, 6, i % 2 === 0);
      this.#set(6, i, i % 2 === 0);
    }
    this.#alignment(version, last);
    for (const [x, y] of [
      [3, 3],
      [last + 3, 3],
      [3, last + 3],
    ] as const)
      this.#square(x, y, 4, (ring) => ring !== 2 && ring !== 4);
    this.#format(0);
    if (version >= 7) this.#version(version);
  }

  /** In columns of two, upwards and downwards in turn from the right, past what is fixed. */
  fill(codewords: readonly number[]): void {
    const bits = codewords.flatMap((word) => Array.from({ length: 8 }, (_, i) => ((word >> (7 - i)) & 1) === 1));
    let next = 0;
    for (let right = this.#size - 1, isUp = true; right > 0; right -= right === 8 ? 3 : 2, isUp = !isUp)
      for (let step = 0; step < this.#size; step++)
        for (const x of [right, right - 1]) {
          const y = isUp ? this.#size - 1 - step : step;
          if (this.#fixed[y]?.[x] === true) continue;
          this.#put(x, y, bits[next] ?? false);
          next += 1;
        }
  }

  /** With the mask that readers like best: the fewest long runs, squares and patterns that look like a finder. */
  masked(): Matrix {
    const all = MASKS.map((mask, i) => {
      this.#format(i);
      return this.#dark.map((row, y) => row.map((dark, x) => dark !== (this.#fixed[y]?.[x] === false && mask(x, y))));
    });
    return all.reduce((best, one) => (penaltyOf(one) < penaltyOf(best) ? one : best));
  }

  #alignment(version: number, last: number): void {
    if (version === 1) return;
    const middle = MIDDLE[version];
    const places = [6, ...(middle === undefined ? [] : [middle]), last];
    for (const x of places)
      for (const y of places) {
        const isAtFinder = (x === 6 && y === 6) || (x === 6 && y === last) || (x === last && y === 6);
        if (!isAtFinder) this.#square(x, y, 2, (ring) => ring !== 1);
      }
  }

  #square(x: number, y: number, radius: number, isDark: (ring: number) => boolean): void {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++)
        this.#set(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
  }

  /** The level, M, is 00; the mask is told twice. 7.9 */
  #format(mask: number): void {
    const bits = ((mask << 10) | remainder(mask, 10, 0x537)) ^ 0x5412;
    const end = this.#size - 1;
    for (let i = 0; i < 15; i++) {
      const isDark = ((bits >> i) & 1) === 1;
      this.#set(8, i < 6 ? i : i < 8 ? i + 1 : end - 14 + i, isDark);
      this.#set(i < 8 ? end - i : i === 8 ? 7 : 14 - i, 8, isDark);
    }
    this.#set(8, end - 7, true);
  }

  /** 7.10 */
  #version(version: number): void {
    const bits = (version << 12) | remainder(version, 12, 0x1f25);
    for (let i = 0; i < 18; i++) {
      const [near, far] = [Math.floor(i / 3), this.#size - 11 + (i % 3)];
      this.#set(far, near, ((bits >> i) & 1) === 1);
      this.#set(near, far, ((bits >> i) & 1) === 1);
    }
  }

  #set(x: number, y: number, isDark: boolean): void {
    this.#put(x, y, isDark);
    const row = this.#fixed[y];
    if (row !== undefined && x >= 0 && x < row.length) row[x] = true;
  }

  #put(x: number, y: number, isDark: boolean): void {
    const row = this.#dark[y];
    if (row !== undefined && x >= 0 && x < row.length) row[x] = isDark;
  }
}

/** Of the division by a BCH code's polynomial. */
function remainder(value: number, bits: number, polynomial: number): number {
  let rest = value;
  for (let i = 0; i < bits; i++) rest = (rest << 1) ^ ((rest >> (bits - 1)) * polynomial);
  return rest;
}

/** 7.8.3 */
function penaltyOf(matrix: Matrix): number {
  const columns = matrix.map((_, x) => matrix.map((row) => row[x] ?? false));
  const lines = [...matrix, ...columns].map((line) => line.map(Number).join(""));
  let penalty = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
    penalty += 40 * [...line.matchAll(/(?=10111010000|00001011101)/g)].length;
  }
  for (const [y, row] of matrix.entries())
    for (const [x, dark] of row.entries())
      if (row[x + 1] === dark && matrix[y + 1]?.[x] === dark && matrix[y + 1]?.[x + 1] === dark) penalty += 3;
  const dark = matrix.flat().filter(Boolean).length / matrix.length ** 2;
  return penalty + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}
